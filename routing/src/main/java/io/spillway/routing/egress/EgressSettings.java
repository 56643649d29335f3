package io.spillway.routing.egress;

import io.spillway.otlp.stage.Exporter;
import io.spillway.routing.DrainSettings;
import io.spillway.routing.FailoverSettings;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Where a lane's data goes.
 *
 * @param levels at least one, in failover order, none empty, each exporter id once; the exporters
 *     of a level share the load. Whoever makes exporters closes them
 * @param orders what operators want meanwhile
 * @param flow what the lane shares with others
 */
public record EgressSettings(
    List<List<Exporter>> levels,
    FailoverSettings failover,
    OperatorOrders orders,
    DrainSettings drain,
    LaneFlow flow) {

  /** One exporter in each level, and no orders. */
  public EgressSettings(
      List<Exporter> exporters, FailoverSettings failover, DrainSettings drain, LaneFlow flow) {
    this(exporters.stream().map(List::of).toList(), failover, OperatorOrders.NONE, drain, flow);
  }

  /** One exporter in each level, no orders, defaults, and without bounds of flow. */
  public EgressSettings(List<Exporter> exporters, FailoverSettings failover) {
    this(exporters, failover, DrainSettings.DEFAULT, LaneFlow.UNLIMITED);
  }

  public EgressSettings {
    levels = levels.stream().map(List::copyOf).toList();
    if (levels.isEmpty() || levels.stream().anyMatch(List::isEmpty)) {
      throw new IllegalArgumentException("exporters: none given (expected at least one)");
    }
    Set<String> ids = new HashSet<>();
    for (Exporter exporter : flat(levels)) {
      if (!ids.add(exporter.id())) {
        throw new IllegalArgumentException(
            "exporters: \"" + exporter.id() + "\" is given twice (expected each id once)");
      }
    }
  }

  /** All exporters in failover order. */
  public List<Exporter> exporters() {
    return flat(levels);
  }

  /** The same with other orders. */
  public EgressSettings with(OperatorOrders others) {
    return new EgressSettings(levels, failover, others, drain, flow);
  }

  private static List<Exporter> flat(List<List<Exporter>> levels) {
    return levels.stream().flatMap(List::stream).toList();
  }
}
