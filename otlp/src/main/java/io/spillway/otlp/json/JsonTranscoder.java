package io.spillway.otlp.json;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;

/** Turns an OTLP/JSON export request into the protobuf one. Safe on any thread. */
public final class JsonTranscoder {

  private JsonTranscoder() {}

  /**
   * @throws MalformedRequestException naming the JSON path and line of what is wrong
   * @throws PayloadTooLargeException if the protobuf form exceeds {@code maxBytes}
   */
  public static Slice toProtobuf(Signal signal, Slice json, int maxBytes)
      throws MalformedRequestException, PayloadTooLargeException {
    throw new UnsupportedOperationException();
  }
}
