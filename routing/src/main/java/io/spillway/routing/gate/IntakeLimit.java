package io.spillway.routing.gate;

import io.spillway.otlp.stage.LaneId;
import io.spillway.routing.egress.OverQuota;
import org.jspecify.annotations.Nullable;

/** Says what to do with new data of a lane. Asked for every request, on any thread. */
@FunctionalInterface
public interface IntakeLimit {
  /** Takes everything. */
  IntakeLimit NONE = (_, _) -> null;

  /**
   * Null to take it.
   *
   * @param tenant whose data it is; empty if it has none
   */
  @Nullable OverQuota of(LaneId lane, String tenant);
}
