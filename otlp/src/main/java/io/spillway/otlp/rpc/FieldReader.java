package io.spillway.otlp.rpc;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import java.nio.charset.StandardCharsets;

/**
 * Steps over the fields of one protobuf message. After {@link #next} exactly one of the value
 * methods, or {@link #skip}, is to be called. For one thread.
 */
final class FieldReader {

  private static final int VARINT = 0;
  private static final int I64 = 1;
  private static final int LEN = 2;
  private static final int START_GROUP = 3;
  private static final int END_GROUP = 4;
  private static final int I32 = 5;

  private static final int MAX_VARINT_BYTES = 10;
  private static final int MAX_GROUP_DEPTH = 100;

  private final byte[] in;
  private final int end;
  private int pos;
  private int tag;

  FieldReader(Slice message) {
    this.in = message.array();
    this.pos = message.offset();
    this.end = message.offset() + message.length();
  }

  /** Moves to the next field; false at the end of the message. */
  boolean next() throws MalformedRequestException {
    if (pos == end) {
      return false;
    }
    long read = varint();
    tag = (int) read;
    if (read != (tag & 0xffff_ffffL) || tag >>> 3 == 0) {
      throw malformed("a bad field number");
    }
    return true;
  }

  /** Field number and wire type as on the wire, for example {@code 0x0a}: field 1, LEN. */
  int tag() {
    return tag;
  }

  long varint() throws MalformedRequestException {
    long value = 0;
    for (int i = 0; i < MAX_VARINT_BYTES; i++) {
      if (pos == end) {
        throw malformed("truncated");
      }
      byte b = in[pos++];
      value |= (b & 0x7fL) << (7 * i);
      if (b >= 0) {
        return value;
      }
    }
    throw malformed("a varint of more than 10 bytes");
  }

  Slice bytes() throws MalformedRequestException {
    long length = varint();
    if (length < 0 || length > end - pos) {
      throw malformed("truncated");
    }
    Slice value = new Slice(in, pos, (int) length);
    pos += (int) length;
    return value;
  }

  /** Bytes that are not UTF-8 become U+FFFD: the text is for people. */
  String text() throws MalformedRequestException {
    Slice value = bytes();
    return new String(value.array(), value.offset(), value.length(), StandardCharsets.UTF_8);
  }

  void skip() throws MalformedRequestException {
    if ((tag & 7) == START_GROUP) {
      skipGroup();
    } else {
      skipValue();
    }
  }

  private void skipGroup() throws MalformedRequestException {
    int[] open = new int[MAX_GROUP_DEPTH];
    int depth = 0;
    open[depth++] = tag >>> 3;
    while (depth > 0) {
      if (!next()) {
        throw malformed("truncated");
      }
      switch (tag & 7) {
        case START_GROUP -> {
          if (depth == MAX_GROUP_DEPTH) {
            throw malformed("more than 100 nested groups");
          }
          open[depth++] = tag >>> 3;
        }
        case END_GROUP -> {
          if (open[--depth] != tag >>> 3) {
            throw malformed("a group closed by another's end");
          }
        }
        default -> skipValue();
      }
    }
  }

  private void skipValue() throws MalformedRequestException {
    switch (tag & 7) {
      case VARINT -> varint();
      case I64 -> skip(8);
      case LEN -> bytes();
      case I32 -> skip(4);
      default -> throw malformed("wire type " + (tag & 7));
    }
  }

  private void skip(int bytes) throws MalformedRequestException {
    if (end - pos < bytes) {
      throw malformed("truncated");
    }
    pos += bytes;
  }

  private static MalformedRequestException malformed(String what) {
    return new MalformedRequestException("response: bad protobuf: " + what);
  }
}
