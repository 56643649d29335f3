package io.spillway.exporters;

import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.profiles.v1development.Profile;
import io.opentelemetry.proto.trace.v1.Span;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.stage.ExportRequest;

/** Requests as a lane would hand them over. */
final class Requests {
  private Requests() {}

  /** A request of some spans, data points or log records; the name tells it from others. */
  static ExportRequest of(Signal signal, Codec codec, String name, int items) {
    Slice protobuf = Slice.of(protobuf(signal, name, items));
    try (BlockCompressor compressor = new BlockCompressor()) {
      Slice payload = compressor.compress(codec, protobuf);
      return new ExportRequest(signal, codec, payload, protobuf.length(), items);
    }
  }

  static ExportRequest spans(int items) {
    return of(Signal.TRACES, Codec.GZIP, "a", items);
  }

  static byte[] protobuf(Signal signal, String name, int items) {
    return switch (signal) {
      case TRACES -> traces(name, items);
      case METRICS -> metrics(name, items);
      case LOGS -> logs(name, items);
      case PROFILES -> profiles(name, items);
    };
  }

  /** A sink's answer in protobuf, its message so long. */
  static byte[] partialSuccess(int rejected, int messageLength) {
    var response = ExportTraceServiceResponse.newBuilder();
    response
        .getPartialSuccessBuilder()
        .setRejectedSpans(rejected)
        .setErrorMessage("x".repeat(messageLength));
    return response.build().toByteArray();
  }

  private static byte[] traces(String name, int items) {
    var request = ExportTraceServiceRequest.newBuilder();
    var scope = request.addResourceSpansBuilder().addScopeSpansBuilder();
    for (int i = 0; i < items; i++) {
      scope.addSpans(Span.newBuilder().setName(name + "-" + i));
    }
    return request.build().toByteArray();
  }

  private static byte[] metrics(String name, int items) {
    var request = ExportMetricsServiceRequest.newBuilder();
    var metric =
        request
            .addResourceMetricsBuilder()
            .addScopeMetricsBuilder()
            .addMetricsBuilder()
            .setName(name);
    for (int i = 0; i < items; i++) {
      metric.getGaugeBuilder().addDataPointsBuilder().setAsInt(i);
    }
    return request.build().toByteArray();
  }

  private static byte[] profiles(String name, int items) {
    var request = ExportProfilesServiceRequest.newBuilder();
    request.getDictionaryBuilder().addStringTable("").addStringTable(name);
    var scope = request.addResourceProfilesBuilder().addScopeProfilesBuilder();
    for (int i = 0; i < items; i++) {
      scope.addProfiles(Profile.newBuilder().setTimeUnixNano(i));
    }
    return request.build().toByteArray();
  }

  private static byte[] logs(String name, int items) {
    var request = ExportLogsServiceRequest.newBuilder();
    var scope = request.addResourceLogsBuilder().addScopeLogsBuilder();
    for (int i = 0; i < items; i++) {
      scope.addLogRecords(LogRecord.newBuilder().setEventName(name + "-" + i));
    }
    return request.build().toByteArray();
  }
}
