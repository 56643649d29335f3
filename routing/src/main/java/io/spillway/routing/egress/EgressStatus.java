package io.spillway.routing.egress;

import io.spillway.otlp.stage.LaneId;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the egress of a lane is doing.
 *
 * @param active id of the exporter that gets the lane's data; null while none is in service
 * @param blocks blocks read from the lane and not settled
 * @param exporters in failover order
 * @param transitions the latest changes of state, oldest first; bounded
 */
public record EgressStatus(
    LaneId lane,
    @Nullable String active,
    int blocks,
    List<ExporterStatus> exporters,
    List<Transition> transitions) {

  public EgressStatus {
    exporters = List.copyOf(exporters);
    transitions = List.copyOf(transitions);
  }

  /**
   * How one exporter of the lane is doing.
   *
   * @param since when it came into this state
   * @param reason why it came into this state; empty at first
   * @param attemptsInFlight attempts begun and not answered
   * @param nextAttempt when it is tried next at the earliest; null if it need not be waited for
   * @param bars what keeps it from being used, whatever its state
   */
  public record ExporterStatus(
      String id,
      BreakerState state,
      Instant since,
      String reason,
      int attemptsInFlight,
      @Nullable Instant nextAttempt,
      List<Bar> bars) {

    public ExporterStatus {
      bars = List.copyOf(bars);
    }
  }
}
