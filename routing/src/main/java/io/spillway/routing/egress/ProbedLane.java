package io.spillway.routing.egress;

import io.spillway.otlp.stage.Outcome;

/** The egress of a lane as {@link IdleProber} sees it. Safe on any thread; never blocks. */
public interface ProbedLane {
  /** What it is doing. */
  EgressStatus status();

  /** An empty request to one of its exporters has ended like this. */
  void probed(String exporter, Outcome outcome);
}
