package io.spillway.routing.egress;

import java.time.Duration;

/**
 * A moving average of how long the attempts at one exporter take. It fades while there are none, so
 * that one slow answer does not keep an exporter from being asked again. Nanoseconds, monotonic.
 */
final class Latency {
  /** The weight of a new sample. */
  private static final double WEIGHT = 0.3;

  /** In this time without a sample the average falls to its half. */
  private static final double HALF_LIFE_NANOS = Duration.ofSeconds(10).toNanos();

  private double average;
  private long last;
  private boolean known;

  void add(long nanos, long now) {
    average = known ? average + WEIGHT * (nanos - average) : nanos;
    known = true;
    last = now;
  }

  /** 0 if nothing is known. */
  double estimate(long now) {
    return average * Math.pow(0.5, (now - last) / HALF_LIFE_NANOS);
  }
}
