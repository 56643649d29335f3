package io.spillway.otlp.wire;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * The rejection threshold of a sampling probability: a span is kept if its 56 random bits are at
 * least this number. OpenTelemetry §TraceState: Probability Sampling, "th".
 */
final class SamplingThreshold {
  static final int HEX_DIGITS = 14;

  private static final double RANGE = 0x1p56;
  private static final int BITS_PER_DIGIT = 4;

  /** Hex digits of precision; leading digits that are all f or all 0 come on top. */
  private static final int PRECISION = 4;

  private SamplingThreshold() {}

  /**
   * The threshold of a probability in [2^-56, 1], rounded so that its {@code th} stays short.
   *
   * @throws IllegalArgumentException if the probability is out of range
   */
  static long of(double probability) {
    if (!(probability >= 1 / RANGE && probability <= 1)) {
      throw new IllegalArgumentException(
          "sampling probability " + probability + " (expected in [2^-56, 1])");
    }
    if (probability == 1) {
      return 0;
    }
    int digits =
        Math.min(
            HEX_DIGITS,
            PRECISION + Math.max(leadingDigits(probability), leadingDigits(1 - probability)));
    int droppedBits = (HEX_DIGITS - digits) * BITS_PER_DIGIT;
    long exact = (long) RANGE - Math.round(probability * RANGE);
    long half = droppedBits == 0 ? 0 : 1L << (droppedBits - 1);
    return (exact + half) >>> droppedBits << droppedBits;
  }

  /** The value of {@code th}: hex digits without trailing zeros. */
  static byte[] encode(long threshold) {
    String digits = HexFormat.of().toHexDigits(threshold, HEX_DIGITS).replaceFirst("0+$", "");
    return (digits.isEmpty() ? "0" : digits).getBytes(StandardCharsets.US_ASCII);
  }

  /** Whole hex digits that are zero in a fraction below 1. */
  private static int leadingDigits(double fraction) {
    return (-Math.getExponent(fraction) - 1) / BITS_PER_DIGIT;
  }
}
