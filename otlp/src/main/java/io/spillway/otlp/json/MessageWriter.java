package io.spillway.otlp.json;

import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Protobuf bytes in one growing array, never more than a limit. For one thread.
 *
 * <p>A length-delimited record is opened, filled and closed; one byte is set aside for its length,
 * and a body of 128 bytes or more is moved up when it is closed. A byte moves at most once per
 * record around it.
 */
final class MessageWriter {

  private static final VarHandle INT_LE =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG_LE =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int MAX_VARINT_BYTES = 10;

  private final int maxBytes;
  private byte[] array;
  private int length;

  MessageWriter(int expectedBytes, int maxBytes) {
    this.maxBytes = maxBytes;
    this.array = new byte[Math.min(expectedBytes, maxBytes)];
  }

  /** Opens a length-delimited record; returns what {@link #close} wants to know. */
  int open(int tag) throws PayloadTooLargeException {
    varint(tag);
    reserve(1);
    return ++length;
  }

  /** Closes the record opened last. */
  void close(int start) throws PayloadTooLargeException {
    int body = length - start;
    int more = varintBytes(body) - 1;
    if (more > 0) {
      reserve(more);
      System.arraycopy(array, start, array, start + more, body);
      length += more;
    }
    putVarint(start - 1, body);
  }

  void varint(long value) throws PayloadTooLargeException {
    int bytes = varintBytes(value);
    reserve(bytes);
    putVarint(length, value);
    length += bytes;
  }

  void fixed32(int value) throws PayloadTooLargeException {
    reserve(Integer.BYTES);
    INT_LE.set(array, length, value);
    length += Integer.BYTES;
  }

  void fixed64(long value) throws PayloadTooLargeException {
    reserve(Long.BYTES);
    LONG_LE.set(array, length, value);
    length += Long.BYTES;
  }

  /** Makes room for {@code bytes} and returns where; the caller fills {@link #array} there. */
  int advance(int bytes) throws PayloadTooLargeException {
    reserve(bytes);
    int at = length;
    length += bytes;
    return at;
  }

  /** The array at this moment: every other method may replace it. */
  byte[] array() {
    return array;
  }

  /** What was written. The writer must not be used after. */
  Slice finish() {
    boolean copy = length < array.length - array.length / 8;
    return copy ? Slice.of(Arrays.copyOf(array, length)) : new Slice(array, 0, length);
  }

  private void reserve(int bytes) throws PayloadTooLargeException {
    long needed = (long) length + bytes;
    if (needed <= array.length) {
      return;
    }
    if (needed > maxBytes) {
      throw new PayloadTooLargeException(
          "request: more than %d bytes as protobuf (expected at most that)".formatted(maxBytes));
    }
    array = Arrays.copyOf(array, (int) Math.min(maxBytes, Math.max(needed, array.length * 2L)));
  }

  private void putVarint(int at, long value) {
    int pos = at;
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      array[pos++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    array[pos] = (byte) rest;
  }

  private static int varintBytes(long value) {
    return value < 0 ? MAX_VARINT_BYTES : (70 - Long.numberOfLeadingZeros(value | 1)) / 7;
  }
}
