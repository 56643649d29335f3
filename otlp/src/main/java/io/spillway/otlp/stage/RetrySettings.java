package io.spillway.otlp.stage;

import java.time.Duration;

/**
 * How long to leave a failing sink alone: {@code min(maxInterval, initialInterval * multiplier^n)},
 * of which a random part of {@code randomizationFactor} is taken off or put on. There is no end:
 * retrying never gives up by itself.
 *
 * @param multiplier at least 1
 * @param randomizationFactor between 0 and 1
 */
public record RetrySettings(
    Duration initialInterval, Duration maxInterval, double multiplier, double randomizationFactor) {
  public static final RetrySettings DEFAULT =
      new RetrySettings(Duration.ofSeconds(1), Duration.ofSeconds(30), 1.5, 0.5);
}
