package io.spillway.receivers;

import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the head of an HTTP request asks for (OTLP §OTLP/HTTP Request). */
sealed interface HttpHead {

  /** An export that may be read on. */
  record Accepted(Signal signal, Codec codec, boolean json) implements HttpHead {}

  /**
   * A request that the head alone is reason to refuse.
   *
   * @param signal whose endpoint it reached; null if none
   */
  record Refused(@Nullable Signal signal, String reason, FullHttpResponse response)
      implements HttpHead {}

  static HttpHead read(HttpRequest request) {
    boolean json = isMediaType(request, HttpReply.JSON);
    Signal signal = Paths.SIGNALS.get(path(request.uri()));
    if (signal == null) {
      return refused(
          null,
          HttpResponseStatus.NOT_FOUND,
          "nothing is served at this path (expected /v1/traces, /v1/metrics, /v1/logs or"
              + " /v1development/profiles)",
          json);
    }
    if (!HttpMethod.POST.equals(request.method())) {
      Refused refused =
          refused(
              null,
              HttpResponseStatus.METHOD_NOT_ALLOWED,
              "method " + request.method() + " is not served (expected POST)",
              json);
      refused.response().headers().set(HttpHeaderNames.ALLOW, HttpMethod.POST);
      return refused;
    }
    if (!json && !isMediaType(request, HttpReply.PROTOBUF)) {
      return refused(
          signal,
          HttpResponseStatus.UNSUPPORTED_MEDIA_TYPE,
          "Content-Type "
              + request.headers().get(HttpHeaderNames.CONTENT_TYPE, "is missing, which")
              + " is not served (expected application/x-protobuf or application/json)",
          json);
    }
    if (json && !signal.isStable()) {
      return refused(
          signal,
          HttpResponseStatus.UNSUPPORTED_MEDIA_TYPE,
          "JSON of "
              + signal.label()
              + " is not served, since what it means changes between versions of OTLP (expected"
              + " application/x-protobuf)",
          true);
    }
    String encoding = request.headers().get(HttpHeaderNames.CONTENT_ENCODING);
    Codec codec = Codec.ofEncoding(encoding);
    if (codec == null) {
      Refused refused =
          refused(
              signal,
              HttpResponseStatus.UNSUPPORTED_MEDIA_TYPE,
              "Content-Encoding "
                  + encoding
                  + " is not served (expected gzip, zstd, identity or none)",
              json);
      refused.response().headers().set(HttpHeaderNames.ACCEPT_ENCODING, "gzip, zstd, identity");
      return refused;
    }
    return new Accepted(signal, codec, json);
  }

  private static Refused refused(
      @Nullable Signal signal, HttpResponseStatus status, String reason, boolean json) {
    return new Refused(signal, reason, HttpReply.refusal(status, reason, json));
  }

  /** Compares the media type in any case and without parameters (RFC 9110 §8.3.1). */
  private static boolean isMediaType(HttpRequest request, String expected) {
    String value = request.headers().get(HttpHeaderNames.CONTENT_TYPE);
    if (value == null) {
      return false;
    }
    int end = value.indexOf(';');
    String type = end < 0 ? value : value.substring(0, end);
    return type.trim().toLowerCase(Locale.ROOT).equals(expected);
  }

  /** The path of a request target, also of one in absolute form, without its query. */
  private static String path(String target) {
    int start = 0;
    int authority = target.indexOf("://");
    if (!target.startsWith("/") && authority > 0) {
      start = target.indexOf('/', authority + "://".length());
      if (start < 0) {
        return "/";
      }
    }
    int query = target.indexOf('?', start);
    return target.substring(start, query < 0 ? target.length() : query);
  }

  /** The endpoints by path. */
  final class Paths {
    private static final Map<String, Signal> SIGNALS = new HashMap<>();

    static {
      for (Signal signal : Signal.values()) {
        SIGNALS.put(signal.httpPath(), signal);
      }
    }

    private Paths() {}
  }
}
