package io.spillway.routing;

import java.time.Duration;

/**
 * When a route leaves the active one of its exporters, and when it comes back.
 *
 * @param after how long the active exporter may fail before the next one takes over
 * @param failbackAfter how long an earlier exporter must have been healthy before it takes over
 *     again
 * @param hold how long, from the moment an exporter is left, data waits on disk for it before it
 *     goes to the next one
 */
public record FailoverSettings(Duration after, Duration failbackAfter, Duration hold) {
  public static final FailoverSettings DEFAULT =
      new FailoverSettings(Duration.ofSeconds(10), Duration.ofSeconds(60));

  /** Without a hold. */
  public FailoverSettings(Duration after, Duration failbackAfter) {
    this(after, failbackAfter, Duration.ZERO);
  }
}
