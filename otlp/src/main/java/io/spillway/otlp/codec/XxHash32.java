package io.spillway.otlp.codec;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** The checksum of LZ4 frames: xxHash with 32 bits and seed 0 (xxhash_spec.md). */
final class XxHash32 {
  private static final VarHandle INT_LE =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int PRIME_1 = 0x9e37_79b1;
  private static final int PRIME_2 = 0x85eb_ca77;
  private static final int PRIME_3 = 0xc2b2_ae3d;
  private static final int PRIME_4 = 0x27d4_eb2f;
  private static final int PRIME_5 = 0x1656_67b1;

  /** The sum of the first two, modulo 2^32. */
  private static final int FIRST_LANE = 0x2423_4428;

  /** Four lanes of four bytes. */
  private static final int STRIPE_BYTES = 16;

  private XxHash32() {}

  static int of(byte[] bytes, int offset, int length) {
    int end = offset + length;
    int pos = offset;
    int hash = PRIME_5;
    if (length >= STRIPE_BYTES) {
      int a = FIRST_LANE;
      int b = PRIME_2;
      int c = 0;
      int d = -PRIME_1;
      for (; end - pos >= STRIPE_BYTES; pos += STRIPE_BYTES) {
        a = round(a, (int) INT_LE.get(bytes, pos));
        b = round(b, (int) INT_LE.get(bytes, pos + 4));
        c = round(c, (int) INT_LE.get(bytes, pos + 8));
        d = round(d, (int) INT_LE.get(bytes, pos + 12));
      }
      hash =
          Integer.rotateLeft(a, 1)
              + Integer.rotateLeft(b, 7)
              + Integer.rotateLeft(c, 12)
              + Integer.rotateLeft(d, 18);
    }
    hash += length;
    for (; end - pos >= Integer.BYTES; pos += Integer.BYTES) {
      hash = Integer.rotateLeft(hash + (int) INT_LE.get(bytes, pos) * PRIME_3, 17) * PRIME_4;
    }
    for (; pos < end; pos++) {
      hash = Integer.rotateLeft(hash + (bytes[pos] & 0xff) * PRIME_5, 11) * PRIME_1;
    }
    return avalanche(hash);
  }

  private static int round(int lane, int input) {
    return Integer.rotateLeft(lane + input * PRIME_2, 13) * PRIME_1;
  }

  private static int avalanche(int hash) {
    int mixed = (hash ^ hash >>> 15) * PRIME_2;
    mixed = (mixed ^ mixed >>> 13) * PRIME_3;
    return mixed ^ mixed >>> 16;
  }
}
