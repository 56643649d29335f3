package io.spillway.tests.harness;

import com.google.protobuf.ByteString;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A connection of a sender to the relay. One thread at a time. */
public interface Wire extends AutoCloseable {

  /** Sends an export request once and waits for the answer, at most a minute. */
  Reply send(Kind kind, byte[] request);

  @Override
  void close();

  /**
   * What a sender was told.
   *
   * @param acknowledged whether all of it is now the relay's
   * @param retryable whether OTLP asks the sender to send it again
   * @param status the status, in words
   * @param retryAfter how long to wait; null if the relay did not say
   * @param response the body of the answer; empty if there was none
   */
  record Reply(
      boolean acknowledged,
      boolean retryable,
      String status,
      @Nullable Duration retryAfter,
      ByteString response) {}
}
