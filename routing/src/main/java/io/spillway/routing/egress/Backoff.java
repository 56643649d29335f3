package io.spillway.routing.egress;

import io.spillway.otlp.stage.RetrySettings;
import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * The pauses between attempts at a failing exporter: exponential, with jitter, without end (OTLP
 * §OTLP/gRPC Throttling, §OTLP/HTTP Throttling).
 *
 * @param jitter the part, 0 to 1, of a pause that is taken off or put on at most
 */
record Backoff(long initialNanos, long maxNanos, double multiplier, double jitter) {
  /** No pause is shorter, whatever the settings, so that nothing becomes a busy loop. */
  static final long MIN_NANOS = Duration.ofMillis(10).toNanos();

  /** Longer pauses are cut to this (36 years), so that sums of times do not overflow. */
  private static final long MAX_NANOS = Long.MAX_VALUE / 8;

  static Backoff of(RetrySettings settings) {
    return new Backoff(
        nanos(settings.initialInterval()),
        nanos(settings.maxInterval()),
        settings.multiplier(),
        settings.randomizationFactor());
  }

  /** The pause after this many failures in a row, in nanoseconds. */
  long pauseNanos(int failures, RandomGenerator random) {
    double exact =
        Math.min((double) maxNanos, initialNanos * Math.pow(multiplier, Math.max(0, failures - 1)));
    double spread = 1 + jitter * (2 * random.nextDouble() - 1);
    return Math.max(MIN_NANOS, (long) (exact * spread));
  }

  static long nanos(Duration duration) {
    return duration.compareTo(Duration.ofNanos(MAX_NANOS)) > 0 ? MAX_NANOS : duration.toNanos();
  }
}
