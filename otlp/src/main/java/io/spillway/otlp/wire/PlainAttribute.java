package io.spillway.otlp.wire;

/**
 * Recognizes, in straight-line code, the KeyValue that nearly all attributes are: an ASCII key,
 * then a string, number or boolean, nothing else, all lengths below 128. Half of a span is made of
 * them. Says nothing about others: the scanner's loop decides.
 */
final class PlainAttribute {
  /** Levels of nesting in it: the KeyValue and its AnyValue. */
  static final int LEVELS = 2;

  private static final int KEY = 1 << 3 | WireSchema.LEN;
  private static final int VALUE = 2 << 3 | WireSchema.LEN;
  private static final int STRING_VALUE = 1 << 3 | WireSchema.LEN;
  private static final int BOOL_VALUE = 2 << 3 | WireSchema.VARINT;
  private static final int INT_VALUE = 3 << 3 | WireSchema.VARINT;
  private static final int DOUBLE_VALUE = 4 << 3 | WireSchema.FIXED64;

  /** A key's tag and length, a value's tag and length, a member's tag and one byte. */
  private static final int MIN_BYTES = 6;

  private PlainAttribute() {}

  /** Whether the body of a KeyValue is plain, and then it is valid. */
  static boolean isPlain(byte[] buf, int from, int to) {
    if (to - from < MIN_BYTES || buf[from] != KEY || buf[from + 1] < 0) {
      return false;
    }
    int valueTag = from + 2 + buf[from + 1];
    if (valueTag > to - 4 || buf[valueTag] != VALUE) {
      return false;
    }
    int member = valueTag + 2;
    return to - member == buf[valueTag + 1]
        && isPlainMember(buf, member, to)
        && Utf8.isValid(buf, from + 2, valueTag);
  }

  private static boolean isPlainMember(byte[] buf, int tag, int to) {
    int value = tag + 1;
    return switch (buf[tag]) {
      case STRING_VALUE -> to - value - 1 == buf[value] && Utf8.isValid(buf, value + 1, to);
      case INT_VALUE, BOOL_VALUE -> isSmallVarint(buf, value, to);
      case DOUBLE_VALUE -> to - value == Long.BYTES;
      default -> false;
    };
  }

  private static boolean isSmallVarint(byte[] buf, int from, int to) {
    int last = to - 1;
    for (int i = from; i < last; i++) {
      if (buf[i] >= 0) {
        return false;
      }
    }
    return buf[last] >= 0 && to - from <= 10;
  }
}
