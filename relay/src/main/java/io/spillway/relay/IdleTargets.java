package io.spillway.relay;

import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Exporter;
import io.spillway.routing.egress.IdleProber.Target;
import io.spillway.routing.egress.LaneEgress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Finds what is to be probed: each exporter once for each signal that a route sends to it. */
final class IdleTargets {
  private record Key(Exporter exporter, Signal signal) {}

  private IdleTargets() {}

  /**
   * @param intervals by exporter id; zero for no probes
   */
  static List<Target> of(Collection<Lanes.ActiveLane> lanes, Map<String, Duration> intervals) {
    Map<Key, List<LaneEgress>> users = new LinkedHashMap<>();
    for (Lanes.ActiveLane lane : lanes) {
      LaneEgress egress = lane.egress();
      if (egress != null && !lane.retired()) {
        for (Exporter exporter : lane.exporters()) {
          Key key = new Key(exporter, lane.lane().id().signal());
          users.computeIfAbsent(key, _ -> new ArrayList<>()).add(egress);
        }
      }
    }
    List<Target> targets = new ArrayList<>();
    users.forEach(
        (key, egresses) -> {
          Duration interval = intervals.getOrDefault(key.exporter().id(), Duration.ZERO);
          if (!interval.isZero()) {
            targets.add(new Target(key.exporter(), interval, key.signal(), egresses));
          }
        });
    return targets;
  }
}
