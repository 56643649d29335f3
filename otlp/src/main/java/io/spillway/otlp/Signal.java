package io.spillway.otlp;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** A kind of telemetry with its OTLP endpoints (OTLP §OTLP/gRPC, §OTLP/HTTP Request). */
public enum Signal {
  TRACES("trace.v1.TraceService", "span", "rejectedSpans"),
  METRICS("metrics.v1.MetricsService", "data point", "rejectedDataPoints"),
  LOGS("logs.v1.LogsService", "log record", "rejectedLogRecords"),
  /** In development: what is inside a profile may change with each version of OTLP. */
  PROFILES("profiles.v1development.ProfilesService", "profile", "rejectedProfiles");

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
   * The name in configuration, metrics and the ledger: {@code traces}, {@code metrics}, {@code
   * logs} or {@code profiles}.
   */
  public String label() {
    return label;
  }

  /** The signal of a {@link #label}; empty if there is none. */
  public static Optional<Signal> ofLabel(String label) {
    return Arrays.stream(values()).filter(signal -> signal.label.equals(label)).findFirst();
  }

  /**
   * What one item is called, in the singular: {@code span}, {@code data point}, {@code log record}
   * or {@code profile}.
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
    return isStable() ? "/v1/" + label : "/v1development/" + label;
  }

  /**
   * Whether two requests, one after the other, are one request with the items of both, and a
   * request may be cut between its items. Those of profiles are not: their items point into the one
   * dictionary of their own request.
   */
  public boolean concatenates() {
    return this != PROFILES;
  }

  /**
   * Whether OTLP promises not to change the signal. What Spillway does with others does not depend
   * on what is inside their items; it has no JSON of them.
   */
  public boolean isStable() {
    return this != PROFILES;
  }

  /** The key of the rejected count in a JSON {@code partialSuccess}. */
  public String rejectedJsonKey() {
    return rejectedJsonKey;
  }
}
