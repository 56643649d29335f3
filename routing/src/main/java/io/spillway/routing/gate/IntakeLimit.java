package io.spillway.routing.gate;

import io.spillway.otlp.stage.LaneId;
import io.spillway.routing.egress.OverQuota;
import org.jspecify.annotations.Nullable;

/** Says what to do with new data of a lane. Asked for every request, on any thread. */
@FunctionalInterface
public interface IntakeLimit {
  /** Takes everything. */
  IntakeLimit NONE = _ -> null;

  /** Null to take it. */
  @Nullable OverQuota of(LaneId lane);
}
