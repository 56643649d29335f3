package io.spillway.otlp.json;

import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.sym.PropertyNameMatcher;
import tools.jackson.core.util.Named;

/**
 * The fields of a protobuf message, found by JSON key. Types refer to each other in circles, so the
 * fields are set once after construction; then it is immutable.
 */
final class MessageType {

  /** The transcoder keeps one bit per field, and one for the oneof. */
  static final int MAX_FIELDS = 63;

  private final String name;
  private List<Field> fields = List.of();
  private Field[] byIndex = {};
  private @Nullable Field[] byNumber = {};
  private @Nullable PropertyNameMatcher keys;

  MessageType(String name) {
    this.name = name;
  }

  void define(List<Field> fields, JsonFactory factory) {
    if (fields.size() > MAX_FIELDS) {
      throw new IllegalArgumentException(name + ": more than " + MAX_FIELDS + " fields");
    }
    this.fields = List.copyOf(fields);
    this.byIndex = fields.toArray(Field[]::new);
    this.byNumber = byNumber(fields);
    this.keys =
        factory.constructNameMatcher(
            fields.stream().map(field -> Named.fromString(field.key())).toList(), false);
  }

  private @Nullable Field[] byNumber(List<Field> fields) {
    @Nullable Field[] found = new @Nullable Field[MAX_FIELDS + 1];
    for (Field field : fields) {
      if (field.number() > MAX_FIELDS) {
        throw new IllegalArgumentException(name + ": a field number above " + MAX_FIELDS);
      }
      found[field.number()] = field;
    }
    return found;
  }

  String name() {
    return name;
  }

  List<Field> fields() {
    return fields;
  }

  /** Matches keys to indexes for {@link #field}. */
  PropertyNameMatcher keys() {
    PropertyNameMatcher defined = keys;
    if (defined == null) {
      throw new IllegalStateException(name + ": not defined");
    }
    return defined;
  }

  Field field(int index) {
    return byIndex[index];
  }

  /** The field with this number on the wire; null if the message has none. */
  @Nullable Field numbered(int number) {
    return number >= 0 && number < byNumber.length ? byNumber[number] : null;
  }

  /**
   * A field.
   *
   * @param key in JSON
   * @param presence whether a default value is written
   * @param type of a message field, else null
   */
  record Field(
      String key,
      int number,
      FieldKind kind,
      boolean repeated,
      Presence presence,
      @Nullable MessageType type) {

    boolean packed() {
      return repeated && kind.isPackable();
    }

    /** Field number and wire type. */
    int tag() {
      return number << 3 | (packed() ? FieldKind.WireType.LEN : kind.wireType());
    }

    boolean inOneof() {
      return presence == Presence.ONEOF;
    }

    /**
     * Whether a record with this tag holds it; numbers may be packed or not, as the sender likes.
     */
    boolean isOf(int tag) {
      int wireType = tag & 7;
      return tag >>> 3 == number
          && (wireType == kind.wireType()
              || (wireType == FieldKind.WireType.LEN && repeated && kind.isPackable()));
    }

    /** A single default value that needs no place on the wire. */
    boolean omitsDefault() {
      return presence == Presence.IMPLICIT && !repeated;
    }
  }

  /** Protobuf field presence. OTLP has at most one oneof in a message. */
  enum Presence {
    IMPLICIT,
    OPTIONAL,
    ONEOF
  }
}
