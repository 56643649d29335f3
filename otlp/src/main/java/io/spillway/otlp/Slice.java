package io.spillway.otlp;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * A range of a byte array. The array belongs to whoever made it and is not written again once the
 * slice was handed on, so a slice may be kept and shared between threads; it keeps the whole array
 * alive.
 */
public final class Slice {
  public static final Slice EMPTY = new Slice(new byte[0], 0, 0);

  private final byte[] array;
  private final int offset;
  private final int length;

  public Slice(byte[] array, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, array.length);
    this.array = array;
    this.offset = offset;
    this.length = length;
  }

  public static Slice of(byte[] array) {
    return new Slice(array, 0, array.length);
  }

  public byte[] array() {
    return array;
  }

  public int offset() {
    return offset;
  }

  /** Bytes in the range. */
  public int length() {
    return length;
  }

  public boolean isEmpty() {
    return length == 0;
  }

  /** The range {@code [from, from + length)} of this slice, without copying. */
  public Slice sub(int from, int length) {
    Objects.checkFromIndexSize(from, length, this.length);
    return new Slice(array, offset + from, length);
  }

  /** The ranges one after the other, in an array of their own. */
  public static Slice concat(List<Slice> slices) {
    byte[] to = new byte[slices.stream().mapToInt(Slice::length).sum()];
    int at = 0;
    for (Slice slice : slices) {
      at = slice.copyTo(to, at);
    }
    return of(to);
  }

  /** Copies the bytes to an array, from an offset on; the offset behind them. */
  public int copyTo(byte[] to, int at) {
    System.arraycopy(array, offset, to, at, length);
    return at + length;
  }

  /** Bytes of memory that are kept alive: those of the whole array. */
  public int retainedBytes() {
    return array.length;
  }

  /** A copy of the bytes. */
  public byte[] toByteArray() {
    return Arrays.copyOfRange(array, offset, offset + length);
  }

  @Override
  public String toString() {
    return "Slice[" + length + " bytes]";
  }
}
