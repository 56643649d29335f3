package io.spillway.routing.egress;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a lane's egress had come to when a standing changed last: who opens the lane next begins
 * with it.
 *
 * @param transitions the latest changes, oldest first
 * @param pin the order that the lane sends to one exporter alone; null if there was none
 * @param exporters in failover order
 */
public record EgressPast(
    List<Transition> transitions, @Nullable OperatorOrder pin, List<ExporterPast> exporters) {
  /** Of a lane that was never opened. */
  public static final EgressPast NONE = new EgressPast(List.of(), null, List.of());

  public EgressPast {
    transitions = List.copyOf(transitions);
    exporters = List.copyOf(exporters);
  }

  /**
   * How one exporter of the lane was doing.
   *
   * @param since when it came into this state
   * @param reason why it came into this state
   * @param awaitedSince when it was left, if data waited for it; null if none did
   * @param bars what kept it from being used
   * @param barsChanged when they changed last
   */
  public record ExporterPast(
      String id,
      BreakerState state,
      Instant since,
      String reason,
      String lastError,
      @Nullable Instant awaitedSince,
      List<Bar> bars,
      Instant barsChanged) {

    public ExporterPast {
      Objects.requireNonNull(id);
      Objects.requireNonNull(state);
      Objects.requireNonNull(since);
      Objects.requireNonNull(reason);
      Objects.requireNonNull(lastError);
      Objects.requireNonNull(barsChanged);
      bars = List.copyOf(bars);
    }
  }
}
