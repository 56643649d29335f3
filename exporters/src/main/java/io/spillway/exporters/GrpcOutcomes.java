package io.spillway.exporters;

import io.grpc.Metadata;
import io.grpc.Status;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.rpc.ExportResponse;
import io.spillway.otlp.rpc.RpcStatus;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Outcome;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What a gRPC status means for a request (OTLP §OTLP/gRPC Response, §OTLP/gRPC Throttling). */
final class GrpcOutcomes {
  private static final Metadata.Key<byte[]> STATUS_DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  /**
   * What every gRPC library takes by default, so every sink is presumed to. A bare
   * RESOURCE_EXHAUSTED says either that the request is too large or that the sink is overloaded,
   * and only its text would tell which. Above this size it is taken to mean the size: halving stops
   * here, so an overloaded sink costs some requests, never data. Up to this size it is taken to
   * mean overload. A sink with a smaller limit needs {@code max_request_bytes}.
   */
  static final int PRESUMED_SINK_LIMIT = 4 << 20;

  private GrpcOutcomes() {}

  /** The outcome of a call that was answered with OK. */
  static Outcome delivered(Slice message, int items) {
    try {
      return PartialSuccess.outcome(ExportResponse.parse(message), items);
    } catch (MalformedRequestException e) {
      return PartialSuccess.unreadable(e);
    }
  }

  /**
   * The outcome of a call that ended in another status than OK.
   *
   * @param answered whether the status, or anything before it, came from the sink; otherwise the
   *     library made it up
   * @param uncompressedLength of the request, in bytes
   */
  static Outcome failed(
      Status status, Metadata trailers, boolean answered, int uncompressedLength) {
    Throwable cause = status.getCause();
    if (cause != null && Failures.areTold(cause)) {
      return Failures.outcome(cause);
    }
    String reason = reason(status);
    Duration after = retryDelay(trailers);
    return switch (status.getCode()) {
      case UNAVAILABLE -> new Outcome.Retry(after, unavailable(answered, after), reason);
      case ABORTED, CANCELLED, OUT_OF_RANGE, DATA_LOSS ->
          new Outcome.Retry(after, ErrorClass.SERVER, reason);
      case DEADLINE_EXCEEDED -> new Outcome.Retry(after, ErrorClass.TIMEOUT, reason);
      case RESOURCE_EXHAUSTED -> exhausted(after, uncompressedLength, reason);
      case INVALID_ARGUMENT -> new Outcome.BadData(reason);
      case UNAUTHENTICATED, PERMISSION_DENIED -> new Outcome.SinkDown(ErrorClass.AUTH, reason);
      case UNIMPLEMENTED, NOT_FOUND -> new Outcome.SinkDown(ErrorClass.NOT_FOUND, reason);
      case OK, UNKNOWN, ALREADY_EXISTS, FAILED_PRECONDITION, INTERNAL ->
          new Outcome.SinkDown(ErrorClass.SERVER, reason);
    };
  }

  private static ErrorClass unavailable(boolean answered, @Nullable Duration after) {
    if (!answered) {
      return ErrorClass.RESET;
    }
    return after == null ? ErrorClass.SERVER : ErrorClass.THROTTLED;
  }

  private static Outcome exhausted(
      @Nullable Duration after, int uncompressedLength, String reason) {
    return after == null && uncompressedLength > PRESUMED_SINK_LIMIT
        ? new Outcome.TooLarge(reason)
        : new Outcome.Retry(after, ErrorClass.THROTTLED, reason);
  }

  /** The sink's {@code RetryInfo}; null without one, and for 0, which asks for normal backoff. */
  private static @Nullable Duration retryDelay(Metadata trailers) {
    byte[] details = trailers.get(STATUS_DETAILS);
    if (details == null) {
      return null;
    }
    try {
      Duration delay = RpcStatus.parse(Slice.of(details)).retryDelay();
      return delay == null || !delay.isPositive() ? null : delay;
    } catch (MalformedRequestException e) {
      return null;
    }
  }

  private static String reason(Status status) {
    String description = status.getDescription();
    return status.getCode() + (description == null ? "" : ": " + SinkWords.clean(description));
  }
}
