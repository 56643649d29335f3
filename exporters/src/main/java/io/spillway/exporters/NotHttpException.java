package io.spillway.exporters;

import java.io.Serial;

/** Says that what came back is not an HTTP answer. */
final class NotHttpException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  NotHttpException(Throwable cause) {
    super("the answer is not HTTP", cause);
  }
}
