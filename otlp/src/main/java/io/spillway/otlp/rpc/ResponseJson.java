package io.spillway.otlp.rpc;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** Reads an {@code Export<Signal>ServiceResponse} in JSON as far as it makes sense. */
final class ResponseJson {

  private static final JsonFactory FACTORY = new JsonFactory();

  private final String rejectedKey;
  private long rejected;
  private String message = "";

  private ResponseJson(Signal signal) {
    this.rejectedKey = signal.rejectedJsonKey();
  }

  static ExportResponse parse(Signal signal, Slice json) throws MalformedRequestException {
    ResponseJson response = new ResponseJson(signal);
    try (JsonParser parser =
        FACTORY.createParser(
            ObjectReadContext.empty(), json.array(), json.offset(), json.length())) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw malformed("expected an object");
      }
      response.readResponse(parser);
    } catch (JacksonException e) {
      throw malformed(e.getOriginalMessage());
    }
    return new ExportResponse(response.rejected, response.message);
  }

  private void readResponse(JsonParser parser) {
    for (String key = parser.nextName(); key != null; key = parser.nextName()) {
      if (parser.nextToken() == JsonToken.START_OBJECT && key.equals("partialSuccess")) {
        readPartialSuccess(parser);
      } else {
        parser.skipChildren();
      }
    }
  }

  private void readPartialSuccess(JsonParser parser) {
    for (String key = parser.nextName(); key != null; key = parser.nextName()) {
      JsonToken value = parser.nextToken();
      if (key.equals(rejectedKey)) {
        rejected = parser.getValueAsLong(0); // ProtoJSON writes int64 as text, and reads both
      } else if (key.equals("errorMessage") && value == JsonToken.VALUE_STRING) {
        message = parser.getString();
      }
      parser.skipChildren();
    }
  }

  private static MalformedRequestException malformed(String what) {
    return new MalformedRequestException("response: bad JSON: " + what);
  }
}
