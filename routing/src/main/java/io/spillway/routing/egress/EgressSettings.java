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
 * @param exporters at least one, in failover order, each id once; whoever makes them closes them
 * @param flow what the lane shares with others
 */
public record EgressSettings(
    List<Exporter> exporters, FailoverSettings failover, DrainSettings drain, LaneFlow flow) {

  /** With default draining, and without bounds of flow. */
  public EgressSettings(List<Exporter> exporters, FailoverSettings failover) {
    this(exporters, failover, DrainSettings.DEFAULT, LaneFlow.UNLIMITED);
  }

  public EgressSettings {
    exporters = List.copyOf(exporters);
    if (exporters.isEmpty()) {
      throw new IllegalArgumentException("exporters: none given (expected at least one)");
    }
    Set<String> ids = new HashSet<>();
    for (Exporter exporter : exporters) {
      if (!ids.add(exporter.id())) {
        throw new IllegalArgumentException(
            "exporters: \"" + exporter.id() + "\" is given twice (expected each id once)");
      }
    }
  }
}
