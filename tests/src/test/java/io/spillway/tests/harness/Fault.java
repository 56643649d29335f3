package io.spillway.tests.harness;

import io.grpc.Status;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How a sink misbehaves. */
public sealed interface Fault {

  /** Nothing listens on the port. */
  record Refused() implements Fault {}

  /** Connections are accepted and reset. */
  record Resetting() implements Fault {}

  /** Requests are read, never answered, and forgotten. */
  record Hanging() implements Fault {}

  /**
   * Requests are answered with an error and forgotten.
   *
   * @param retryAfter {@code Retry-After} and {@code RetryInfo}; null for none
   */
  record Answering(int http, Status.Code grpc, @Nullable Duration retryAfter) implements Fault {}

  /** Each connection is played with; no server is behind it. */
  record Playing(Trick trick) implements Fault {}

  /** What is done with a connection, which is closed afterwards. */
  interface Trick {
    void play(Socket client) throws IOException;
  }

  /** Requests are taken but for some of their items (OTLP §Partial Success). */
  record PartlyRejecting(int rejected, String message) implements Fault {}

  static Fault unavailable() {
    return new Answering(503, Status.Code.UNAVAILABLE, null);
  }

  static Fault throttled(Duration retryAfter) {
    return new Answering(429, Status.Code.RESOURCE_EXHAUSTED, retryAfter);
  }

  static Fault unauthorized() {
    return new Answering(401, Status.Code.UNAUTHENTICATED, null);
  }

  static Fault notFound() {
    return new Answering(404, Status.Code.UNIMPLEMENTED, null);
  }

  static Fault internalError() {
    return new Answering(500, Status.Code.INTERNAL, null);
  }

  static Fault badRequest() {
    return new Answering(400, Status.Code.INVALID_ARGUMENT, null);
  }
}
