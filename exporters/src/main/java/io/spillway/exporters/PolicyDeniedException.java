package io.spillway.exporters;

import io.spillway.otlp.stage.DialPolicy;
import java.io.IOException;
import java.io.Serial;

/** Says that the egress policy does not let a destination be dialled. Carries no stack trace. */
final class PolicyDeniedException extends IOException {
  @Serial private static final long serialVersionUID = 1L;

  PolicyDeniedException(DialPolicy.Denial denial) {
    super("denied by " + denial.rule() + ": " + denial.reason());
  }

  @Override
  public synchronized Throwable fillInStackTrace() {
    return this;
  }
}
