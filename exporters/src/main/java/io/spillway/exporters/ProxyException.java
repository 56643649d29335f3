package io.spillway.exporters;

import io.spillway.otlp.stage.ErrorClass;
import java.io.IOException;
import java.io.Serial;

/** Says why a proxy did not connect to a sink. Carries no stack trace. */
final class ProxyException extends IOException {
  @Serial private static final long serialVersionUID = 1L;

  private final ErrorClass error;

  ProxyException(ErrorClass error, String message) {
    super(message);
    this.error = error;
  }

  ErrorClass error() {
    return error;
  }

  @Override
  public synchronized Throwable fillInStackTrace() {
    return this;
  }
}
