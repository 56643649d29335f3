package io.spillway.exporters;

import io.spillway.config.Section;
import java.time.Duration;

/**
 * When a file is followed by the next one, and which old ones stay. Keys are those of the
 * Collector's {@code file} exporter, with {@code every} besides.
 *
 * @param maxBytes a file of this size or more is followed by the next
 * @param every so is one of this age
 * @param maxBackups how many older files of a signal stay; 0 for all
 * @param maxAge older files go that were last written this long ago; zero for never
 */
record Rotation(long maxBytes, Duration every, int maxBackups, Duration maxAge) {

  static final Rotation DEFAULT = new Rotation(100L << 20, Duration.ofDays(1), 0, Duration.ZERO);

  static Rotation read(Section section) {
    return new Rotation(
        (long) section.integer("max_megabytes", 100, 1, 1 << 20) << 20,
        section.duration("every", DEFAULT.every(), Duration.ofSeconds(1), Duration.ofDays(365)),
        section.integer("max_backups", 0, 0, 1_000_000),
        Duration.ofDays(section.integer("max_days", 0, 0, 36_500)));
  }

  boolean removes() {
    return maxBackups > 0 || maxAge.isPositive();
  }
}
