package io.spillway.exporters;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.ExportRequest;

/** Writes the head of a request; the body is the payload itself, not a copy. */
final class HttpMessages {

  private HttpMessages() {}

  static FullHttpRequest post(
      Endpoint endpoint, Headers extra, String userAgent, ExportRequest request) {
    Slice payload = request.payload();
    FullHttpRequest message =
        new DefaultFullHttpRequest(
            HttpVersion.HTTP_1_1,
            HttpMethod.POST,
            endpoint.path(),
            Unpooled.wrappedBuffer(payload.array(), payload.offset(), payload.length()));
    HttpHeaders headers = message.headers();
    extra.values().forEach(headers::set);
    headers.set(HttpHeaderNames.HOST, host(endpoint));
    headers.set(HttpHeaderNames.USER_AGENT, userAgent);
    headers.set(HttpHeaderNames.CONTENT_TYPE, "application/x-protobuf");
    headers.set(HttpHeaderNames.CONTENT_LENGTH, payload.length());
    if (request.codec() != Codec.NONE) {
      headers.set(HttpHeaderNames.CONTENT_ENCODING, request.codec().encoding());
    }
    return message;
  }

  /** Without the port where it is the scheme's own: some sinks route by the bare name. */
  static String host(Endpoint endpoint) {
    String authority = endpoint.authority();
    boolean usual = endpoint.port() == (endpoint.plaintext() ? 80 : 443);
    return usual ? authority.substring(0, authority.lastIndexOf(':')) : authority;
  }
}
