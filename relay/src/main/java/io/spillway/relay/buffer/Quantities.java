package io.spillway.relay.buffer;

import io.spillway.config.Durations;
import java.time.Duration;
import java.util.Locale;

/** Writes quantities for people. */
final class Quantities {
  private static final String[] UNITS = {"B", "KiB", "MiB", "GiB"};

  private Quantities() {}

  /** {@code 12,345}. */
  static String count(long n) {
    return String.format(Locale.ROOT, "%,d", n);
  }

  /** {@code 12,345 items}, {@code 1 item}. */
  static String count(long n, String noun) {
    return count(n) + " " + noun + (n == 1 ? "" : "s");
  }

  /** {@code 512 B}, {@code 1.5 MiB}. */
  static String bytes(long n) {
    double value = n;
    int unit = 0;
    while (value >= 1024 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
  }

  /** {@code 2h13m}, {@code 45s}: two units are enough; {@code 0s} for what lies ahead. */
  static String duration(Duration duration) {
    Duration shown = duration.isNegative() ? Duration.ZERO : duration;
    long seconds = shown.toSeconds();
    long unit = seconds >= 86_400 ? 3_600 : seconds >= 3_600 ? 60 : 1;
    return Durations.format(Duration.ofSeconds(seconds / unit * unit));
  }
}
