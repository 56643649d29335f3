package io.spillway.otlp.json;

import io.spillway.otlp.Slice;
import io.spillway.otlp.json.MessageType.Field;
import io.spillway.otlp.wire.FieldCursor;
import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import java.util.Objects;
import tools.jackson.core.JsonGenerator;

/**
 * Prints the messages of one request that a scanner found valid. For one use, on one thread.
 *
 * <p>What protobuf allows and JSON does not is resolved as every protobuf reader resolves it: the
 * last of several single values counts, several single messages are one, the last member of a oneof
 * clears the others, fields may come in any order. It calls itself once per nested message; the
 * scanner limits how deep they are.
 */
final class MessagePrinter {
  private final JsonGenerator out;
  private long unknownBytes;

  MessagePrinter(JsonGenerator out) {
    this.out = out;
  }

  /** Bytes of records that are in no message's table, tags included. */
  long unknownBytes() {
    return unknownBytes;
  }

  void print(MessageType type, Slice message) {
    Contents contents = look(type, message);
    out.writeStartObject();
    for (Field field : type.fields()) {
      if (field.inOneof() ? contents.member == field.number() : contents.has(field)) {
        Slice where = field.inOneof() ? from(message, contents.memberFrom) : message;
        if (field.repeated()) {
          printAll(field, where);
        } else if (field.kind() == FieldKind.MESSAGE) {
          out.writeName(field.key());
          print(Objects.requireNonNull(field.type()), merged(field, where));
        } else {
          printLast(field, where);
        }
      }
    }
    out.writeEndObject();
  }

  /** What a first look found in a message. */
  private static final class Contents {
    long seen;
    int member;
    int memberFrom;

    boolean has(Field field) {
      return (seen & 1L << field.number()) != 0;
    }
  }

  private Contents look(MessageType type, Slice message) {
    Contents contents = new Contents();
    FieldCursor at = over(message);
    while (at.next()) {
      Field field = type.numbered(at.tag() >>> 3);
      if (field == null || !field.isOf(at.tag())) {
        unknownBytes += at.size();
        continue;
      }
      contents.seen |= 1L << field.number();
      if (field.inOneof() && contents.member != field.number()) {
        contents.member = field.number();
        contents.memberFrom = at.start();
      }
    }
    return contents;
  }

  private static FieldCursor over(Slice message) {
    return new FieldCursor()
        .over(message.array(), message.offset(), message.offset() + message.length());
  }

  /** The rest of a message from a position in its array on. */
  private static Slice from(Slice message, int position) {
    int skipped = position - message.offset();
    return message.sub(skipped, message.length() - skipped);
  }

  private static Slice value(FieldCursor at) {
    return new Slice(at.array(), at.value(), at.end() - at.value());
  }

  /** The message in a single field; several of them, one after the other, are their merger. */
  private static Slice merged(Field field, Slice message) {
    Slice first = Slice.EMPTY;
    ByteArrayOutputStream all = null;
    boolean found = false;
    FieldCursor at = over(message);
    while (at.next()) {
      if (!field.isOf(at.tag())) {
        continue;
      }
      Slice value = value(at);
      if (!found) {
        first = value;
        found = true;
        continue;
      }
      if (all == null) {
        all = new ByteArrayOutputStream(message.length());
        all.write(first.array(), first.offset(), first.length());
      }
      all.write(value.array(), value.offset(), value.length());
    }
    return all == null ? first : Slice.of(all.toByteArray());
  }

  private void printAll(Field field, Slice message) {
    out.writeName(field.key());
    out.writeStartArray();
    FieldCursor at = over(message);
    while (at.next()) {
      if (!field.isOf(at.tag())) {
        continue;
      }
      if (field.kind() == FieldKind.MESSAGE) {
        print(Objects.requireNonNull(field.type()), value(at));
      } else if ((at.tag() & 7) == FieldKind.WireType.LEN && field.kind().isPackable()) {
        printPacked(field.kind(), value(at));
      } else if (field.kind().isPackable()) {
        printNumber(field.kind(), bits(field.kind(), at));
      } else {
        printText(field.kind(), value(at));
      }
    }
    out.writeEndArray();
  }

  private void printPacked(FieldKind kind, Slice numbers) {
    FieldCursor at = over(numbers);
    while (at.nextPacked(kind.wireType())) {
      printNumber(kind, bits(kind, at));
    }
  }

  private void printLast(Field field, Slice message) {
    FieldCursor at = over(message);
    Slice text = Slice.EMPTY;
    long bits = 0;
    while (at.next()) {
      if (field.isOf(at.tag())) {
        if (field.kind().isPackable()) {
          bits = bits(field.kind(), at);
        } else {
          text = value(at);
        }
      }
    }
    boolean isDefault = bits == 0 && text.isEmpty();
    if (isDefault && field.omitsDefault()) {
      return;
    }
    out.writeName(field.key());
    if (field.kind().isPackable()) {
      printNumber(field.kind(), bits);
    } else {
      printText(field.kind(), text);
    }
  }

  /** A number as its bits, cut to its width and with its sign, as protobuf reads it. */
  private static long bits(FieldKind kind, FieldCursor at) {
    return switch (kind) {
      case DOUBLE, FIXED64, SFIXED64 -> at.fixed64();
      case FIXED32 -> at.fixed32();
      case ENUM, INT32, UINT32 -> (int) at.varint();
      case SINT32 -> {
        int zigzag = (int) at.varint();
        yield zigzag >>> 1 ^ -(zigzag & 1);
      }
      case BOOL -> at.varint() == 0 ? 0 : 1;
      case INT64, UINT64 -> at.varint();
      case MESSAGE, STRING, BYTES, TRACE_ID, SPAN_ID -> throw new AssertionError(kind);
    };
  }

  private void printNumber(FieldKind kind, long bits) {
    switch (kind) {
      case BOOL -> out.writeBoolean(bits != 0);
      case DOUBLE -> printDouble(Double.longBitsToDouble(bits));
      case ENUM, INT32, SINT32 -> out.writeNumber((int) bits);
      case UINT32, FIXED32 -> out.writeNumber(Integer.toUnsignedLong((int) bits));
      case INT64, SFIXED64 -> out.writeString(Long.toString(bits));
      case UINT64, FIXED64 -> out.writeString(Long.toUnsignedString(bits));
      case MESSAGE, STRING, BYTES, TRACE_ID, SPAN_ID -> throw new AssertionError(kind);
    }
  }

  private void printDouble(double value) {
    if (Double.isFinite(value)) {
      out.writeNumber(value);
    } else {
      out.writeString(Double.toString(value));
    }
  }

  private void printText(FieldKind kind, Slice text) {
    switch (kind) {
      case STRING -> out.writeUTF8String(text.array(), text.offset(), text.length());
      case BYTES -> out.writeBinary(text.array(), text.offset(), text.length());
      case TRACE_ID, SPAN_ID ->
          out.writeString(
              HexFormat.of().formatHex(text.array(), text.offset(), text.offset() + text.length()));
      case MESSAGE,
          BOOL,
          DOUBLE,
          ENUM,
          INT32,
          SINT32,
          UINT32,
          FIXED32,
          INT64,
          UINT64,
          FIXED64,
          SFIXED64 ->
          throw new AssertionError(kind);
    }
  }
}
