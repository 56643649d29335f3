package io.spillway.exporters;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/** Reads {@code Retry-After}: seconds, or an HTTP date (RFC 9110 §10.2.3). */
final class RetryAfter {
  /** Nine digits are 31 years; more would only overflow somewhere later. */
  private static final int MAX_DIGITS = 9;

  private RetryAfter() {}

  /** How long to wait; zero for a date that is past; null if absent, malformed or negative. */
  static @Nullable Duration parse(@Nullable String value, InstantSource clock) {
    if (value == null || value.isBlank()) {
      return null;
    }
    String text = value.strip();
    if (text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return text.length() > MAX_DIGITS ? null : Duration.ofSeconds(Integer.parseInt(text));
    }
    try {
      Instant date = Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(text));
      Duration wait = Duration.between(clock.instant(), date);
      return wait.isNegative() ? Duration.ZERO : wait;
    } catch (DateTimeException e) {
      return null;
    }
  }
}
