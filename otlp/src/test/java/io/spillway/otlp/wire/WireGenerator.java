package io.spillway.otlp.wire;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import io.spillway.otlp.Signal;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;

/**
 * Writes random export requests byte by byte from their descriptors: every field and value kind, in
 * any order, repeated, packed or not, with unknown fields, groups, wrong wire types and padded
 * varints. All of it is valid, unless it is nested too deep.
 */
final class WireGenerator {
  private static final List<String> STRINGS =
      List.of(
          "",
          "k",
          "service.name",
          "été",
          "日本語のテキスト",
          "😀 ok",
          "a long ASCII value, 40 bytes or so");
  private static final int MAX_BYTES = 2_000;
  private static final double ODDITY = 0.04;

  private final Random random;

  WireGenerator(Random random) {
    this.random = random;
  }

  byte[] request(Signal signal) {
    while (true) {
      int depth = random.nextInt(40) == 0 ? 90 + random.nextInt(20) : 6 + random.nextInt(6);
      byte[] request = message(Requests.descriptor(signal), depth);
      if (request.length <= MAX_BYTES) {
        return request;
      }
    }
  }

  private byte[] message(Descriptor type, int depth) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int fields = random.nextInt(depth > 12 ? 2 : 6);
    if (depth > 12) {
      deepField(out, type, depth);
    }
    for (int i = 0; i < fields; i++) {
      List<FieldDescriptor> known = type.getFields();
      FieldDescriptor field = known.get(random.nextInt(known.size()));
      if (random.nextDouble() < ODDITY) {
        odd(out, field.getNumber());
      } else if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
        scalar(out, field);
      } else if (depth > 0) {
        length(out, field.getNumber(), message(field.getMessageType(), Math.min(depth - 1, 8)));
      }
    }
    return out.toByteArray();
  }

  private void deepField(ByteArrayOutputStream out, Descriptor type, int depth) {
    List<FieldDescriptor> children =
        type.getFields().stream()
            .filter(f -> f.getJavaType() == FieldDescriptor.JavaType.MESSAGE)
            .toList();
    if (children.isEmpty() || random.nextInt(30) == 0) {
      tag(out, 50, WireSchema.GROUP_START);
      byte[] inside = message(type, depth - 1);
      out.writeBytes(inside);
      tag(out, 50, WireSchema.GROUP_END);
    } else {
      FieldDescriptor field = children.get(random.nextInt(children.size()));
      length(out, field.getNumber(), message(field.getMessageType(), depth - 1));
    }
  }

  private void scalar(ByteArrayOutputStream out, FieldDescriptor field) {
    int number = field.getNumber();
    switch (field.getType()) {
      case STRING ->
          length(
              out,
              number,
              STRINGS.get(random.nextInt(STRINGS.size())).getBytes(StandardCharsets.UTF_8));
      case BYTES -> length(out, number, bytes(random.nextInt(3) * 8));
      case FIXED64, SFIXED64, DOUBLE -> {
        if (field.isRepeated() && random.nextBoolean()) {
          length(out, number, bytes(8 * random.nextInt(4)));
        } else {
          tag(out, number, WireSchema.FIXED64);
          out.writeBytes(bytes(8));
        }
      }
      case FIXED32 -> {
        tag(out, number, WireSchema.FIXED32);
        out.writeBytes(bytes(4));
      }
      default -> {
        if (field.isRepeated() && random.nextBoolean()) {
          ByteArrayOutputStream packed = new ByteArrayOutputStream();
          for (int i = random.nextInt(4); i > 0; i--) {
            varint(packed, value(), 10);
          }
          length(out, number, packed.toByteArray());
        } else {
          tag(out, number, WireSchema.VARINT);
          varint(out, value(), 10);
        }
      }
    }
  }

  /** An unknown field, a group, or a known field with another wire type. */
  private void odd(ByteArrayOutputStream out, int known) {
    int number =
        switch (random.nextInt(4)) {
          case 0 -> known;
          case 1 -> 1 + random.nextInt(40);
          case 2 -> 1000;
          default -> 1 + random.nextInt((1 << 29) - 1);
        };
    switch (random.nextInt(5)) {
      case 0 -> {
        tag(out, number, WireSchema.VARINT);
        varint(out, value(), 10);
      }
      case 1 -> {
        tag(out, number, WireSchema.FIXED64);
        out.writeBytes(bytes(8));
      }
      case 2 -> {
        tag(out, number, WireSchema.FIXED32);
        out.writeBytes(bytes(4));
      }
      case 3 -> length(out, 100 + random.nextInt(100), bytes(random.nextInt(200)));
      default -> {
        tag(out, number, WireSchema.GROUP_START);
        if (random.nextBoolean()) {
          odd(out, known);
        }
        tag(out, number, WireSchema.GROUP_END);
      }
    }
  }

  private void length(ByteArrayOutputStream out, int number, byte[] body) {
    tag(out, number, WireSchema.LEN);
    varint(out, body.length, 5);
    out.writeBytes(body);
  }

  private void tag(ByteArrayOutputStream out, int number, int wireType) {
    varint(out, Integer.toUnsignedLong(number << 3 | wireType), 5);
  }

  private long value() {
    return switch (random.nextInt(4)) {
      case 0 -> 0;
      case 1 -> random.nextInt(4);
      case 2 -> -1L;
      default -> random.nextLong();
    };
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  /** Now and then padded with zeros, up to {@code maxBytes}. */
  private void varint(ByteArrayOutputStream out, long value, int maxBytes) {
    int padding = random.nextDouble() < ODDITY ? random.nextInt(maxBytes) : 0;
    long rest = value;
    int written = 1;
    while (rest >>> 7 != 0) {
      out.write((int) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
      written++;
    }
    padding = Math.min(padding, maxBytes - written);
    if (padding <= 0) {
      out.write((int) rest);
      return;
    }
    out.write((int) (rest | 0x80));
    for (int i = 1; i < padding; i++) {
      out.write(0x80);
    }
    out.write(0);
  }
}
