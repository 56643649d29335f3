package io.spillway.otlp.json;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** Prints messages as OTLP/JSON, in every form that a sender may choose. */
final class OtlpJsonPrinter {

  private final Random random;

  OtlpJsonPrinter(Random random) {
    this.random = random;
  }

  String print(Message message) {
    List<String> members = new ArrayList<>();
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      if (field.isRepeated() ? message.getRepeatedFieldCount(field) > 0 : isSet(message, field)) {
        members.add(key(field.getJsonName()) + ":" + space() + value(message, field));
      } else if (random.nextInt(20) == 0) {
        members.add("\"" + field.getJsonName() + "\":null");
      }
    }
    if (random.nextInt(10) == 0) {
      members.add("\"trace_id\":\"snake\"");
      members.add("\"vendor\":{\"x\":[1,null,{\"traceId\":3}],\"y\":-1.5e300}");
    }
    Collections.shuffle(members, random);
    return "{" + space() + String.join(space() + ",", members) + "}";
  }

  private boolean isSet(Message message, FieldDescriptor field) {
    boolean writeDefault = !field.hasPresence() && random.nextBoolean();
    return writeDefault || message.getAllFields().containsKey(field);
  }

  private String value(Message message, FieldDescriptor field) {
    Object value = message.getField(field);
    if (!field.isRepeated()) {
      return single(field, value);
    }
    return "["
        + String.join(",", ((List<?>) value).stream().map(v -> single(field, v)).toList())
        + "]";
  }

  private String single(FieldDescriptor field, Object value) {
    return switch (value) {
      case Message message -> print(message);
      case String text -> string(text);
      case ByteString bytes when field.getName().endsWith("_id") -> hex(bytes.toByteArray());
      case ByteString bytes -> base64(bytes.toByteArray());
      case Boolean bool -> bool.toString();
      case EnumValueDescriptor constant -> Integer.toString(constant.getNumber());
      case Double number -> number(number);
      case Long bits when isUnsigned(field) -> integer(Long.toUnsignedString(bits));
      case Integer bits when isUnsigned(field) -> integer(Integer.toUnsignedString(bits));
      default -> integer(value.toString());
    };
  }

  private static boolean isUnsigned(FieldDescriptor field) {
    return switch (field.getType()) {
      case UINT32, UINT64, FIXED32, FIXED64 -> true;
      default -> false;
    };
  }

  private String integer(String digits) {
    return switch (random.nextInt(6)) {
      case 0 -> digits;
      case 1 -> digits + ".0";
      case 2 -> "\"" + digits + "0e-1\"";
      default -> "\"" + digits + "\"";
    };
  }

  private String number(double value) {
    String text = Double.toString(value);
    return Double.isFinite(value) && random.nextInt(4) != 0 ? text : "\"" + text + "\"";
  }

  private String hex(byte[] bytes) {
    HexFormat format = random.nextBoolean() ? HexFormat.of() : HexFormat.of().withUpperCase();
    return "\"" + format.formatHex(bytes) + "\"";
  }

  private String base64(byte[] bytes) {
    Base64.Encoder encoder = random.nextBoolean() ? Base64.getEncoder() : Base64.getUrlEncoder();
    encoder = random.nextBoolean() ? encoder : encoder.withoutPadding();
    return "\"" + encoder.encodeToString(bytes) + "\"";
  }

  private String key(String name) {
    return random.nextInt(50) == 0
        ? "\"\\u%04x%s\"".formatted((int) name.charAt(0), name.substring(1))
        : "\"" + name + "\"";
  }

  private String string(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < 0x20 || (!Character.isSurrogate(c) && random.nextInt(20) == 0)) {
        json.append("\\u%04x".formatted((int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }

  private String space() {
    return random.nextInt(5) == 0 ? "\r\n\t " : "";
  }
}
