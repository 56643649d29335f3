package io.spillway.otlp.stage;

import java.util.Locale;

/** What went wrong at a sink: the closed set behind the {@code reason} tag of export errors. */
public enum ErrorClass {
  DNS(false),
  CONNECT(false),
  TLS(true),
  RESET(false),
  TIMEOUT(false),
  THROTTLED(false),
  /** 401, 403, UNAUTHENTICATED, PERMISSION_DENIED. */
  AUTH(true),
  /** 404, UNIMPLEMENTED: the sink does not know the path or the signal. */
  NOT_FOUND(true),
  /** The egress policy denied the destination. */
  POLICY(true),
  /** 5xx, UNAVAILABLE, INTERNAL, UNKNOWN and answers that make no sense. */
  SERVER(false),
  /** The request was taken, but the answer breaks OTLP: see {@link Outcome.Delivered#malformed}. */
  PROTOCOL(false),
  /** The local disk or another local resource failed. */
  LOCAL(false),
  BAD_DATA(false),
  TOO_LARGE(false);

  private final String label = name().toLowerCase(Locale.ROOT);
  private final boolean needsOperator;

  ErrorClass(boolean needsOperator) {
    this.needsOperator = needsOperator;
  }

  public String label() {
    return label;
  }

  /** Whether waiting alone cannot heal it, so that a failover need not wait either. */
  public boolean needsOperator() {
    return needsOperator;
  }
}
