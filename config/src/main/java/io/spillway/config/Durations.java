package io.spillway.config;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people write them: {@code 10s}, {@code 1500ms}, {@code 1h30m}, {@code 1.5s}. */
public final class Durations {
  /** What to say that was expected. */
  public static final String EXPECTED = "a duration such as 10s or 1h30m; units ms, s, m, h, d";

  private static final Pattern PART =
      Pattern.compile("([0-9]{1,15}(?:\\.[0-9]{1,9})?)(ms|s|m|h|d)");

  /** The units in descending order, in milliseconds. */
  private static final String[] UNITS = {"d", "h", "m", "s", "ms"};

  private Durations() {}

  /** The duration; empty if {@code text} is not one. {@code 0} needs no unit. */
  public static Optional<Duration> parse(String text) {
    if (text.equals("0")) {
      return Optional.of(Duration.ZERO);
    }
    Matcher matcher = PART.matcher(text);
    BigDecimal millis = BigDecimal.ZERO;
    int end = 0;
    while (matcher.find() && matcher.start() == end) {
      millis = millis.add(new BigDecimal(matcher.group(1)).multiply(unit(matcher.group(2))));
      end = matcher.end();
    }
    if (end == 0 || end < text.length()) {
      return Optional.empty();
    }
    return nanos(millis);
  }

  private static Optional<Duration> nanos(BigDecimal millis) {
    try {
      return Optional.of(
          Duration.ofNanos(millis.movePointRight(6).toBigInteger().longValueExact()));
    } catch (ArithmeticException e) {
      return Optional.empty();
    }
  }

  /** The shortest text that {@link #parse} reads as this duration, down to milliseconds. */
  public static String format(Duration duration) {
    long rest = duration.toMillis();
    StringBuilder text = new StringBuilder();
    for (String unit : UNITS) {
      long length = unit(unit).longValue();
      if (rest >= length) {
        text.append(rest / length).append(unit);
        rest %= length;
      }
    }
    return text.isEmpty() ? "0s" : text.toString();
  }

  private static BigDecimal unit(String name) {
    return BigDecimal.valueOf(
        switch (name) {
          case "ms" -> 1;
          case "s" -> 1_000;
          case "m" -> 60_000;
          case "h" -> 3_600_000;
          default -> 86_400_000;
        });
  }
}
