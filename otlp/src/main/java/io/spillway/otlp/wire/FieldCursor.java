package io.spillway.otlp.wire;

import static io.spillway.otlp.wire.WireSchema.FIXED32;
import static io.spillway.otlp.wire.WireSchema.FIXED64;
import static io.spillway.otlp.wire.WireSchema.GROUP_END;
import static io.spillway.otlp.wire.WireSchema.GROUP_START;
import static io.spillway.otlp.wire.WireSchema.LEN;
import static io.spillway.otlp.wire.WireSchema.VARINT;

import io.spillway.otlp.Slice;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Walks over the fields of one message of a request that a {@link RequestScanner} found valid.
 * Offsets are those of the array. Reusable; belongs to one thread.
 */
public final class FieldCursor {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private byte[] buf = Slice.EMPTY.array();
  private int limit;
  private int start;
  private int tag;
  private int value;
  private int end;

  /** Starts over, in front of the first field in {@code [from, to)}. */
  public FieldCursor over(byte[] array, int from, int to) {
    buf = array;
    limit = to;
    end = from;
    return this;
  }

  /** Starts over, in front of the first field of the message that {@code parent} stands on. */
  FieldCursor into(FieldCursor parent) {
    return over(parent.buf, parent.value, parent.end);
  }

  /** A new cursor at the same place. */
  FieldCursor copy() {
    return new FieldCursor().over(buf, end, limit);
  }

  /** A new cursor in front of the first field of the message that this one stands on. */
  FieldCursor children() {
    return new FieldCursor().into(this);
  }

  public byte[] array() {
    return buf;
  }

  /** Steps to the next field; false at the end of the message. A group is one field. */
  public boolean next() {
    if (end == limit) {
      return false;
    }
    start = end;
    readTagAndSkip();
    if ((tag & 7) == GROUP_START) {
      skipGroup();
    }
    return true;
  }

  /**
   * Steps to the next number of a packed field whose bytes this goes over; false at the end.
   *
   * @param wireType of each number
   */
  public boolean nextPacked(int wireType) {
    if (end == limit) {
      return false;
    }
    start = end;
    value = end;
    end =
        switch (wireType) {
          case VARINT -> varintEnd(value);
          case FIXED64 -> value + Long.BYTES;
          default -> value + Integer.BYTES;
        };
    return true;
  }

  /** Whether this is the length-delimited field {@code number}. */
  boolean isLen(int number) {
    return tag == (number << 3 | LEN);
  }

  boolean isFixed64(int number) {
    return tag == (number << 3 | FIXED64);
  }

  boolean isVarint(int number) {
    return tag == (number << 3 | VARINT);
  }

  /** The field number and the wire type, as they stand in front of the value. */
  public int tag() {
    return tag;
  }

  /** The field number; only for numbers below 2^28. */
  public int number() {
    return tag >>> 3;
  }

  /** The first byte of the field's tag. */
  public int start() {
    return start;
  }

  /** The first byte of the value: behind the tag, and behind the length if there is one. */
  public int value() {
    return value;
  }

  /** The first byte behind the field. */
  public int end() {
    return end;
  }

  /** Bytes of the field, tag included. */
  public int size() {
    return end - start;
  }

  /** Bytes of the value. */
  int valueSize() {
    return end - value;
  }

  public long fixed64() {
    return (long) LONGS.get(buf, value);
  }

  public int fixed32() {
    return (int) INTS.get(buf, value);
  }

  /** The value of a varint field; bits above 64 are dropped, as protobuf does. */
  public long varint() {
    return varintAt(value);
  }

  private void readTagAndSkip() {
    tag = (int) varintAt(end);
    value = varintEnd(end);
    switch (tag & 7) {
      case VARINT -> end = varintEnd(value);
      case FIXED64 -> end = value + Long.BYTES;
      case LEN -> {
        int length = (int) varintAt(value);
        value = varintEnd(value);
        end = value + length;
      }
      case FIXED32 -> end = value + Integer.BYTES;
      default -> end = value;
    }
  }

  private void skipGroup() {
    int groupTag = tag;
    int groupValue = value;
    int depth = 1;
    while (depth > 0) {
      readTagAndSkip();
      if ((tag & 7) == GROUP_START) {
        depth++;
      } else if ((tag & 7) == GROUP_END) {
        depth--;
      }
    }
    tag = groupTag;
    value = groupValue;
  }

  private long varintAt(int at) {
    byte first = buf[at];
    if (first >= 0) {
      return first;
    }
    long result = first & 0x7f;
    int shift = 7;
    for (int i = at + 1; ; i++, shift += 7) {
      // From the tenth byte on, Java would wrap the shift around.
      result |= shift < Long.SIZE ? (long) (buf[i] & 0x7f) << shift : 0;
      if (buf[i] >= 0) {
        return result;
      }
    }
  }

  private int varintEnd(int at) {
    int i = at;
    while (buf[i] < 0) {
      i++;
    }
    return i + 1;
  }
}
