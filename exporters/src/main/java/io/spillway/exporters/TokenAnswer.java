package io.spillway.exporters;

import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.ErrorClass;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** Reads what a token endpoint answers (RFC 6749 §5.1, §5.2). */
final class TokenAnswer {
  private static final JsonFactory FACTORY = new JsonFactory();

  /** What {@code expires_in} may say; more is cut. */
  private static final long MAX_SECONDS = TimeUnit.DAYS.toSeconds(365);

  private TokenAnswer() {}

  /**
   * @param secrets what was sent and may come back in the server's words
   */
  static Token read(HttpAnswer answer, String place, Headers secrets) throws TokenException {
    int code = answer.status().code();
    Map<String, String> members = members(answer.body());
    if (code != 200) {
      throw refused(code, members, place, secrets);
    }
    String value = members.get("access_token");
    String type = members.getOrDefault("token_type", "bearer");
    if (value == null || !Secret.PRINTABLE.matcher(value).matches() || answer.truncated()) {
      throw new TokenException(
          ErrorClass.AUTH, "no token from " + place + ": its answer holds no access_token");
    }
    if (!type.toLowerCase(Locale.ROOT).equals("bearer")) {
      throw new TokenException(
          ErrorClass.AUTH,
          "no token from %s: its token_type is %s (expected bearer)"
              .formatted(place, SinkWords.clean(type)));
    }
    return new Token(value, lifetimeNanos(members.get("expires_in")));
  }

  private static TokenException refused(
      int code, Map<String, String> members, String place, Headers secrets) {
    String error = members.getOrDefault("error", "");
    String description = members.getOrDefault("error_description", "");
    String words =
        SinkWords.clean(secrets.redact(description.isEmpty() ? error : error + ": " + description));
    boolean heals = code == 429 || code >= 500;
    return new TokenException(
        heals ? ErrorClass.CONNECT : ErrorClass.AUTH,
        "no token from " + place + ": HTTP " + code + (words.isEmpty() ? "" : " " + words));
  }

  private static long lifetimeNanos(@Nullable String seconds) {
    try {
      long valid = seconds == null ? 0 : (long) Double.parseDouble(seconds);
      return valid > 0 ? TimeUnit.SECONDS.toNanos(Math.min(valid, MAX_SECONDS)) : Token.ENDLESS;
    } catch (NumberFormatException e) {
      return Token.ENDLESS;
    }
  }

  /** The members of an object whose values are scalars, as text; empty if it is no object. */
  private static Map<String, String> members(Slice json) {
    Map<String, String> members = new HashMap<>();
    try (JsonParser parser =
        FACTORY.createParser(
            ObjectReadContext.empty(), json.array(), json.offset(), json.length())) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        return Map.of();
      }
      for (String key = parser.nextName(); key != null; key = parser.nextName()) {
        if (parser.nextToken().isScalarValue()) {
          members.put(key, parser.getString());
        }
        parser.skipChildren();
      }
      return members;
    } catch (JacksonException e) {
      return Map.of();
    }
  }
}
