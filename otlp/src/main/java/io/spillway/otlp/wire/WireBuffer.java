package io.spillway.otlp.wire;

import io.spillway.otlp.Slice;
import java.util.Arrays;

/** A growing byte array that protobuf records are written to. Reusable; belongs to one thread. */
final class WireBuffer {
  private static final int MAX_ARRAY_BYTES = Integer.MAX_VALUE - 8;

  private final int keptBytes;
  private byte[] array;
  private int size;

  /**
   * @param keptBytes room that is kept when the buffer is cleared
   */
  WireBuffer(int keptBytes) {
    this.keptBytes = keptBytes;
    this.array = new byte[Math.min(keptBytes, 256)];
  }

  /** Bytes that a varint takes. */
  static int varintSize(int value) {
    return (38 - Integer.numberOfLeadingZeros(value | 1)) / 7;
  }

  /** Bytes that a record with a one-byte tag and a body of {@code length} bytes takes. */
  static long recordSize(long length) {
    return 1 + varintSize((int) Math.min(length, Integer.MAX_VALUE)) + length;
  }

  int size() {
    return size;
  }

  byte[] array() {
    return array;
  }

  void clear() {
    size = 0;
    if (array.length > keptBytes) {
      array = new byte[keptBytes];
    }
  }

  /** Takes back everything behind the first {@code size} bytes. */
  void truncate(int size) {
    this.size = size;
  }

  void append(int value) {
    reserve(1);
    array[size++] = (byte) value;
  }

  void append(byte[] source, int from, int to) {
    reserve(to - from);
    System.arraycopy(source, from, array, size, to - from);
    size += to - from;
  }

  void append(WireBuffer other) {
    append(other.array, 0, other.size);
  }

  /** Appends a length-delimited field. */
  void appendRecord(int tag, WireBuffer body) {
    append(tag);
    int bytes = varintSize(body.size);
    reserve(bytes);
    size += bytes;
    putVarint(size - bytes, body.size);
    append(body);
  }

  /**
   * Begins a length-delimited field of yet unknown length. Returns where its body begins, for
   * {@link #close}.
   *
   * @param lengthBytes room left for the length; the body moves if it turns out to be wrong
   */
  int open(int tag, int lengthBytes) {
    append(tag);
    reserve(lengthBytes);
    size += lengthBytes;
    return size;
  }

  /** Ends the field that {@link #open} began. */
  void close(int bodyStart, int lengthBytes) {
    int length = size - bodyStart;
    int actual = varintSize(length);
    if (actual != lengthBytes) {
      reserve(Math.max(0, actual - lengthBytes));
      System.arraycopy(array, bodyStart, array, bodyStart - lengthBytes + actual, length);
      size += actual - lengthBytes;
    }
    putVarint(bodyStart - lengthBytes, length);
  }

  /** A copy of the contents. */
  Slice toSlice() {
    return size == 0 ? Slice.EMPTY : Slice.of(Arrays.copyOf(array, size));
  }

  private void putVarint(int at, int value) {
    int i = at;
    int rest = value;
    while (rest >>> 7 != 0) {
      array[i++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    array[i] = (byte) rest;
  }

  private void reserve(int bytes) {
    int needed = Math.addExact(size, bytes);
    if (needed > array.length) {
      array = Arrays.copyOf(array, (int) Math.max(needed, Math.min(2L * needed, MAX_ARRAY_BYTES)));
    }
  }
}
