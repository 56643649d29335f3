package io.spillway.otlp.wire;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Looks up attributes of the resource of one record, on bytes. All {@code resource} fields of the
 * record count, wherever they stand (protobuf merges them); the last attribute of a name wins.
 */
final class ResourceAttributes {
  private final FieldCursor records = new FieldCursor();
  private final FieldCursor resourceRecord = new FieldCursor();
  private final FieldCursor resource = new FieldCursor();
  private final FieldCursor keyValue = new FieldCursor();
  private final FieldCursor anyValue = new FieldCursor();

  /** Searches the record, tag and length included, that stands in {@code [from, to)}. */
  @Nullable String find(byte[] buf, int from, int to, String key) {
    byte[] wanted = key.getBytes(StandardCharsets.UTF_8);
    String found = null;
    records.over(buf, from, to).next();
    resourceRecord.into(records);
    while (resourceRecord.next()) {
      if (resourceRecord.isLen(1)) {
        resource.into(resourceRecord);
        while (resource.next()) {
          if (resource.isLen(1) && hasKey(buf, wanted)) {
            found = value(buf);
          }
        }
      }
    }
    return found;
  }

  private boolean hasKey(byte[] buf, byte[] wanted) {
    boolean matches = wanted.length == 0;
    keyValue.into(resource);
    while (keyValue.next()) {
      if (keyValue.isLen(1)) {
        matches = Arrays.equals(buf, keyValue.value(), keyValue.end(), wanted, 0, wanted.length);
      }
    }
    return matches;
  }

  /** AnyValue is a oneof: of all members in all {@code value} fields, the last one counts. */
  private @Nullable String value(byte[] buf) {
    String text = null;
    keyValue.into(resource);
    while (keyValue.next()) {
      if (keyValue.isLen(2)) {
        anyValue.into(keyValue);
        while (anyValue.next()) {
          if (isMember()) {
            text = member(buf);
          }
        }
      }
    }
    return text;
  }

  private boolean isMember() {
    return anyValue.isLen(1)
        || anyValue.isVarint(2)
        || anyValue.isVarint(3)
        || anyValue.isFixed64(4)
        || anyValue.isLen(5)
        || anyValue.isLen(6)
        || anyValue.isLen(7)
        || anyValue.isVarint(8);
  }

  private @Nullable String member(byte[] buf) {
    return switch (anyValue.number()) {
      case 1 -> new String(buf, anyValue.value(), anyValue.valueSize(), StandardCharsets.UTF_8);
      case 2 -> Boolean.toString(anyValue.varint() != 0);
      case 3 -> Long.toString(anyValue.varint());
      case 4 -> Double.toString(Double.longBitsToDouble(anyValue.fixed64()));
      default -> null;
    };
  }
}
