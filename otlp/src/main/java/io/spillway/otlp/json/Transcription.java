package io.spillway.otlp.json;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.json.MessageType.Field;
import io.spillway.otlp.json.ScalarText.BadTextException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.sym.PropertyNameMatcher;

/**
 * One pass over one JSON request. Knows at each moment which field it is in, to name it when
 * something is wrong. For one use, on one thread.
 *
 * <p>It calls itself once per nested message, and nesting is limited; what stands under unknown
 * keys is skipped without recursion.
 */
final class Transcription {

  /**
   * Messages inside each other, the request itself not counted: the limit of protobuf libraries
   * (protobuf-java, C++), so what passes here is readable behind Spillway.
   */
  static final int MAX_MESSAGE_DEPTH = 100;

  private static final long ONEOF_SEEN = 1L << MessageType.MAX_FIELDS;
  private static final int NO_INDEX = -1;

  private final JsonParser parser;
  private final MessageWriter out;
  private final @Nullable Field[] pathFields = new @Nullable Field[MAX_MESSAGE_DEPTH + 1];
  private final int[] pathIndexes = new int[MAX_MESSAGE_DEPTH + 1];
  private int pathLength;

  Transcription(JsonParser parser, MessageWriter out) {
    this.parser = parser;
    this.out = out;
  }

  void request(MessageType type) throws MalformedRequestException, PayloadTooLargeException {
    JsonToken first = parser.nextToken();
    if (first == null) {
      throw malformed("empty (expected an object; an empty request is {})");
    }
    if (first != JsonToken.START_OBJECT) {
      throw malformed("%s (expected an object)".formatted(describe(first)));
    }
    message(type, 0);
    if (parser.nextToken() != null) {
      throw malformed("more after the end of the request (expected nothing)");
    }
  }

  /** The object whose start was read, up to its end. */
  private void message(MessageType type, int depth)
      throws MalformedRequestException, PayloadTooLargeException {
    PropertyNameMatcher keys = type.keys();
    long seen = 0;
    while (true) {
      pathLength = depth;
      int match = parser.nextNameMatch(keys);
      if (match == PropertyNameMatcher.MATCH_END_OBJECT) {
        return;
      }
      if (match < 0) {
        parser.nextToken();
        parser.skipChildren();
        continue;
      }
      Field field = type.field(match);
      pathFields[depth] = field;
      pathIndexes[depth] = NO_INDEX;
      pathLength = depth + 1;
      if ((seen & 1L << match) != 0) {
        throw malformed("the key is there twice (expected once)");
      }
      seen |= 1L << match;
      JsonToken token = parser.nextToken();
      if (token == JsonToken.VALUE_NULL) {
        continue;
      }
      if (field.inOneof()) {
        if ((seen & ONEOF_SEEN) != 0) {
          throw malformed("a second value (expected one of %s)".formatted(oneofKeys(type)));
        }
        seen |= ONEOF_SEEN;
      }
      field(field, token, depth);
    }
  }

  private void field(Field field, JsonToken token, int depth)
      throws MalformedRequestException, PayloadTooLargeException {
    if (!field.repeated()) {
      value(field, token, depth);
      return;
    }
    if (token != JsonToken.START_ARRAY) {
      throw malformed("%s (expected an array)".formatted(describe(token)));
    }
    JsonToken element = parser.nextToken();
    if (element == JsonToken.END_ARRAY) {
      return;
    }
    int start = field.packed() ? out.open(field.tag()) : 0;
    do {
      pathIndexes[depth]++;
      if (element == JsonToken.VALUE_NULL) {
        throw malformed("null in an array (expected a value)");
      }
      value(field, element, depth);
      element = parser.nextToken();
    } while (element != JsonToken.END_ARRAY);
    if (field.packed()) {
      out.close(start);
    }
  }

  private void value(Field field, JsonToken token, int depth)
      throws MalformedRequestException, PayloadTooLargeException {
    try {
      switch (field.kind()) {
        case MESSAGE -> nested(field, token, depth);
        case STRING -> string(field, token);
        case BYTES -> bytes(field, token);
        case TRACE_ID, SPAN_ID -> id(field, token);
        case BOOL -> bool(field, token);
        case DOUBLE -> number64(field, Double.doubleToRawLongBits(readDouble(token)));
        case FIXED64, SFIXED64 -> number64(field, readInteger(field, token));
        case FIXED32 -> fixed32(field, (int) readInteger(field, token));
        case SINT32 -> {
          int value = (int) readInteger(field, token);
          varint(field, (value << 1 ^ value >> 31) & 0xffff_ffffL);
        }
        case ENUM, INT32, UINT32, INT64, UINT64 -> varint(field, readInteger(field, token));
      }
    } catch (BadTextException e) {
      throw malformed(Objects.requireNonNull(e.getMessage()));
    }
  }

  private void nested(Field field, JsonToken token, int depth)
      throws MalformedRequestException, PayloadTooLargeException {
    if (token != JsonToken.START_OBJECT) {
      throw malformed("%s (expected an object)".formatted(describe(token)));
    }
    if (depth == MAX_MESSAGE_DEPTH) {
      throw malformed("nested too deep (expected at most %d levels)".formatted(MAX_MESSAGE_DEPTH));
    }
    int start = out.open(field.tag());
    message(Objects.requireNonNull(field.type()), depth + 1);
    pathLength = depth + 1;
    out.close(start);
  }

