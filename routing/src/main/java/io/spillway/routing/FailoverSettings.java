package io.spillway.routing;

import java.time.Duration;

/**
 * When a route leaves the active one of its exporters, and when it comes back.
 *
 * @param after how long the active exporter may fail before the next one takes over
 * @param failbackAfter how long an earlier exporter must have been healthy before it takes over
 *     again
 */
public record FailoverSettings(Duration after, Duration failbackAfter) {
  public static final FailoverSettings DEFAULT =
      new FailoverSettings(Duration.ofSeconds(10), Duration.ofSeconds(60));
}
