package io.spillway.receivers;

import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.spillway.otlp.Signal;
import io.spillway.otlp.codec.Encoding;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What the head of an HTTP request asks for (OTLP §OTLP/HTTP Request). */
sealed interface HttpHead {

  /** An export that may be read on. */
  record Accepted(Signal signal, Encoding encoding, boolean json) implements HttpHead {}

  /**
   * A request that the head alone is reason to refuse.
   *
   * @param signal whose endpoint it reached; null if none
   */
  record Refused(@Nullable Signal signal, String reason, FullHttpResponse response)
      implements HttpHead {}

  /** Whether the sender speaks JSON, and is to be answered in it. */
  static boolean isJson(HttpRequest request) {
    return isMediaType(request, HttpReply.JSON);
  }

  static HttpHead read(HttpRequest request, HttpPaths paths) {
    boolean json = isJson(request);
    Signal signal = paths.signal(request.uri());
    if (signal == null) {
      return refused(
          null,
          HttpResponseStatus.NOT_FOUND,
          "nothing is served at this path (expected " + paths.list() + ")",
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
    String token = request.headers().get(HttpHeaderNames.CONTENT_ENCODING);
    Encoding encoding = Encoding.of(token);
    if (encoding == null) {
      Refused refused =
          refused(
              signal,
              HttpResponseStatus.UNSUPPORTED_MEDIA_TYPE,
              "Content-Encoding "
                  + token
                  + " is not served (expected one of "
                  + Encoding.ACCEPTED
                  + ", or none)",
              json);
      refused.response().headers().set(HttpHeaderNames.ACCEPT_ENCODING, Encoding.ACCEPTED);
      return refused;
    }
    return new Accepted(signal, encoding, json);
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
}
