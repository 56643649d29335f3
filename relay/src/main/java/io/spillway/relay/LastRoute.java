package io.spillway.relay;

import io.spillway.routing.DrainSettings;
import io.spillway.routing.FailoverSettings;
import io.spillway.routing.gate.RouteSettings;
import io.spillway.routing.gate.RouteTargets;
import java.util.List;
import java.util.Objects;

/** What a route last said of where its data goes, for lanes that outlive it. */
record LastRoute(RouteTargets targets, FailoverSettings failover, DrainSettings drain) {
  LastRoute {
    Objects.requireNonNull(targets);
    Objects.requireNonNull(failover);
    Objects.requireNonNull(drain);
  }

  static LastRoute of(RouteSettings route) {
    return new LastRoute(route.targets(), route.failover(), route.drain());
  }

  /** One of which no more than the order of its exporters is known. */
  static LastRoute of(List<String> exporters) {
    return new LastRoute(
        RouteTargets.inOrder(exporters), FailoverSettings.DEFAULT, DrainSettings.DEFAULT);
  }
}
