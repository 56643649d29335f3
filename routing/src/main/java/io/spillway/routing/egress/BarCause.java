package io.spillway.routing.egress;

import java.util.Locale;

/** What may bar an exporter of a lane. Each cause holds by itself, until it is lifted. */
public enum BarCause {
  /** An operator paused the exporter. */
  OPERATOR,
  /** The exporter's quota is used up. */
  QUOTA;

  private final String label = name().toLowerCase(Locale.ROOT);

  public String label() {
    return label;
  }
}
