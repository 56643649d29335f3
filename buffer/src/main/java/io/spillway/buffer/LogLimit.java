package io.spillway.buffer;

import java.time.InstantSource;

/** Lets through one log line in ten seconds and counts the others. Safe on any thread. */
final class LogLimit {
  private static final long INTERVAL_MILLIS = 10_000;

  private final InstantSource clock;
  private long last = Long.MIN_VALUE;
  private long suppressed;

  LogLimit(InstantSource clock) {
    this.clock = clock;
  }

  /** The lines suppressed since the last one, if a line may be written now; else -1. */
  synchronized long permit() {
    long now = clock.millis();
    boolean tooSoon = last != Long.MIN_VALUE && now >= last && now - last < INTERVAL_MILLIS;
    if (tooSoon) {
      suppressed++;
      return -1;
    }
    last = now;
    long result = suppressed;
    suppressed = 0;
    return result;
  }
}
