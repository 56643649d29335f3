package io.spillway.routing.egress;

import io.spillway.otlp.stage.LaneId;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the egress of a lane is doing.
 *
 * @param active id of the first exporter that gets the lane's data; null while none is in service.
 *     Others of its level may be {@link ExporterStatus#active} too
 * @param blocks blocks read from the lane and not settled
 * @param exporters in failover order
 * @param transitions the latest changes of state, oldest first; bounded
 * @param pin the order that the lane sends to one exporter alone; null if there is none
 * @param waitingUntil until when data waits on disk for the exporters that were left, by {@code
 *     failover::hold}; null if it does not
 */
public record EgressStatus(
    LaneId lane,
    @Nullable String active,
    int blocks,
    List<ExporterStatus> exporters,
    List<Transition> transitions,
    @Nullable OperatorOrder pin,
    @Nullable Instant waitingUntil) {

  public EgressStatus {
    exporters = List.copyOf(exporters);
    transitions = List.copyOf(transitions);
  }

  /**
   * How one exporter of the lane is doing.
   *
   * @param level its place in the failover order, from 0; shared by those that share the load
   * @param active whether it gets the lane's data now
   * @param since when it came into this state
   * @param reason why it came into this state; empty at first
   * @param lastError what went wrong last, whether or not it works again; empty if nothing did
   * @param attemptsInFlight attempts begun and not answered
   * @param lastAttempt when the latest attempt began, idle probes not counted; null if there was
   *     none
   * @param nextAttempt when it is tried next at the earliest; null if it need not be waited for
   * @param leftAloneUntil until when the sink asked to be left alone; null if it does not
   * @param bars what keeps it from being used, whatever its state
   */
  public record ExporterStatus(
      String id,
      int level,
      boolean active,
      BreakerState state,
      Instant since,
      String reason,
      String lastError,
      int attemptsInFlight,
      @Nullable Instant lastAttempt,
      @Nullable Instant nextAttempt,
      @Nullable Instant leftAloneUntil,
      List<Bar> bars) {

    public ExporterStatus {
      bars = List.copyOf(bars);
    }
  }
}
