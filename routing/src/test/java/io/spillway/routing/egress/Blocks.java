package io.spillway.routing.egress;

import com.google.protobuf.InvalidProtocolBufferException;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.logs.v1.ResourceLogs;
import io.opentelemetry.proto.logs.v1.ScopeLogs;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.ExportRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/** Makes blocks of log records with distinct bodies, and reads the bodies back from requests. */
final class Blocks {
  private long nextIndex;
  private long nextSequence;

  /** A request whose log records have these bodies. */
  static byte[] request(List<String> bodies) {
    ScopeLogs.Builder scope = ScopeLogs.newBuilder();
    for (String body : bodies) {
      scope.addLogRecords(
          LogRecord.newBuilder().setBody(AnyValue.newBuilder().setStringValue(body)));
    }
    return ExportLogsServiceRequest.newBuilder()
        .addResourceLogs(ResourceLogs.newBuilder().addScopeLogs(scope))
        .build()
        .toByteArray();
  }

  /** The next block: one original request for each list of bodies. */
  Block block(Codec codec, List<List<String>> requests) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    List<Block.Request> bounds = new ArrayList<>();
    int items = 0;
    for (List<String> bodies : requests) {
      byte[] request = request(bodies);
      bytes.writeBytes(request);
      bounds.add(new Block.Request(request.length, bodies.size()));
      items += bodies.size();
    }
    Block block;
    try (BlockCompressor compressor = new BlockCompressor()) {
      block =
          new Block(
              Signal.LOGS,
              codec,
              nextIndex++,
              nextSequence,
              items,
              bounds,
              bytes.size(),
              compressor.compress(codec, Slice.of(bytes.toByteArray())),
              FakeClock.START,
              FakeClock.START,
              false);
    }
    nextSequence += items;
    return block;
  }

  /** The next block: one original request for each list of bodies, and a gzip member of each. */
  Block gzippedBySenders(List<List<String>> requests) throws IOException {
    Block ours = block(Codec.GZIP, requests);
    ByteArrayOutputStream members = new ByteArrayOutputStream();
    for (List<String> bodies : requests) {
      try (GZIPOutputStream gzip = new GZIPOutputStream(members)) {
        gzip.write(request(bodies));
      }
    }
    return new Block(
        ours.signal(),
        ours.codec(),
        ours.index(),
        ours.firstSequence(),
        ours.items(),
        ours.requests(),
        ours.uncompressedLength(),
        Slice.of(members.toByteArray()),
        ours.firstAccepted(),
        ours.lastAccepted(),
        ours.redelivery());
  }

  /** A block of one request with one log record. */
  Block block(String body) {
    return block(Codec.NONE, List.of(List.of(body)));
  }

  static List<String> bodies(ExportRequest request) {
    return bodies(request.codec(), request.payload());
  }

  static List<String> bodies(Codec codec, Slice payload) {
    try {
      byte[] bytes = Decompression.decompress(codec, payload, 64 << 20).toByteArray();
      return ExportLogsServiceRequest.parseFrom(bytes).getResourceLogsList().stream()
          .flatMap(resource -> resource.getScopeLogsList().stream())
          .flatMap(scope -> scope.getLogRecordsList().stream())
          .map(record -> record.getBody().getStringValue())
          .toList();
    } catch (InvalidProtocolBufferException
        | io.spillway.otlp.MalformedRequestException
        | io.spillway.otlp.PayloadTooLargeException e) {
      throw new AssertionError(e);
    }
  }
}
