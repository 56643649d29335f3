package io.spillway.routing.gate;

import java.util.List;
import java.util.Set;

/**
 * Where a route sends.
 *
 * @param levels component ids in failover order; those of a level share the load
 * @param regions where data of the route may be; empty for anywhere
 */
public record RouteTargets(List<List<String>> levels, Set<String> regions) {
  public RouteTargets {
    levels = levels.stream().map(List::copyOf).toList();
    regions = Set.copyOf(regions);
  }

  /** One exporter in each level, in any region. */
  public static RouteTargets inOrder(List<String> exporters) {
    return new RouteTargets(exporters.stream().map(List::of).toList(), Set.of());
  }

  /** All exporters in failover order. */
  public List<String> exporters() {
    return levels.stream().flatMap(List::stream).toList();
  }

  /** Why data of the route may not go to a place; empty if it may. */
  public String objection(ExporterPlace place) {
    if (regions.isEmpty() || place.local() || regions.contains(String.valueOf(place.region()))) {
      return "";
    }
    return place.region() == null ? "says no region" : "is in region " + place.region();
  }
}
