package io.spillway.otlp.codec;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Reads little-endian numbers off a slice, and never beyond it. For one thread. */
final class ByteReader {
  private static final VarHandle INT_LE =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private final String encoding;
  private final byte[] bytes;
  private final int end;
  private int pos;

  ByteReader(String encoding, Slice slice) {
    this(encoding, slice.array(), slice.offset(), slice.offset() + slice.length());
  }

  private ByteReader(String encoding, byte[] bytes, int pos, int end) {
    this.encoding = encoding;
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }

  byte[] array() {
    return bytes;
  }

  /** Where in the array the next byte stands. */
  int position() {
    return pos;
  }

  int remaining() {
    return end - pos;
  }

  boolean isAtEnd() {
    return pos == end;
  }

  /** The next byte, unsigned. */
  int u8() throws MalformedRequestException {
    require(1);
    return bytes[pos++] & 0xff;
  }

  int u16() throws MalformedRequestException {
    return u8() | u8() << 8;
  }

  int u24() throws MalformedRequestException {
    return u16() | u8() << 16;
  }

  int i32() throws MalformedRequestException {
    require(Integer.BYTES);
    int value = (int) INT_LE.get(bytes, pos);
    pos += Integer.BYTES;
    return value;
  }

  long u32() throws MalformedRequestException {
    return i32() & 0xffff_ffffL;
  }

  long i64() throws MalformedRequestException {
    return u32() | (long) i32() << 32;
  }

  void skip(long count) throws MalformedRequestException {
    require(count);
    pos += (int) count;
  }

  /** A reader of the next bytes, which are skipped here. */
  ByteReader part(int count) throws MalformedRequestException {
    require(count);
    ByteReader part = new ByteReader(encoding, bytes, pos, pos + count);
    pos += count;
    return part;
  }

  private void require(long count) throws MalformedRequestException {
    if (count < 0 || count > end - pos) {
      throw Decompression.malformed(encoding, "truncated");
    }
  }
}
