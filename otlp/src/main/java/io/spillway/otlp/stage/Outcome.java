package io.spillway.otlp.stage;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How one attempt at a sink ended. */
public sealed interface Outcome {

  /**
   * The sink took the request, apart from {@code rejected} items, between 0 and the items sent
   * (OTLP §Partial Success).
   *
   * @param message the sink's words; empty if it had none
   * @param malformed whether the answer breaks OTLP: unreadable, or with a count that cannot be
   */
  record Delivered(int rejected, String message, boolean malformed) implements Outcome {
    public Delivered() {
      this(0, "");
    }

    public Delivered(int rejected, String message) {
      this(rejected, message, false);
    }
  }

  /**
   * The sink cannot take it now, but says or implies that it will.
   *
   * @param after how long the sink asked to be left alone; null if it did not say
   */
  record Retry(@Nullable Duration after, ErrorClass error, String reason) implements Outcome {}

  /** The sink calls the request too large. */
  record TooLarge(String reason) implements Outcome {}

  /** The sink calls the request malformed; it will never take it. */
  record BadData(String reason) implements Outcome {}

  /** The sink is out of order in a way that says nothing about the request. */
  record SinkDown(ErrorClass error, String reason) implements Outcome {}
}
