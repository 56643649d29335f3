package io.spillway.routing;

import org.jspecify.annotations.Nullable;

/**
 * How a route's backlog drains: what was stored for longer than moments, as after an outage.
 *
 * @param bytesPerSecond of payload as stored, at most; 0 for no limit
 * @param window when the backlog may drain; null for always
 */
public record DrainSettings(Order order, long bytesPerSecond, @Nullable DailyWindow window) {
  public static final DrainSettings DEFAULT = new DrainSettings(Order.LIVE_FIRST, 0, null);

  /** What goes first when a sink is back. */
  public enum Order {
    /** What comes in now; the backlog drains beside it, oldest first. */
    LIVE_FIRST,
    /** The oldest, and so on in the order of acceptance. */
    OLDEST_FIRST
  }
}
