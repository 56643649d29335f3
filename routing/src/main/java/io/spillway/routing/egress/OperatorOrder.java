package io.spillway.routing.egress;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What an operator wants of one exporter.
 *
 * @param who gave it: {@code operator NAME}
 * @param reason in words, for people; empty if none was given
 * @param until when it ends by itself; null if it does not
 */
public record OperatorOrder(
    String exporter, String who, String reason, Instant since, @Nullable Instant until) {

  /** Whether it has ended by itself. */
  public boolean isOver(Instant now) {
    return until != null && !now.isBefore(until);
  }
}
