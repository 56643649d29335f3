package io.spillway.otlp.codec;

import io.spillway.otlp.Slice;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** What a stored gzip payload tells without being decompressed. Safe on any thread. */
public final class GzipMembers {
  private static final VarHandle INT_LE =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private GzipMembers() {}

  /**
   * Whether it is a single member, so that a reader who stops after the first one misses nothing.
   * The last member says how much it holds; no stored payload has empty ones.
   *
   * @param uncompressedLength bytes that the whole payload holds
   */
  public static boolean isOne(Slice gzip, int uncompressedLength) {
    return gzip.length() >= Integer.BYTES && lastLength(gzip) == uncompressedLength;
  }

  /** How much the last member says that it holds, modulo 2^32 (RFC 1952 §2.3.1, ISIZE). */
  static int lastLength(Slice gzip) {
    return (int) INT_LE.get(gzip.array(), gzip.offset() + gzip.length() - Integer.BYTES);
  }

  /**
   * Whether {@link BlockCompressor} made it, as far as one can see: it is one member, and has the
   * header of ours.
   *
   * @param uncompressedLength as above
   */
  public static boolean isOurs(Slice gzip, int uncompressedLength) {
    byte[] header = BlockCompressor.GZIP_HEADER;
    int start = gzip.offset();
    return gzip.length() >= header.length
        && isOne(gzip, uncompressedLength)
        && Arrays.equals(gzip.array(), start, start + header.length, header, 0, header.length);
  }
}
