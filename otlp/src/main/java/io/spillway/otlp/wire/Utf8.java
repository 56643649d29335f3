package io.spillway.otlp.wire;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** UTF-8 validity as protobuf sees it: no overlong forms, no surrogates, at most U+10FFFF. */
final class Utf8 {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long HIGH_BITS = 0x8080808080808080L;

  private Utf8() {}

  /** Whether {@code [from, to)} is valid. Eight bytes at a time while they are ASCII. */
  static boolean isValid(byte[] buf, int from, int to) {
    int length = to - from;
    if (length < Long.BYTES) {
      return isShortAscii(buf, from, length) || isValidBytewise(buf, from, to);
    }
    for (int at = from; at <= to - Long.BYTES; at += Long.BYTES) {
      if ((word(buf, at) & HIGH_BITS) != 0) {
        return isValidBytewise(buf, at, to);
      }
    }
    // The last eight bytes overlap with what was read: its lead bytes were ASCII, so nothing is
    // cut.
    return (word(buf, to - Long.BYTES) & HIGH_BITS) == 0
        || isValidBytewise(buf, to - Long.BYTES, to);
  }

  private static long word(byte[] buf, int at) {
    return (long) LONGS.get(buf, at);
  }

  private static boolean isShortAscii(byte[] buf, int from, int length) {
    if (from <= buf.length - Long.BYTES) {
      long mask = (1L << (length << 3)) - 1;
      return (word(buf, from) & mask & HIGH_BITS) == 0;
    }
    return false;
  }

  private static boolean isValidBytewise(byte[] buf, int from, int to) {
    int at = from;
    while (at < to) {
      int lead = buf[at++];
      if (lead >= 0) {
        continue;
      }
      int continuation = continuationBytes(lead & 0xff);
      if (continuation < 0 || to - at < continuation || !isSecondByte(lead & 0xff, buf[at])) {
        return false;
      }
      for (int i = 1; i < continuation; i++) {
        if (!isContinuation(buf[at + i])) {
          return false;
        }
      }
      at += continuation;
    }
    return true;
  }

  private static int continuationBytes(int lead) {
    if (lead >= 0xc2 && lead <= 0xdf) {
      return 1;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
      return 2;
    }
    return (lead >= 0xf0 && lead <= 0xf4) ? 3 : -1;
  }

  /**
   * The second byte decides on overlong forms, surrogates and the upper end (Unicode table 3-7).
   */
  private static boolean isSecondByte(int lead, int second) {
    int value = second & 0xff;
    return switch (lead) {
      case 0xe0 -> value >= 0xa0 && value <= 0xbf;
      case 0xed -> value >= 0x80 && value <= 0x9f;
      case 0xf0 -> value >= 0x90 && value <= 0xbf;
      case 0xf4 -> value >= 0x80 && value <= 0x8f;
      default -> isContinuation(second);
    };
  }

  private static boolean isContinuation(int value) {
    return (value & 0xc0) == 0x80;
  }
}
