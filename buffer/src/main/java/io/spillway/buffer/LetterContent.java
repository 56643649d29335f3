package io.spillway.buffer;

import io.spillway.otlp.stage.DeadLetter;
import java.time.Instant;

/** What came out of reading a dead letter. */
public sealed interface LetterContent {

  /**
   * All of it.
   *
   * @param when the sink refused it
   */
  record Intact(DeadLetter letter, Instant when) implements LetterContent {}

  /** Nothing: it is damaged, or the key that opens it is not there. */
  record Unreadable(String reason) implements LetterContent {}
}
