package io.spillway.routing.gate;

import io.spillway.otlp.Signal;
import io.spillway.routing.Glob;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a route takes: resources of these signals whose attributes all match.
 *
 * @param resource by attribute key: patterns of which one must match; a resource without the
 *     attribute does not match
 * @param sender whose requests
 */
public record RouteMatch(
    Set<Signal> signals, Map<String, List<Glob>> resource, SenderMatch sender) {
  /** Takes those of any sender. */
  public RouteMatch(Set<Signal> signals, Map<String, List<Glob>> resource) {
    this(signals, resource, SenderMatch.ANYBODY);
  }

  public RouteMatch {
    signals = Set.copyOf(signals);
    resource = Collections.unmodifiableMap(new LinkedHashMap<>(resource));
  }

  /** Whether the route takes every resource of its signals. */
  public boolean isCatchAll() {
    return resource.isEmpty() && sender.isAnybody();
  }
}
