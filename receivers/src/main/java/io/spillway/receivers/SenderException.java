package io.spillway.receivers;

import java.io.Serial;

/** A request says nothing usable about who sends it. Carries no stack trace. */
final class SenderException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  private final String reason;

  SenderException(String reason) {
    super(reason, null, false, false);
    this.reason = reason;
  }

  /** For the sender. */
  String reason() {
    return reason;
  }
}
