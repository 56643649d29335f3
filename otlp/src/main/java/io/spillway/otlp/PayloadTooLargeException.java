package io.spillway.otlp;

import java.io.Serial;

/** Says that a request, or what it decompresses to, exceeds a limit. Carries no stack trace. */
public final class PayloadTooLargeException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  public PayloadTooLargeException(String message) {
    super(message, null, false, false);
  }
}
