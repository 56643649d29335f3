package io.spillway.exporters;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.rpc.ExportResponse;
import io.spillway.otlp.rpc.RpcStatus;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Outcome;
import java.time.Duration;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/** What a gRPC status means for a request (OTLP §OTLP/gRPC Response, §OTLP/gRPC Throttling). */
final class GrpcOutcomes {
  /** OTLP §OTLP/gRPC Response size, before and after decompression. */
  static final int MAX_RESPONSE_BYTES = 4 << 20;

  private static final String TOO_LONG_AN_ANSWER =
      "answer beyond " + MAX_RESPONSE_BYTES + " bytes, or broken off";

  private static final Metadata.Key<byte[]> STATUS_DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);
  private static final Metadata.Key<String> RETRY_AFTER =
      Metadata.Key.of("retry-after", Metadata.ASCII_STRING_MARSHALLER);

  /**
   * What every gRPC library takes by default, so every sink is presumed to. A bare
   * RESOURCE_EXHAUSTED says either that the request is too large or that the sink is overloaded,
   * and only its text would tell which. Above this size it is taken to mean the size: halving stops
   * here, so an overloaded sink costs some requests, never data. Up to this size it is taken to
   * mean overload. A sink with a smaller limit needs {@code max_request_bytes}.
   */
  static final int PRESUMED_SINK_LIMIT = 4 << 20;

  private final InstantSource clock;
  private final boolean strict;

  /**
   * @param strict whether what OTLP calls not retryable is given up; see {@link SinkConfig}
   */
  GrpcOutcomes(InstantSource clock, boolean strict) {
    this.clock = clock;
    this.strict = strict;
  }

  /**
   * How a call ended other than with OK.
   *
   * @param begun whether the sink sent headers
   * @param complete whether it sent trailers with its own status; otherwise the library made the
   *     status up, out of a reset, of what is no gRPC, or of an answer it cannot read
   */
  record End(Status status, Metadata trailers, boolean begun, boolean complete) {
    boolean isAnswer() {
      return begun || complete || !trailers.keys().isEmpty();
    }
  }

  /** The outcome of a call that was answered with OK. */
  Outcome delivered(Slice message, int items) {
    try {
      return PartialSuccess.outcome(ExportResponse.parse(message), items);
    } catch (MalformedRequestException e) {
      return PartialSuccess.unreadable(String.valueOf(e.getMessage()));
    }
  }

  /**
   * The outcome of a call that was not.
   *
   * @param uncompressedLength of the request, in bytes
   */
  Outcome failed(End end, int uncompressedLength) {
    Status status = end.status();
    Throwable cause = status.getCause();
    if (cause != null && Failures.areTold(cause)) {
      return Failures.outcome(cause);
    }
    String reason = reason(status);
    if (end.begun() && !end.complete()) {
      return brokenOff(status, reason);
    }
    Duration after = retryDelay(end.trailers());
    return switch (status.getCode()) {
      case UNAVAILABLE -> new Outcome.Retry(after, unavailable(end.isAnswer(), after), reason);
      case ABORTED, CANCELLED, OUT_OF_RANGE, DATA_LOSS ->
          new Outcome.Retry(after, ErrorClass.SERVER, reason);
      case DEADLINE_EXCEEDED -> new Outcome.Retry(after, ErrorClass.TIMEOUT, reason);
      case RESOURCE_EXHAUSTED -> exhausted(end, after, uncompressedLength, reason);
      case INVALID_ARGUMENT -> new Outcome.BadData(reason);
      case UNAUTHENTICATED, PERMISSION_DENIED -> new Outcome.SinkDown(ErrorClass.AUTH, reason);
      case UNIMPLEMENTED, NOT_FOUND -> new Outcome.SinkDown(ErrorClass.NOT_FOUND, reason);
      case OK, UNKNOWN, ALREADY_EXISTS, FAILED_PRECONDITION, INTERNAL ->
          strict && end.complete()
              ? new Outcome.BadData(reason)
              : new Outcome.SinkDown(ErrorClass.SERVER, reason);
    };
  }

  /** The sink began to answer, and then either it broke off or we did: see the status. */
  private static Outcome brokenOff(Status status, String reason) {
    return switch (status.getCode()) {
      case UNAVAILABLE -> new Outcome.Retry(null, ErrorClass.RESET, reason);
      case DEADLINE_EXCEEDED -> new Outcome.Retry(null, ErrorClass.TIMEOUT, reason);
      // Most likely a limit of ours, met by the answer: nothing that the request could mend.
      case RESOURCE_EXHAUSTED -> new Outcome.SinkDown(ErrorClass.SERVER, TOO_LONG_AN_ANSWER);
      default ->
          status.getCause() instanceof StatusRuntimeException limit
                  && limit.getStatus().getCode() == Status.Code.RESOURCE_EXHAUSTED
              ? new Outcome.SinkDown(ErrorClass.SERVER, TOO_LONG_AN_ANSWER)
              : new Outcome.SinkDown(ErrorClass.SERVER, reason);
    };
  }

  private static ErrorClass unavailable(boolean answered, @Nullable Duration after) {
    if (!answered) {
      return ErrorClass.RESET;
    }
    return after == null ? ErrorClass.SERVER : ErrorClass.THROTTLED;
  }

  private Outcome exhausted(
      End end, @Nullable Duration after, int uncompressedLength, String reason) {
    if (after != null || !end.complete()) {
      return new Outcome.Retry(after, ErrorClass.THROTTLED, reason);
    }
    if (uncompressedLength > PRESUMED_SINK_LIMIT) {
      return new Outcome.TooLarge(reason);
    }
    return strict
        ? new Outcome.BadData(reason)
        : new Outcome.Retry(null, ErrorClass.THROTTLED, reason);
  }

  /**
   * The sink's {@code RetryInfo}, or the {@code Retry-After} of what stands before it; null without
   * one, and for 0, which asks for normal backoff.
   */
  private @Nullable Duration retryDelay(Metadata trailers) {
    Duration delay = retryInfo(trailers.get(STATUS_DETAILS));
    if (delay == null) {
      delay = RetryAfter.parse(trailers.get(RETRY_AFTER), clock);
    }
    return delay == null || !delay.isPositive() ? null : delay;
  }

  private static @Nullable Duration retryInfo(byte @Nullable [] details) {
    if (details == null) {
      return null;
    }
    try {
      return RpcStatus.parse(Slice.of(details)).retryDelay();
    } catch (MalformedRequestException e) {
      return null;
    }
  }

  private static String reason(Status status) {
    String description = status.getDescription();
    return status.getCode() + (description == null ? "" : ": " + SinkWords.clean(description));
  }
}
