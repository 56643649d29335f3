package io.spillway.config;

import java.math.BigInteger;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Numbers of bytes as people write them: {@code 64MiB}; a bare number is bytes. */
public final class Sizes {
  /** What to say that was expected. */
  public static final String EXPECTED = "a size such as 64MiB; units B, KiB, MiB, GiB";

  private static final Pattern SIZE = Pattern.compile("([0-9]{1,19}) ?(B|KiB|MiB|GiB)?");

  private Sizes() {}

  /** The number of bytes; empty if {@code text} is not a size. */
  public static Optional<Long> parse(String text) {
    Matcher matcher = SIZE.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    BigInteger bytes = new BigInteger(matcher.group(1)).shiftLeft(shift(matcher.group(2)));
    return bytes.bitLength() < Long.SIZE ? Optional.of(bytes.longValue()) : Optional.empty();
  }

  /** The text with the largest unit that {@link #parse} reads as exactly this number of bytes. */
  public static String format(long bytes) {
    for (String unit : new String[] {"GiB", "MiB", "KiB"}) {
      if (bytes != 0 && bytes % (1L << shift(unit)) == 0) {
        return (bytes >> shift(unit)) + unit;
      }
    }
    return bytes + "B";
  }

  private static int shift(@Nullable String unit) {
    return switch (unit) {
      case "KiB" -> 10;
      case "MiB" -> 20;
      case "GiB" -> 30;
      case null, default -> 0;
    };
  }
}
