package io.spillway.otlp.wire;

import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.util.List;

/** Cuts a valid request into smaller ones at item boundaries. */
public final class RequestSplitter {

  private RequestSplitter() {}

  /**
   * Parts of at most {@code maxBytes} each, in order; the request itself if it fits.
   *
   * @throws PayloadTooLargeException if a single item with its resource and scope exceeds {@code
   *     maxBytes}
   */
  public static List<Part> split(Signal signal, Slice request, int maxBytes)
      throws PayloadTooLargeException {
    throw new UnsupportedOperationException();
  }

  /** One part: a request of its own, and the items in it. */
  public record Part(Slice request, int items) {}
}
