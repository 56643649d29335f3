package io.spillway.otlp.json;

import io.spillway.otlp.Slice;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Strict UTF-8 (RFC 3629): the JSON parser lets overlong forms and encoded surrogates pass, and
 * does not look into what it skips.
 */
final class Utf8Check {

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long NON_ASCII = 0x8080_8080_8080_8080L;

  private Utf8Check() {}

  /** Where the first byte that is not UTF-8 stands in the slice; -1 if there is none. */
  static int firstInvalid(Slice text) {
    byte[] in = text.array();
    int end = text.offset() + text.length();
    int pos = text.offset();
    while (pos < end) {
      if (end - pos >= Long.BYTES && ((long) LONG.get(in, pos) & NON_ASCII) == 0) {
        pos += Long.BYTES;
      } else if (in[pos] >= 0) {
        pos++;
      } else {
        int bytes = sequence(in, pos, end);
        if (bytes == 0) {
          return pos - text.offset();
        }
        pos += bytes;
      }
    }
    return -1;
  }

  /** The bytes of the valid sequence that starts here with a non-ASCII byte; else 0. */
  private static int sequence(byte[] in, int pos, int end) {
    int lead = in[pos] & 0xff;
    int bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || end - pos < bytes) {
      return 0;
    }
    for (int i = 1; i < bytes; i++) {
      if ((in[pos + i] & 0xc0) != 0x80) {
        return 0;
      }
    }
    int second = in[pos + 1] & 0xff;
    boolean valid =
        switch (lead) {
          case 0xe0 -> second >= 0xa0; // else overlong
          case 0xed -> second < 0xa0; // else a surrogate
          case 0xf0 -> second >= 0x90; // else overlong
          case 0xf4 -> second < 0x90; // else above U+10FFFF
          default -> true;
        };
    return valid ? bytes : 0;
  }
}
