package io.spillway.receivers;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Tells browsers which pages' scripts may send, and read the answers (Fetch §CORS protocol). It
 * keeps nobody out: a request is served whatever its origin, and it is the browser that holds back.
 *
 * <p>A page that only {@code *} allows may send without credentials; the others are named in the
 * answer and may send with them. Safe on any thread.
 */
final class OriginPolicy {
  /** What a page sets to send OTLP, compressed or not. */
  private static final List<String> NEEDED_HEADERS = List.of("content-type", "content-encoding");

  private static final String ANY = "*";

  private final Cors cors;
  private final List<Pattern> patterns = new ArrayList<>();
  private final boolean anyOrigin;
  private final boolean anyHeader;
  private final String allowedHeaders;

  OriginPolicy(Cors cors) {
    this.cors = cors;
    for (String origin : cors.allowedOrigins()) {
      if (!origin.equals(ANY)) {
        patterns.add(Pattern.of(origin));
      }
    }
    this.anyOrigin = cors.allowedOrigins().contains(ANY);
    this.anyHeader = cors.allowedHeaders().contains(ANY);
    List<String> headers = new ArrayList<>(NEEDED_HEADERS);
    headers.addAll(cors.allowedHeaders());
    this.allowedHeaders = String.join(", ", headers);
  }

  /** Whether a browser asks for a script whether it may send. */
  static boolean isPreflight(HttpRequest request) {
    return HttpMethod.OPTIONS.equals(request.method())
        && request.headers().contains(HttpHeaderNames.ORIGIN)
        && request.headers().contains(HttpHeaderNames.ACCESS_CONTROL_REQUEST_METHOD);
  }

  /** The answer to such a question, to which {@link #addTo} is still to be applied. */
  FullHttpResponse preflight(HttpRequest request) {
    FullHttpResponse response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.NO_CONTENT, Unpooled.EMPTY_BUFFER);
    HttpHeaders headers = response.headers();
    headers
        .add(HttpHeaderNames.VARY, HttpHeaderNames.ACCESS_CONTROL_REQUEST_METHOD)
        .add(HttpHeaderNames.VARY, HttpHeaderNames.ACCESS_CONTROL_REQUEST_HEADERS);
    if (allowed(request.headers().get(HttpHeaderNames.ORIGIN)) == null) {
      return response;
    }
    headers
        .set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_METHODS, HttpMethod.POST.name())
        .set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_HEADERS, headersFor(request));
    if (cors.maxAgeSeconds() > 0) {
      headers.set(HttpHeaderNames.ACCESS_CONTROL_MAX_AGE, Integer.toString(cors.maxAgeSeconds()));
    }
    return response;
  }

  private String headersFor(HttpRequest request) {
    String asked = request.headers().get(HttpHeaderNames.ACCESS_CONTROL_REQUEST_HEADERS);
    return anyHeader && asked != null ? asked : allowedHeaders;
  }

  /**
   * Adds to an answer what the browser asks for, be it a success or an error.
   *
   * @param origin of the page; null if no browser sent the request
   */
  void addTo(FullHttpResponse response, @Nullable String origin) {
    HttpHeaders headers = response.headers();
    headers.add(HttpHeaderNames.VARY, HttpHeaderNames.ORIGIN);
    String allowed = allowed(origin);
    if (allowed == null) {
      return;
    }
    headers.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if (!allowed.equals(ANY)) {
      headers.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    if (!cors.exposedHeaders().isEmpty()) {
      headers.set(
          HttpHeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS, String.join(", ", cors.exposedHeaders()));
    }
  }

  /** Who is allowed, in the words of the answer; null if the origin is not. */
  private @Nullable String allowed(@Nullable String origin) {
    if (origin == null) {
      return null;
    }
    String lower = origin.toLowerCase(Locale.ROOT);
    for (Pattern pattern : patterns) {
      if (pattern.matches(lower)) {
        return origin;
      }
    }
    return anyOrigin ? ANY : null;
  }

  /** What an origin begins and ends with; {@code wild} if something may stand between. */
  private record Pattern(String start, boolean wild, String end) {
    static Pattern of(String text) {
      String lower = text.toLowerCase(Locale.ROOT);
      int star = lower.indexOf(ANY);
      return star < 0
          ? new Pattern(lower, false, "")
          : new Pattern(lower.substring(0, star), true, lower.substring(star + 1));
    }

    boolean matches(String origin) {
      return wild
          ? origin.length() >= start.length() + end.length()
              && origin.startsWith(start)
              && origin.endsWith(end)
          : origin.equals(start);
    }
  }
}