  private void string(Field field, JsonToken token)
      throws MalformedRequestException, PayloadTooLargeException, BadTextException {
    expectString(token, "a string");
    char[] text = parser.getStringCharacters();
    int offset = parser.getStringOffset();
    int length = parser.getStringLength();
    int utf8Bytes = ScalarText.utf8Bytes(text, offset, length);
    if (utf8Bytes == 0 && field.omitsDefault()) {
      return;
    }
    int at = record(field, utf8Bytes);
    ScalarText.utf8(text, offset, length, out.array(), at);
  }

  private void bytes(Field field, JsonToken token)
      throws MalformedRequestException, PayloadTooLargeException, BadTextException {
    expectString(token, "a base64 string");
    char[] text = parser.getStringCharacters();
    int offset = parser.getStringOffset();
    int digits = ScalarText.base64Digits(text, offset, parser.getStringLength());
    int at = record(field, (int) (digits * 6L / 8));
    ScalarText.base64(text, offset, digits, out.array(), at);
  }

  private void id(Field field, JsonToken token)
      throws MalformedRequestException, PayloadTooLargeException, BadTextException {
    expectString(token, "a hex string");
    int bytes = ScalarText.idBytes(field.kind(), parser.getStringLength());
    if (bytes == 0) {
      return;
    }
    int at = record(field, bytes);
    ScalarText.hex(parser.getStringCharacters(), parser.getStringOffset(), out.array(), at, bytes);
  }

  private int record(Field field, int bytes) throws PayloadTooLargeException {
    out.varint(field.tag());
    out.varint(bytes);
    return out.advance(bytes);
  }

  private void bool(Field field, JsonToken token)
      throws MalformedRequestException, PayloadTooLargeException {
    if (token != JsonToken.VALUE_TRUE && token != JsonToken.VALUE_FALSE) {
      throw malformed("%s (expected true or false)".formatted(describe(token)));
    }
    varint(field, token == JsonToken.VALUE_TRUE ? 1 : 0);
  }

  private double readDouble(JsonToken token) throws MalformedRequestException, BadTextException {
    return switch (token) {
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> ScalarText.finite(parser.getDoubleValue());
      case VALUE_STRING ->
          ScalarText.quotedDouble(
              parser.getStringCharacters(), parser.getStringOffset(), parser.getStringLength());
      default -> throw malformed("%s (expected a number)".formatted(describe(token)));
    };
  }

  private long readInteger(Field field, JsonToken token)
      throws MalformedRequestException, BadTextException {
    if (token != JsonToken.VALUE_NUMBER_INT
        && token != JsonToken.VALUE_NUMBER_FLOAT
        && token != JsonToken.VALUE_STRING) {
      throw malformed("%s (expected an integer)".formatted(describe(token)));
    }
    char[] text = parser.getStringCharacters();
    int offset = parser.getStringOffset();
    int length = parser.getStringLength();
    if (field.kind() == FieldKind.ENUM && length > 0 && Character.isLetter(text[offset])) {
      // OTLP §JSON Protobuf Encoding: enum names must not be used.
      throw ScalarText.expected("the enum's number, not its name", text, offset, length);
    }
    return ScalarText.integer(field.kind(), text, offset, length);
  }

  private void varint(Field field, long value) throws PayloadTooLargeException {
    if (writesTag(field, value)) {
      out.varint(value);
    }
  }

  private void number64(Field field, long bits) throws PayloadTooLargeException {
    if (writesTag(field, bits)) {
      out.fixed64(bits);
    }
  }

  private void fixed32(Field field, int bits) throws PayloadTooLargeException {
    if (writesTag(field, bits)) {
      out.fixed32(bits);
    }
  }

  /** Whether the value is to be written; its tag is then, unless it is packed. */
  private boolean writesTag(Field field, long value) throws PayloadTooLargeException {
    if (value == 0 && field.omitsDefault()) {
      return false;
    }
    if (!field.packed()) {
      out.varint(field.tag());
    }
    return true;
  }

  private void expectString(JsonToken token, String what) throws MalformedRequestException {
    if (token != JsonToken.VALUE_STRING) {
      throw malformed("%s (expected %s)".formatted(describe(token), what));
    }
  }

  private static String oneofKeys(MessageType type) {
    return String.join(
        ", ", type.fields().stream().filter(Field::inOneof).map(Field::key).toList());
  }

  private static String describe(JsonToken token) {
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "a string";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
      case VALUE_NULL -> "null";
      default -> token == JsonToken.VALUE_TRUE ? "true" : "false";
    };
  }

  private MalformedRequestException malformed(String what) {
    return malformed(what, parser.currentTokenLocation());
  }

  /** Names the field that is being read, and where it stands. */
  MalformedRequestException malformed(String what, @Nullable TokenStreamLocation known) {
    // The parser's own limits are reported without a place.
    TokenStreamLocation location = known != null ? known : parser.currentLocation();
    StringBuilder message = new StringBuilder("request: bad JSON: ");
    for (int i = 0; i < pathLength; i++) {
      message.append(i == 0 ? "" : ".").append(Objects.requireNonNull(pathFields[i]).key());
      if (pathIndexes[i] != NO_INDEX) {
        message.append('[').append(pathIndexes[i]).append(']');
      }
    }
    message.append(pathLength == 0 ? "" : ": ").append(what);
    message.append(" (line ").append(location.getLineNr());
    message.append(", column ").append(location.getColumnNr()).append(')');
    return new MalformedRequestException(message.toString());
  }
}
