package io.spillway.buffer;

import io.spillway.config.Section;
import io.spillway.config.Sizes;
import java.time.Duration;

/**
 * The {@code buffer::dead_letters} section: bounds of the dead letters of each lane.
 *
 * @param maxBytes disk that a lane's dead letters may take; the oldest go first
 * @param maxAge older ones are deleted
 */
public record DeadLetterConfig(long maxBytes, Duration maxAge) {
  private static final long MIB = 1L << 20;
  private static final long MOST_BY_DEFAULT = 256 * MIB;

  /** Room for the largest piece of a block that a sink can refuse. */
  private static final long MIN_MAX_BYTES = 2 * MIB;

  /** By default dead letters take at most one part in this many of what lanes may take. */
  private static final int PARTS = 8;

  private static final Duration DEFAULT_MAX_AGE = Duration.ofDays(30);

  /**
   * What holds when nothing is written.
   *
   * @param maxBufferBytes what all lanes together may use
   */
  static DeadLetterConfig defaults(long maxBufferBytes) {
    long most = Math.min(MOST_BY_DEFAULT, maxBufferBytes / PARTS);
    return new DeadLetterConfig(Math.max(MIN_MAX_BYTES, most), DEFAULT_MAX_AGE);
  }

  static DeadLetterConfig read(Section section, long maxBufferBytes) {
    DeadLetterConfig defaults = defaults(maxBufferBytes);
    DeadLetterConfig config =
        new DeadLetterConfig(
            section.bytes("max_bytes", defaults.maxBytes, MIN_MAX_BYTES, Long.MAX_VALUE),
            section.duration(
                "max_age", defaults.maxAge, Duration.ofMinutes(1), Duration.ofDays(3650)));
    if (config.maxBytes > maxBufferBytes) {
      section.problem(
          "max_bytes",
          Sizes.format(config.maxBytes)
              + " is above buffer::max_bytes "
              + Sizes.format(maxBufferBytes)
              + ", which dead letters count in (expected at most that)");
    }
    return config;
  }
}
