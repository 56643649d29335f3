package io.spillway.otlp;

import java.io.Serial;

/**
 * Says that bytes are not what they claim to be. Carries no stack trace: it is part of normal
 * operation, and senders choose how often.
 */
public final class MalformedRequestException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  public MalformedRequestException(String message) {
    super(message, null, false, false);
  }
}
