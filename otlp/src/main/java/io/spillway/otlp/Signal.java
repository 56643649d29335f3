package io.spillway.otlp;

import java.util.Locale;

/** A kind of telemetry with its OTLP endpoints (OTLP §OTLP/gRPC, §OTLP/HTTP Request). */
public enum Signal {
  TRACES("trace.v1.TraceService", "span", "rejectedSpans"),
  METRICS("metrics.v1.MetricsService", "data point", "rejectedDataPoints"),
  LOGS("logs.v1.LogsService", "log record", "rejectedLogRecords");

  private final String label = name().toLowerCase(Locale.ROOT);
  private final String grpcService;
  private final String itemName;
  private final String rejectedJsonKey;

  Signal(String service, String itemName, String rejectedJsonKey) {
    this.grpcService = "opentelemetry.proto.collector." + service;
    this.itemName = itemName;
    this.rejectedJsonKey = rejectedJsonKey;
  }

  /**
   * The name in configuration, metrics and the ledger: {@code traces}, {@code metrics} or {@code
   * logs}.
   */
  public String label() {
    return label;
  }

  /**
   * What one item is called, in the singular: {@code span}, {@code data point} or {@code log
   * record}.
   */
  public String itemName() {
    return itemName;
  }

  /** The full gRPC service name; its only method is {@code Export}. */
  public String grpcService() {
    return grpcService;
  }

  /** The default OTLP/HTTP path, for example {@code /v1/traces}. */
  public String httpPath() {
    return "/v1/" + label;
  }

  /** The key of the rejected count in a JSON {@code partialSuccess}. */
  public String rejectedJsonKey() {
    return rejectedJsonKey;
  }
}
