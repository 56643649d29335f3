package io.spillway.buffer;

import java.time.Duration;

/** How fast a lane drains: a moving average of settled payload bytes. Safe on any thread. */
final class DrainRate {
  private static final double AVERAGE_SECONDS = 10;
  private static final Duration MIN_RETRY = Duration.ofSeconds(1);
  private static final Duration MAX_RETRY = Duration.ofSeconds(30);

  private double bytesPerSecond;
  private long since;

  DrainRate(long nowNanos) {
    this.since = nowNanos;
  }

  /** Weighs the interval since the last call by its length, so an idle time counts as zero. */
  synchronized void settled(long bytes, long nowNanos) {
    double seconds = Math.max(1e-3, (nowNanos - since) / 1e9);
    double weight = -Math.expm1(-seconds / AVERAGE_SECONDS);
    bytesPerSecond += weight * (bytes / seconds - bytesPerSecond);
    since = nowNanos;
  }

  /** When this many bytes will have drained, between 1 and 30 seconds. */
  synchronized Duration timeFor(long bytes, long nowNanos) {
    settled(0, nowNanos);
    double seconds = bytes / Math.max(bytesPerSecond, 1e-3);
    return seconds >= MAX_RETRY.toSeconds()
        ? MAX_RETRY
        : seconds <= MIN_RETRY.toSeconds() ? MIN_RETRY : Duration.ofMillis((long) (seconds * 1e3));
  }
}
