package io.spillway.routing.gate;

import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The route tables of all signals. Those of signals in development are made when the first request
 * comes: their lanes cost threads and disk that most relays never need. Safe on any thread.
 */
final class RouteTables {
  private final List<RouteSettings> routes;
  private final Function<LaneId, @Nullable Lane> lanes;
  private final Map<Signal, RouteTable> stable = new EnumMap<>(Signal.class);

  /** Replaced as a whole. */
  private volatile Map<Signal, RouteTable> late = Map.of();

  /**
   * @param lanes opens lanes of signals in development; knows all others
   * @throws IllegalArgumentException as {@link RouteTable}
   */
  RouteTables(List<RouteSettings> routes, Function<LaneId, @Nullable Lane> lanes) {
    this.routes = routes;
    this.lanes = lanes;
    for (Signal signal : Signal.values()) {
      if (signal.isStable()) {
        stable.put(signal, new RouteTable(signal, routes, lanes));
      }
    }
  }

  /** Null if the table was not needed yet: then {@link #open} has to make it. */
  @Nullable RouteTable get(Signal signal) {
    RouteTable table = stable.get(signal);
    return table != null ? table : late.get(signal);
  }

  /** Makes the table unless there is one. May open lanes, and so wait for the disk. */
  synchronized RouteTable open(Signal signal) {
    RouteTable known = get(signal);
    if (known != null) {
      return known;
    }
    RouteTable table = new RouteTable(signal, routes, lanes);
    Map<Signal, RouteTable> more = new EnumMap<>(Signal.class);
    more.putAll(late);
    more.put(signal, table);
    late = more;
    return table;
  }
}
