package io.spillway.receivers;

import java.util.Locale;

/** How a request came in. */
public enum Transport {
  GRPC,
  HTTP;

  private final String label = name().toLowerCase(Locale.ROOT);

  /** The name in metrics and logs: {@code grpc} or {@code http}. */
  public String label() {
    return label;
  }
}
