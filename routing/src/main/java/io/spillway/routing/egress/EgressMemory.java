package io.spillway.routing.egress;

import io.spillway.otlp.stage.LaneId;

/** Keeps what the egress of each lane has come to, so that a restart does not begin anew. */
public interface EgressMemory {
  /** Keeps nothing. */
  EgressMemory NONE =
      new EgressMemory() {
        @Override
        public EgressPast recall(LaneId lane) {
          return EgressPast.NONE;
        }

        @Override
        public void keep(LaneId lane, EgressPast past) {}
      };

  /** What was kept last. Asked when the egress of a lane is made; may wait for the disk. */
  EgressPast recall(LaneId lane);

  /** Keeps this in place of what was. Called on the lane's dispatch thread; must not block. */
  void keep(LaneId lane, EgressPast past);
}
