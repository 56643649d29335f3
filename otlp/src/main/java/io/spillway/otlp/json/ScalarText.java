package io.spillway.otlp.json;

import java.io.Serial;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;

/**
 * Reads what OTLP/JSON writes as text. All methods are pure; a wrong text gives a {@link
 * BadTextException}.
 */
final class ScalarText {

  private static final int TRACE_ID_BYTES = 16;
  private static final int SPAN_ID_BYTES = 8;

  /** Nineteen decimal digits always fit in 64 bits without sign. */
  private static final int MAX_FAST_DIGITS = 19;

  /** More digits than any number needs; the JSON parser has the same limit for bare numbers. */
  private static final int MAX_NUMBER_CHARS = 1000;

  /** No integer of 64 bits has more digits than this. */
  private static final int MAX_INTEGER_DIGITS = 20;

  private static final byte[] BASE64 = new byte[128];

  static {
    Arrays.fill(BASE64, (byte) -1);
    String digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < digits.length(); i++) {
      BASE64[digits.charAt(i)] = (byte) i;
    }
    BASE64['-'] = BASE64['+'];
    BASE64['_'] = BASE64['/'];
  }

  private ScalarText() {}

  /** Says what is wrong with a text and what was expected; carries no stack trace. */
  static final class BadTextException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    BadTextException(String message) {
      super(message, null, false, false);
    }
  }

  /** The two's complement bits; {@code 1e2} and {@code 1.0} are integers too. */
  static long integer(FieldKind kind, char[] text, int offset, int length) throws BadTextException {
    boolean negative = length > 0 && text[offset] == '-';
    int start = negative ? offset + 1 : offset;
    int end = offset + length;
    if (start == end || end - start > MAX_FAST_DIGITS) {
      return exactInteger(kind, text, offset, length);
    }
    long value = 0;
    for (int i = start; i < end; i++) {
      int digit = text[i] - '0';
      if (digit < 0 || digit > 9) {
        return exactInteger(kind, text, offset, length);
      }
      value = value * 10 + digit;
    }
    if (value < 0) {
      return exactInteger(kind, text, offset, length);
    }
    long signed = negative ? -value : value;
    if (!kind.holds(signed)) {
      throw outOfRange(kind, text, offset, length);
    }
    return signed;
  }

  private static long exactInteger(FieldKind kind, char[] text, int offset, int length)
      throws BadTextException {
    BigDecimal number = requireDecimal("an integer", text, offset, length).stripTrailingZeros();
    if (number.scale() > 0) {
      throw expected("an integer", text, offset, length);
    }
    if ((long) number.precision() - number.scale() > MAX_INTEGER_DIGITS) {
      throw outOfRange(kind, text, offset, length);
    }
    BigInteger value = number.toBigIntegerExact();
    if (!kind.holds(value)) {
      throw outOfRange(kind, text, offset, length);
    }
    return value.longValue();
  }

  /** A quoted number, or the name of what is not finite. */
  static double quotedDouble(char[] text, int offset, int length) throws BadTextException {
    if (is("NaN", text, offset, length)) {
      return Double.NaN;
    }
    if (is("Infinity", text, offset, length)) {
      return Double.POSITIVE_INFINITY;
    }
    if (is("-Infinity", text, offset, length)) {
      return Double.NEGATIVE_INFINITY;
    }
    requireDecimal("a number, \"NaN\", \"Infinity\" or \"-Infinity\"", text, offset, length);
    return finite(Double.parseDouble(new String(text, offset, length)));
  }

  static double finite(double value) throws BadTextException {
    if (Double.isInfinite(value)) {
      throw new BadTextException("out of range for a double");
    }
    return value;
  }

  private static BigDecimal requireDecimal(String what, char[] text, int offset, int length)
      throws BadTextException {
    // BigDecimal would take a plus sign and digits of other scripts.
    for (int i = offset; i < offset + length; i++) {
      char c = text[i];
      if ((c < '0' || c > '9') && "+-.eE".indexOf(c) < 0) {
        throw expected(what, text, offset, length);
      }
    }
    if (length == 0 || length > MAX_NUMBER_CHARS || text[offset] == '+') {
      throw expected(what, text, offset, length);
    }
    try {
      return new BigDecimal(text, offset, length);
    } catch (NumberFormatException e) {
      throw expected(what, text, offset, length);
    }
  }

  private static boolean is(String word, char[] text, int offset, int length) {
    return length == word.length() && word.equals(new String(text, offset, length));
  }

  /** The bytes of an id: 0 if it is empty. */
  static int idBytes(FieldKind kind, int digits) throws BadTextException {
    int bytes = kind == FieldKind.TRACE_ID ? TRACE_ID_BYTES : SPAN_ID_BYTES;
    if (digits != 0 && digits != 2 * bytes) {
      throw new BadTextException(
          "%d characters (expected %d hex digits, or none)".formatted(digits, 2 * bytes));
    }
    return digits / 2;
  }

  static void hex(char[] text, int offset, byte[] out, int at, int bytes) throws BadTextException {
    for (int i = 0; i < bytes; i++) {
      int value = nibble(text[offset + 2 * i]) << 4 | nibble(text[offset + 2 * i + 1]);
      if (value < 0) {
        throw expected("hex digits", text, offset, 2 * bytes);
      }
      out[at + i] = (byte) value;
    }
  }

  private static int nibble(char c) {
    if (c >= '0' && c <= '9') {
      return c - '0';
    }
    int lower = c | 0x20;
    return c < 128 && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  }

  /** The digits of a base64 text without its padding. */
  static int base64Digits(char[] text, int offset, int length) throws BadTextException {
    int digits = length;
    while (digits > 0 && length - digits < 2 && text[offset + digits - 1] == '=') {
      digits--;
    }
    boolean padded = digits != length;
    if (digits % 4 == 1 || (padded && length % 4 != 0)) {
      throw expected("base64", text, offset, length);
    }
    return digits;
  }

  static void base64(char[] text, int offset, int digits, byte[] out, int at)
      throws BadTextException {
    int bits = 0;
    int pending = 0;
    int pos = at;
    for (int i = offset; i < offset + digits; i++) {
      int digit = text[i] < BASE64.length ? BASE64[text[i]] : -1;
      if (digit < 0) {
        throw expected("base64", text, offset, digits);
      }
      bits = bits << 6 | digit;
      pending += 6;
      if (pending >= 8) {
        pending -= 8;
        out[pos++] = (byte) (bits >> pending);
      }
    }
  }

  /** Bytes of a text in UTF-8. */
  static int utf8Bytes(char[] text, int offset, int length) throws BadTextException {
    long bytes = length;
    for (int i = offset; i < offset + length; i++) {
      char c = text[i];
      if (c < 0x80) {
        continue;
      }
      if (!Character.isSurrogate(c)) {
        bytes += c < 0x800 ? 1 : 2;
      } else if (i + 1 < offset + length && Character.isSurrogatePair(c, text[i + 1])) {
        bytes += 2;
        i++;
      } else {
        throw new BadTextException("a lone surrogate \\u%04x (expected a pair)".formatted((int) c));
      }
    }
    return Math.toIntExact(bytes);
  }

  /** Writes a text that {@link #utf8Bytes} measured. */
  static void utf8(char[] text, int offset, int length, byte[] out, int at) {
    int pos = at;
    for (int i = offset; i < offset + length; i++) {
      char c = text[i];
      if (c < 0x80) {
        out[pos++] = (byte) c;
      } else if (c < 0x800) {
        out[pos++] = (byte) (0xc0 | c >> 6);
        out[pos++] = continuation(c);
      } else if (!Character.isSurrogate(c)) {
        out[pos++] = (byte) (0xe0 | c >> 12);
        out[pos++] = continuation(c >> 6);
        out[pos++] = continuation(c);
      } else {
        int point = Character.toCodePoint(c, text[++i]);
        out[pos++] = (byte) (0xf0 | point >> 18);
        out[pos++] = continuation(point >> 12);
        out[pos++] = continuation(point >> 6);
        out[pos++] = continuation(point);
      }
    }
  }

  private static byte continuation(int bits) {
    return (byte) (0x80 | (bits & 0x3f));
  }

  private static BadTextException outOfRange(FieldKind kind, char[] text, int offset, int length) {
    return new BadTextException(
        "%s is out of range (expected %s to %s)"
            .formatted(excerpt(text, offset, length), kind.min(), kind.max()));
  }

  static BadTextException expected(String what, char[] text, int offset, int length) {
    return new BadTextException(
        "\"%s\" (expected %s)".formatted(excerpt(text, offset, length), what));
  }

  /** Short and printable: what a sender writes ends up in logs. */
  private static String excerpt(char[] text, int offset, int length) {
    int shown = Math.min(length, 40);
    StringBuilder printable = new StringBuilder(shown + 1);
    for (int i = offset; i < offset + shown; i++) {
      printable.append(text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?');
    }
    return shown < length ? printable.append('…').toString() : printable.toString();
  }
}
