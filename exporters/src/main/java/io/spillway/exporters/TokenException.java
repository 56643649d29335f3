package io.spillway.exporters;

import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Outcome;
import java.io.Serial;

/** Says why there is no token. Carries no stack trace: it is an answer, not a surprise. */
final class TokenException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  private final ErrorClass error;

  /**
   * @param message without secrets
   */
  TokenException(ErrorClass error, String message) {
    super(message, null, false, false);
    this.error = error;
  }

  /** Without a token the sink was not asked, so nothing was taken. */
  Outcome outcome() {
    return new Outcome.SinkDown(error, String.valueOf(getMessage()));
  }

  /**
   * For what went wrong on the way to the token endpoint. What may heal by itself is no worse than
   * a sink that cannot be reached, whatever it was.
   */
  static TokenException unreachable(String place, Outcome outcome) {
    return switch (outcome) {
      case Outcome.SinkDown(ErrorClass error, String reason) ->
          new TokenException(
              error == ErrorClass.SERVER ? ErrorClass.CONNECT : error,
              "no token from " + place + ": " + reason);
      case Outcome.Retry(var _, var _, String reason) ->
          new TokenException(ErrorClass.CONNECT, "no token from " + place + ": " + reason);
      case Outcome.Delivered _, Outcome.TooLarge _, Outcome.BadData _ ->
          throw new IllegalArgumentException("not a failure: " + outcome);
    };
  }
}
