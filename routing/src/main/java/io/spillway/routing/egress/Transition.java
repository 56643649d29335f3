package io.spillway.routing.egress;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;

/**
 * A change of an exporter's standing within one lane.
 *
 * @param exporter component id
 * @param lasted how long it stood as before
 * @param who made the change: {@code failover}, {@code quota}, {@code operator NAME}
 * @param reason in words, for people
 */
public record Transition(
    String exporter,
    Standing from,
    Standing to,
    Instant when,
    Duration lasted,
    String who,
    String reason) {

  public Transition {
    Objects.requireNonNull(exporter);
    Objects.requireNonNull(from);
    Objects.requireNonNull(to);
    Objects.requireNonNull(when);
    Objects.requireNonNull(lasted);
    Objects.requireNonNull(who);
    Objects.requireNonNull(reason);
  }

  /**
   * A change from a state that lasted since then.
   *
   * @param since may be later than {@code when}, if the clock was set back
   */
  static Transition of(
      String exporter,
      Standing from,
      Standing to,
      Instant since,
      Instant when,
      String who,
      String reason) {
    Duration lasted = Duration.between(since, when);
    return new Transition(
        exporter, from, to, when, lasted.isNegative() ? Duration.ZERO : lasted, who, reason);
  }
}
