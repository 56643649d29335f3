package io.spillway.tests.harness;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import java.util.Locale;

/** A kind of telemetry, with its endpoints written out from the specification. */
public enum Kind {
  TRACES("opentelemetry.proto.collector.trace.v1.TraceService", ExportTraceServiceRequest.parser()),
  METRICS(
      "opentelemetry.proto.collector.metrics.v1.MetricsService",
      ExportMetricsServiceRequest.parser()),
  LOGS("opentelemetry.proto.collector.logs.v1.LogsService", ExportLogsServiceRequest.parser());

  private final String grpcService;
  private final Parser<? extends Message> parser;

  Kind(String grpcService, Parser<? extends Message> parser) {
    this.grpcService = grpcService;
    this.parser = parser;
  }

  /** The name in configuration and ledger, for example {@code traces}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  public String grpcService() {
    return grpcService;
  }

  public String httpPath() {
    return "/v1/" + label();
  }

  /** Decodes an export request. */
  public Message parse(ByteString request) throws InvalidProtocolBufferException {
    return parser.parseFrom(request);
  }
}
