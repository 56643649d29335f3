package io.spillway.routing;

import java.time.DateTimeException;
import java.time.LocalTime;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A span of every day, in local time.
 *
 * @param from included
 * @param to not included; before {@code from} if the span passes midnight
 */
public record DailyWindow(LocalTime from, LocalTime to) {
  private static final Pattern TEXT =
      Pattern.compile("\\s*(\\d{2}:\\d{2})\\s*-\\s*(\\d{2}:\\d{2})\\s*");

  /**
   * Reads {@code 01:00-05:00}.
   *
   * @throws IllegalArgumentException saying what is wrong
   */
  public static DailyWindow parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("is not a span of the day (expected \"01:00-05:00\")");
    }
    try {
      LocalTime from = LocalTime.parse(matcher.group(1));
      LocalTime to = LocalTime.parse(matcher.group(2));
      if (from.equals(to)) {
        throw new IllegalArgumentException("begins when it ends (expected two different times)");
      }
      return new DailyWindow(from, to);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("has no time of the day (expected 00:00 to 23:59)", e);
    }
  }

  public boolean contains(LocalTime time) {
    boolean begun = !time.isBefore(from);
    boolean over = !time.isBefore(to);
    return from.isBefore(to) ? begun && !over : begun || !over;
  }

  @Override
  public String toString() {
    return from + "-" + to;
  }
}
