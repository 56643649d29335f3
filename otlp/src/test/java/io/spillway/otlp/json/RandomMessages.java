package io.spillway.otlp.json;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.Random;

/** Makes messages of any type: every field, extreme values, empty and nested ones. */
final class RandomMessages {

  private static final int MAX_DEPTH = 16;
  private static final int[] CODE_POINTS = {
    0, '\n', '"', '\\', 'a', 'z', 0x7f, 0xe9, 0x20ac, 0x1f642
  };

  private final Random random;

  RandomMessages(Random random) {
    this.random = random;
  }

  Message next(Message prototype) {
    return fill(prototype.newBuilderForType(), 0);
  }

  private Message fill(Message.Builder builder, int depth) {
    for (FieldDescriptor field : builder.getDescriptorForType().getFields()) {
      boolean message = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
      if (message && (depth >= MAX_DEPTH || (depth > 6 && random.nextInt(3) != 0))) {
        continue;
      }
      // Members of a oneof replace each other: the last one stays.
      if (field.isRepeated()) {
        int count = random.nextInt(depth < 6 ? 4 : 3);
        for (int i = 0; i < count; i++) {
          builder.addRepeatedField(field, value(builder, field, depth));
        }
      } else if (random.nextInt(3) != 0) {
        builder.setField(field, value(builder, field, depth));
      }
    }
    return builder.build();
  }

  private Object value(Message.Builder builder, FieldDescriptor field, int depth) {
    return switch (field.getJavaType()) {
      case MESSAGE -> fill(builder.newBuilderForField(field), depth + 1);
      case STRING -> string();
      case BYTE_STRING -> ByteString.copyFrom(bytes(field));
      case BOOLEAN -> random.nextBoolean();
      case INT -> (int) integer();
      case LONG -> integer();
      case ENUM -> field.getEnumType().findValueByNumberCreatingIfUnknown((int) integer());
      case DOUBLE -> number();
      case FLOAT -> throw new AssertionError(field + ": OTLP has no float");
    };
  }

  private byte[] bytes(FieldDescriptor field) {
    int length =
        switch (field.getName()) {
          case "trace_id" -> random.nextInt(5) == 0 ? 0 : 16;
          case "span_id", "parent_span_id" -> random.nextInt(5) == 0 ? 0 : 8;
          default -> random.nextInt(10);
        };
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private String string() {
    int length = random.nextInt(20) == 0 ? 100 + random.nextInt(100) : random.nextInt(12);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.appendCodePoint(
          random.nextInt(4) == 0 ? CODE_POINTS[random.nextInt(CODE_POINTS.length)] : 'a' + i % 26);
    }
    return text.toString();
  }

  private long integer() {
    return switch (random.nextInt(6)) {
      case 0 -> 0;
      case 1 -> random.nextBoolean() ? Long.MAX_VALUE : Long.MIN_VALUE;
      case 2 -> random.nextBoolean() ? Integer.MAX_VALUE : Integer.MIN_VALUE;
      case 3 -> random.nextLong();
      default -> random.nextInt(300) - 20;
    };
  }

  private double number() {
    return switch (random.nextInt(8)) {
      case 0 -> Double.NaN;
      case 1 -> Double.POSITIVE_INFINITY;
      case 2 -> Double.NEGATIVE_INFINITY;
      case 3 -> random.nextBoolean() ? 0.0 : -0.0;
      case 4 -> random.nextBoolean() ? Double.MAX_VALUE : Double.MIN_VALUE;
      default -> random.nextGaussian() * 1000;
    };
  }
}
