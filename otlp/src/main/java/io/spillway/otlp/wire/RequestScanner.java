package io.spillway.otlp.wire;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import org.jspecify.annotations.Nullable;

/** One forward pass over an export request. */
public final class RequestScanner {

  public void scan(Signal signal, Slice request) throws MalformedRequestException {
    throw new UnsupportedOperationException();
  }

  /** Items in the request: spans, data points or log records. */
  public int items() {
    throw new UnsupportedOperationException();
  }

  /** Resource records ({@code ResourceSpans} and the like) at the top level. */
  public int resources() {
    throw new UnsupportedOperationException();
  }

  /** Items below resource record {@code i}. */
  public int items(int i) {
    throw new UnsupportedOperationException();
  }

  /**
   * The whole record {@code i}, tag and length included, relative to the request: concatenating
   * records gives a request.
   */
  public Slice resource(int i) {
    throw new UnsupportedOperationException();
  }

  /**
   * Unknown top-level fields, in order, concatenated; empty as a rule. They belong to every part a
   * request is sliced into.
   */
  public Slice unknownFields() {
    throw new UnsupportedOperationException();
  }

  /**
   * The value of an attribute of resource {@code i} as text (last one wins); null if absent.
   * Numbers and booleans in their JSON form.
   */
  public @Nullable String attribute(int i, String key) {
    throw new UnsupportedOperationException();
  }
}
