package io.spillway.relay.load;

import io.spillway.otlp.Slice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes protobuf fields into a growing array. Nested messages are begun and ended; their length is
 * put in at the end. Not thread-safe.
 */
final class RequestWriter {

  private static final int VARINT = 0;
  private static final int I64 = 1;
  private static final int LEN = 2;
  private static final int I32 = 5;

  private byte[] bytes = new byte[64 * 1024];
  private int position;

  void clear() {
    position = 0;
  }

  /** A copy of what was written since {@link #clear}. */
  Slice toSlice() {
    return Slice.of(Arrays.copyOf(bytes, position));
  }

  /** Begins a nested message; the result goes to {@link #end}. */
  int begin(int field) {
    tag(field, LEN);
    return position;
  }

  void end(int start) {
    int length = position - start;
    int size = varintSize(length);
    ensure(size);
    System.arraycopy(bytes, start, bytes, start + size, length);
    position = start;
    varint(length);
    position += length;
  }

  void string(int field, String value) {
    bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  void bytes(int field, byte[] value) {
    tag(field, LEN);
    varint(value.length);
    ensure(value.length);
    System.arraycopy(value, 0, bytes, position, value.length);
    position += value.length;
  }

  /** The {@code count} low bytes of {@code value}, most significant first. */
  void id(int field, long high, long low, int count) {
    byte[] id = ByteBuffer.allocate(16).putLong(high).putLong(low).array();
    bytes(field, Arrays.copyOfRange(id, 16 - count, 16));
  }

  void integer(int field, long value) {
    tag(field, VARINT);
    varint(value);
  }

  void fixed64(int field, long value) {
    tag(field, I64);
    raw64(value);
  }

  /** Eight bytes without a tag, as in a packed field. */
  void raw64(long value) {
    ensure(Long.BYTES);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(position, value);
    position += Long.BYTES;
  }

  void fixed32(int field, int value) {
    tag(field, I32);
    ensure(Integer.BYTES);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(position, value);
    position += Integer.BYTES;
  }

  /** A {@code KeyValue} with a string. */
  void attribute(int field, String key, String value) {
    int attribute = begin(field);
    string(1, key);
    int any = begin(2);
    string(1, value);
    end(any);
    end(attribute);
  }

  /** A {@code KeyValue} with an integer. */
  void attribute(int field, String key, long value) {
    int attribute = begin(field);
    string(1, key);
    int any = begin(2);
    integer(3, value);
    end(any);
    end(attribute);
  }

  private void tag(int field, int wireType) {
    varint(((long) field << 3) | wireType);
  }

  /** A number without a tag, as in a packed field. */
  void varint(long value) {
    ensure(10);
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      bytes[position++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[position++] = (byte) rest;
  }

  private static int varintSize(int value) {
    return Math.max(1, (38 - Integer.numberOfLeadingZeros(value)) / 7);
  }

  private void ensure(int more) {
    if (position + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, position + more));
    }
  }
}
