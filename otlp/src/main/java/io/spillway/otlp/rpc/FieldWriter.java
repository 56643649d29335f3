package io.spillway.otlp.rpc;

import java.io.ByteArrayOutputStream;

/** Writes the fields of one small protobuf message. For one use, on one thread. */
final class FieldWriter {

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** A varint field; left out if 0, its default. */
  FieldWriter varint(int tag, long value) {
    if (value != 0) {
      out.write(tag);
      rawVarint(value);
    }
    return this;
  }

  /** A string or bytes field; left out if empty, its default. */
  FieldWriter bytes(int tag, byte[] value) {
    return value.length == 0 ? this : message(tag, value);
  }

  /** A message field; written even if empty. */
  FieldWriter message(int tag, byte[] value) {
    out.write(tag);
    rawVarint(value.length);
    out.writeBytes(value);
    return this;
  }

  byte[] toByteArray() {
    return out.toByteArray();
  }

  private void rawVarint(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      out.write((int) (rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    out.write((int) rest);
  }
}
