package io.spillway.otlp.rpc;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** Reads a {@code google.rpc.Status} in JSON as far as it makes sense. */
final class StatusJson {

  private static final JsonFactory FACTORY = new JsonFactory();

  private int code;
  private String message = "";
  private @Nullable Duration retryDelay;

  private StatusJson() {}

  static RpcStatus parse(Slice json) throws MalformedRequestException {
    StatusJson status = new StatusJson();
    try (JsonParser parser =
        FACTORY.createParser(
            ObjectReadContext.empty(), json.array(), json.offset(), json.length())) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw malformed("expected an object");
      }
      status.readStatus(parser);
    } catch (JacksonException e) {
      throw malformed(e.getOriginalMessage());
    }
    return new RpcStatus(status.code, status.message, status.retryDelay);
  }

  private void readStatus(JsonParser parser) {
    for (String key = parser.nextName(); key != null; key = parser.nextName()) {
      JsonToken value = parser.nextToken();
      if (key.equals("details") && value == JsonToken.START_ARRAY) {
        readDetails(parser);
        continue;
      }
      if (key.equals("code")) {
        code = RpcStatus.canonical(parser.getValueAsLong(0));
      } else if (key.equals("message") && value == JsonToken.VALUE_STRING) {
        message = parser.getString();
      }
      parser.skipChildren();
    }
  }

  private void readDetails(JsonParser parser) {
    for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
      if (t == JsonToken.START_OBJECT) {
        readDetail(parser);
      } else {
        parser.skipChildren();
      }
    }
  }

  private void readDetail(JsonParser parser) {
    boolean isRetryInfo = false;
    Duration delay = Duration.ZERO;
    for (String key = parser.nextName(); key != null; key = parser.nextName()) {
      boolean text = parser.nextToken() == JsonToken.VALUE_STRING;
      if (text && key.equals("@type")) {
        isRetryInfo = RetryInfo.isType(parser.getString());
      } else if (text && key.equals("retryDelay")) {
        delay = RetryInfo.parseJson(parser.getString());
      }
      parser.skipChildren();
    }
    if (isRetryInfo && delay != null) {
      retryDelay = delay;
    }
  }

  private static MalformedRequestException malformed(String what) {
    return new MalformedRequestException("response: bad JSON status: " + what);
  }
}
