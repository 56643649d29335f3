package io.spillway.otlp.rpc;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;

/**
 * An {@code Export<Signal>ServiceResponse}: its protobuf shape is the same for all signals.
 *
 * @param rejected items rejected, as the sender of the response claims: may be negative or too
 *     large
 * @param message empty if absent
 */
public record ExportResponse(long rejected, String message) {
  public static final ExportResponse SUCCESS = new ExportResponse(0, "");

  /** 0 bytes on full success (OTLP §Full Success). */
  public byte[] toProtobuf() {
    throw new UnsupportedOperationException();
  }

  /** {@code {}} on full success. */
  public byte[] toJson(Signal signal) {
    throw new UnsupportedOperationException();
  }

  public static ExportResponse parse(Slice protobuf) throws MalformedRequestException {
    throw new UnsupportedOperationException();
  }
}
