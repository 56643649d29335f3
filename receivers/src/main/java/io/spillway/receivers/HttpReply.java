package io.spillway.receivers;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.spillway.otlp.Signal;
import io.spillway.otlp.rpc.ExportResponse;
import io.spillway.otlp.rpc.RpcStatus;
import io.spillway.otlp.stage.Answer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP responses: every body is in the encoding of the request, every refusal carries a {@code
 * google.rpc.Status} (OTLP §OTLP/HTTP Response). They live on the heap, so one that is never sent
 * leaks nothing.
 */
final class HttpReply {
  static final String PROTOBUF = "application/x-protobuf";
  static final String JSON = "application/json";

  private static final long MIN_RETRY_AFTER_SECONDS = 1;

  // Canonical gRPC status codes, for the body.
  private static final int INVALID_ARGUMENT = 3;
  private static final int RESOURCE_EXHAUSTED = 8;
  private static final int UNIMPLEMENTED = 12;
  private static final int UNAVAILABLE = 14;
  private static final int UNAUTHENTICATED = 16;

  private HttpReply() {}

  static FullHttpResponse of(Answer answer, Signal signal, boolean json) {
    return switch (answer) {
      case Answer.Accepted accepted -> accepted(accepted, signal, json);
      case Answer.Invalid invalid ->
          refusal(HttpResponseStatus.BAD_REQUEST, invalid.reason(), json);
      case Answer.NotServed notServed ->
          refusal(HttpResponseStatus.NOT_FOUND, notServed.reason(), json);
      case Answer.TooLarge tooLarge ->
          refusal(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE, tooLarge.reason(), json);
      case Answer.Unavailable unavailable -> unavailable(unavailable, json);
    };
  }

  /** A refusal that trying again does not change. */
  static FullHttpResponse refusal(HttpResponseStatus status, String reason, boolean json) {
    return refusal(status, reason, null, json);
  }

  private static FullHttpResponse accepted(Answer.Accepted accepted, Signal signal, boolean json) {
    ExportResponse response =
        new ExportResponse(accepted.rejected(), Reasons.shorten(accepted.message()));
    return response(
        HttpResponseStatus.OK, json ? response.toJson(signal) : response.toProtobuf(), json);
  }

  static FullHttpResponse unavailable(Answer.Unavailable unavailable, boolean json) {
    FullHttpResponse response =
        refusal(
            HttpResponseStatus.SERVICE_UNAVAILABLE,
            unavailable.reason(),
            unavailable.retryAfter(),
            json);
    response
        .headers()
        .set(HttpHeaderNames.RETRY_AFTER, Long.toString(wholeSeconds(unavailable.retryAfter())));
    return response;
  }

  /** OTLP §OTLP/HTTP Throttling: delta-seconds, not below 1; rounded up. */
  private static long wholeSeconds(Duration retryAfter) {
    long seconds = retryAfter.getSeconds() + (retryAfter.getNano() > 0 ? 1 : 0);
    return Math.max(MIN_RETRY_AFTER_SECONDS, seconds);
  }

  private static FullHttpResponse refusal(
      HttpResponseStatus status, String reason, @Nullable Duration retryDelay, boolean json) {
    RpcStatus details = new RpcStatus(rpcCode(status), Reasons.shorten(reason), retryDelay);
    return response(status, json ? details.toJson() : details.toProtobuf(), json);
  }

  private static int rpcCode(HttpResponseStatus status) {
    return switch (status.code()) {
      case 401 -> UNAUTHENTICATED;
      case 404, 405 -> UNIMPLEMENTED;
      case 413, 431 -> RESOURCE_EXHAUSTED;
      case 503 -> UNAVAILABLE;
      default -> INVALID_ARGUMENT;
    };
  }

  private static FullHttpResponse response(HttpResponseStatus status, byte[] body, boolean json) {
    FullHttpResponse response =
        new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(body));
    response
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, json ? JSON : PROTOBUF)
        .set(HttpHeaderNames.CONTENT_LENGTH, Integer.toString(body.length));
    return response;
  }
}
