package io.spillway.otlp.stage;

import java.time.Duration;

/**
 * What a sender is told about one request. Each request gets exactly one answer.
 *
 * <p>{@code items} is what the request held as far as it could be counted; 0 when it could not be
 * read.
 */
public sealed interface Answer {

  int items();

  /**
   * Everything is stored, apart from {@code rejected} items that will never be (OTLP §Partial
   * Success). 200 / OK.
   *
   * @param items all items of the request, rejected ones included
   * @param message for the sender; empty on full success
   */
  record Accepted(int items, int rejected, String message) implements Answer {
    public Accepted(int items) {
      this(items, 0, "");
    }
  }

  /**
   * The request is malformed, or all of its items are invalid; sending it again cannot help. 400 /
   * INVALID_ARGUMENT.
   */
  record Invalid(int items, String reason) implements Answer {
    public Invalid(String reason) {
      this(0, reason);
    }
  }

  /**
   * Nothing here takes such requests: no route has the signal, or one of the resources. 404 /
   * UNIMPLEMENTED.
   */
  record NotServed(int items, String reason) implements Answer {}

  /**
   * The request, or one item of it, is larger than a limit; sending it again cannot help. 413 /
   * RESOURCE_EXHAUSTED without RetryInfo.
   */
  record TooLarge(int items, String reason) implements Answer {}

  /**
   * Nothing is wrong with the request, but it cannot be stored now. 503 with Retry-After /
   * UNAVAILABLE with RetryInfo.
   */
  record Unavailable(int items, Duration retryAfter, String reason) implements Answer {}
}
