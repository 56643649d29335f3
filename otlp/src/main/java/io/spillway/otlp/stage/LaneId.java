package io.spillway.otlp.stage;

import io.spillway.otlp.Signal;

/** A lane's identity: one signal of one route. It survives restarts and reloads. */
public record LaneId(String route, Signal signal) {
  @Override
  public String toString() {
    return route + "/" + signal.label();
  }
}
