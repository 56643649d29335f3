package io.spillway.routing.gate;

import io.spillway.routing.DrainSettings;
import io.spillway.routing.FailoverSettings;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One route: which resources it takes, what it keeps of them and where they go.
 *
 * @param name part of lane directories and metric tags: {@code [a-z0-9_-]{1,63}}
 * @param continues whether later routes see what this one took
 * @param sampling of traces; null to keep everything
 * @param targets where what it takes goes
 * @param slo null if the route promises nothing
 */
public record RouteSettings(
    String name,
    RouteMatch match,
    boolean continues,
    @Nullable SamplingSettings sampling,
    RouteTargets targets,
    FailoverSettings failover,
    DrainSettings drain,
    @Nullable SloSettings slo) {
  /** Component ids in failover order. */
  public List<String> exporters() {
    return targets.exporters();
  }
}
