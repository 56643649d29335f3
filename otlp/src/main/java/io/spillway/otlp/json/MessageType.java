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
    this.keys =
        factory.constructNameMatcher(
            fields.stream().map(field -> Named.fromString(field.key())).toList(), false);
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
