package io.spillway.exporters;

import io.spillway.otlp.Codec;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.json.JsonWriter;
import io.spillway.otlp.stage.ExportRequest;
import java.nio.ByteBuffer;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes records of requests, as {@link RequestFile} wants them. For one thread. */
final class RequestRecord implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RequestRecord.class);
  private static final int MAX_VARINT_BYTES = 5;
  private static final byte[] LINE_END = {'\n'};

  private final RequestFormat format;
  private final Codec compression;
  private final BlockCompressor compressor = new BlockCompressor();
  private boolean warned;

  RequestRecord(RequestFormat format, Codec compression) {
    this.format = format;
    this.compression = compression;
  }

  /**
   * The record of a request. A payload that is compressed as the file is goes in as it is: members
   * and frames follow each other.
   *
   * @throws MalformedRequestException if the payload is damaged
   * @throws PayloadTooLargeException likewise
   */
  ByteBuffer[] of(ExportRequest request)
      throws MalformedRequestException, PayloadTooLargeException {
    Slice protobuf =
        Decompression.decompress(request.codec(), request.payload(), request.uncompressedLength());
    if (protobuf.length() != request.uncompressedLength()) {
      throw new MalformedRequestException(
          protobuf.length() + " bytes (expected " + request.uncompressedLength() + ")");
    }
    return switch (format.of(request.signal())) {
      case PROTO ->
          compression != Codec.NONE && request.codec() == compression
              ? new ByteBuffer[] {compressed(varint(protobuf.length())), buffer(request.payload())}
              : record(varint(protobuf.length()), protobuf);
      case JSON -> record(json(request, protobuf), Slice.of(LINE_END));
    };
  }

  private Slice json(ExportRequest request, Slice protobuf) throws MalformedRequestException {
    JsonWriter.Json json = JsonWriter.write(request.signal(), protobuf);
    if (json.unknownBytes() > 0 && !warned) {
      warned = true;
      log.warn(
          "file exporter: {} bytes of fields that this version of OTLP does not know are missing"
              + " from the JSON. Write format: proto to keep such fields. Said once.",
          json.unknownBytes());
    }
    return json.text();
  }

  private ByteBuffer[] record(Slice first, Slice second) {
    if (compression == Codec.NONE) {
      return new ByteBuffer[] {buffer(first), buffer(second)};
    }
    return new ByteBuffer[] {compressed(Slice.concat(List.of(first, second)))};
  }

  private ByteBuffer compressed(Slice bytes) {
    return buffer(compressor.compress(compression, bytes));
  }

  private static ByteBuffer buffer(Slice bytes) {
    return ByteBuffer.wrap(bytes.array(), bytes.offset(), bytes.length());
  }

  private static Slice varint(int value) {
    byte[] bytes = new byte[MAX_VARINT_BYTES];
    int length = 0;
    int rest = value;
    for (; rest > 0x7f; rest >>>= 7) {
      bytes[length++] = (byte) (rest | 0x80);
    }
    bytes[length++] = (byte) rest;
    return new Slice(bytes, 0, length);
  }

  /** Safe to call twice. */
  @Override
  public void close() {
    compressor.close();
  }
}
