package io.spillway.exporters;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.spillway.otlp.Codec;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.rpc.ExportResponse;
import io.spillway.otlp.rpc.RpcStatus;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Outcome;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Locale;

/** What an HTTP answer means for a request (OTLP §OTLP/HTTP Response). */
final class HttpOutcomes {
  /** OTLP §OTLP/HTTP Response size, before and after decompression. */
  static final int MAX_RESPONSE_BYTES = 4 << 20;

  private final InstantSource clock;
  private final Headers secrets;
  private final boolean strict;

  /**
   * @param secrets what was sent with the request and may come back in the sink's words
   * @param strict whether what OTLP calls not retryable is given up; see {@link SinkConfig}
   */
  HttpOutcomes(InstantSource clock, Headers secrets, boolean strict) {
    this.clock = clock;
    this.secrets = secrets;
    this.strict = strict;
  }

  Outcome of(HttpAnswer answer, Signal signal, int items) {
    int code = answer.status().code();
    if (code >= 200 && code < 300) {
      return delivered(answer, signal, items);
    }
    String reason = reason(answer);
    return switch (code) {
      case 429, 502, 503, 504 -> retry(answer, reason);
      case 400, 422 -> new Outcome.BadData(reason);
      case 413 -> new Outcome.TooLarge(reason);
      case 401, 403, 407 -> new Outcome.SinkDown(ErrorClass.AUTH, reason);
      case 404, 405, 410 -> new Outcome.SinkDown(ErrorClass.NOT_FOUND, reason);
      default -> other(code, reason);
    };
  }

  private Outcome other(int code, String reason) {
    if (code >= 300 && code < 400) {
      // Redirects are not followed: they would lead credentials and data past the policy.
      return new Outcome.SinkDown(ErrorClass.NOT_FOUND, reason);
    }
    return strict && code >= 400 && code < 600
        ? new Outcome.BadData(reason)
        : new Outcome.SinkDown(ErrorClass.SERVER, reason);
  }

  private Outcome retry(HttpAnswer answer, String reason) {
    Duration after = RetryAfter.parse(answer.headers().get(HttpHeaderNames.RETRY_AFTER), clock);
    boolean throttled = after != null || answer.status().code() == 429;
    return new Outcome.Retry(after, throttled ? ErrorClass.THROTTLED : ErrorClass.SERVER, reason);
  }

  /** Any 2xx says that the sink has the request, whatever is wrong with the rest of the answer. */
  private static Outcome delivered(HttpAnswer answer, Signal signal, int items) {
    if (answer.body().isEmpty() && !answer.truncated()) {
      return new Outcome.Delivered();
    }
    String type = mediaType(answer.headers());
    try {
      return switch (type) {
        case "application/x-protobuf" ->
            PartialSuccess.outcome(ExportResponse.parse(body(answer)), items);
        case "application/json" ->
            PartialSuccess.outcome(ExportResponse.parseJson(signal, body(answer)), items);
        default ->
            PartialSuccess.unreadable(type.isEmpty() ? "it has no Content-Type" : "it is " + type);
      };
    } catch (MalformedRequestException | PayloadTooLargeException e) {
      return PartialSuccess.unreadable(String.valueOf(e.getMessage()));
    }
  }

  private static Slice body(HttpAnswer answer)
      throws MalformedRequestException, PayloadTooLargeException {
    if (answer.truncated()) {
      throw new PayloadTooLargeException("more than " + MAX_RESPONSE_BYTES + " bytes");
    }
    String encoding = answer.headers().get(HttpHeaderNames.CONTENT_ENCODING);
    Codec codec = Codec.ofEncoding(encoding);
    if (codec == null) {
      throw new MalformedRequestException("unknown Content-Encoding " + encoding);
    }
    return Decompression.decompress(codec, answer.body(), MAX_RESPONSE_BYTES);
  }

  private String reason(HttpAnswer answer) {
    String words = SinkWords.clean(secrets.redact(words(answer)));
    String status =
        "HTTP " + answer.status().code() + " " + SinkWords.clean(answer.status().reasonPhrase());
    return words.isEmpty() ? status : status + ": " + words;
  }

  /** What the sink has to say: a {@code google.rpc.Status} or plain text; empty if neither. */
  private static String words(HttpAnswer answer) {
    try {
      String type = mediaType(answer.headers());
      Slice body = body(answer);
      return switch (type) {
        case "application/x-protobuf" -> RpcStatus.parse(body).message();
        case "application/json" -> RpcStatus.parseJson(body).message();
        default -> type.startsWith("text/") ? text(body) : "";
      };
    } catch (MalformedRequestException | PayloadTooLargeException e) {
      return "";
    }
  }

  private static String text(Slice body) {
    int length = Math.min(body.length(), SinkWords.MAX_CHARS * 4);
    return new String(body.array(), body.offset(), length, StandardCharsets.UTF_8);
  }

  private static String mediaType(HttpHeaders headers) {
    String type = headers.get(HttpHeaderNames.CONTENT_TYPE, "");
    int parameters = type.indexOf(';');
    return (parameters < 0 ? type : type.substring(0, parameters)).strip().toLowerCase(Locale.ROOT);
  }
}
