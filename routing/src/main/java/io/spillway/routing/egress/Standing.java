package io.spillway.routing.egress;

import java.util.Locale;

/**
 * What an exporter of a lane may come to, or leave: the states of its breaker, and what operators,
 * quotas and holds make of it. The label is its name in metrics and status.
 */
public enum Standing {
  /** {@link BreakerState#CLOSED}. */
  CLOSED,
  /** {@link BreakerState#OPEN}. */
  OPEN,
  /** {@link BreakerState#RECOVERING}. */
  RECOVERING,
  /** Neither active nor probed nor a fallback. */
  BARRED,
  /** Not barred for that cause any more. */
  UNBARRED,
  /** The lane sends to this exporter alone. */
  PINNED,
  /** Not pinned any more. */
  RELEASED,
  /** Its hold is over: what waited for it goes to the next. */
  PASSED_OVER;

  private final String label = name().toLowerCase(Locale.ROOT);

  public String label() {
    return label;
  }

  static Standing of(BreakerState state) {
    return switch (state) {
      case CLOSED -> CLOSED;
      case OPEN -> OPEN;
      case RECOVERING -> RECOVERING;
    };
  }
}
