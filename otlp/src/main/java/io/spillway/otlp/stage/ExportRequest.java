package io.spillway.otlp.stage;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;

/**
 * One request to a sink.
 *
 * @param codec how {@code payload} is compressed; the exporter sends it as it is
 * @param payload the compressed OTLP request
 * @param uncompressedLength bytes of protobuf
 * @param items items in the request
 * @param wireBytes where the exporter counts what it puts on the network for this request; complete
 *     when the attempt has ended
 */
public record ExportRequest(
    Signal signal,
    Codec codec,
    Slice payload,
    int uncompressedLength,
    int items,
    WireBytes wireBytes) {

  /** A request that nothing was sent of yet. */
  public ExportRequest(
      Signal signal, Codec codec, Slice payload, int uncompressedLength, int items) {
    this(signal, codec, payload, uncompressedLength, items, new WireBytes());
  }
}
