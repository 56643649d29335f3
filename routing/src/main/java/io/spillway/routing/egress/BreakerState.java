package io.spillway.routing.egress;

import java.util.Locale;

/** Whether an exporter of a lane is in use. The label is its name in metrics and status. */
public enum BreakerState {
  /** In use, or ready to be used when the exporters before it fail. */
  CLOSED,
  /** Out of use; probed with one block at a time. */
  OPEN,
  /** Probes succeed, but not for long enough yet. */
  RECOVERING;

  private final String label = name().toLowerCase(Locale.ROOT);

  public String label() {
    return label;
  }
}
