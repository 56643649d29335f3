package io.spillway.relay;

import io.spillway.buffer.BufferConfig;
import io.spillway.buffer.LaneSettings;
import io.spillway.config.Configuration;
import io.spillway.config.Problems;
import io.spillway.config.Section;
import io.spillway.exporters.ExporterConfig;
import io.spillway.otlp.stage.DialPolicy.Denial;
import io.spillway.receivers.OtlpReceiverConfig;
import io.spillway.relay.admin.AdminConfig;
import io.spillway.relay.telemetry.TelemetryConfig;
import io.spillway.routing.gate.ExporterPlace;
import io.spillway.routing.gate.RouteConfig;
import io.spillway.routing.gate.RouteSettings;
import io.spillway.routing.policy.EgressPolicy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The whole configuration, read by the components that own its parts.
 *
 * @param lanes what the lanes of each route may use and promise, by the route's name
 */
record RelayConfig(
    OtlpReceiverConfig receivers,
    BufferConfig buffer,
    Map<String, ExporterConfig> exporters,
    EgressPolicy policy,
    List<RouteSettings> routes,
    Map<String, LaneSettings> lanes,
    AdminConfig admin,
    TelemetryConfig telemetry) {

  /**
   * Reads and checks everything. Problems, unknown keys and denied destinations included, are in
   * {@code configuration.problems()}; the result is good for use only if there are none.
   */
  static RelayConfig read(Configuration configuration) {
    Section root = configuration.root();
    Map<String, ExporterConfig> exporters = ExporterConfig.readAll(root);
    BufferConfig buffer = BufferConfig.read(root.section("buffer"));
    List<RouteSettings> routes = RouteConfig.readAll(root, places(exporters));
    RelayConfig config =
        new RelayConfig(
            OtlpReceiverConfig.read(root.section("receivers")),
            buffer,
            exporters,
            EgressPolicy.read(root).withListener(EgressAudit::write),
            routes,
            lanes(root, buffer),
            AdminConfig.read(root.section("admin")),
            TelemetryConfig.read(root.section("telemetry")));
    config.reportDenied(configuration.problems());
    configuration.reportUnknownKeys();
    return config;
  }

  /** Where what each exporter sends ends up: on this machine, if it dials nowhere. */
  Map<String, ExporterPlace> places() {
    return places(exporters);
  }

  private static Map<String, ExporterPlace> places(Map<String, ExporterConfig> exporters) {
    Map<String, ExporterPlace> places = new LinkedHashMap<>();
    exporters.forEach(
        (id, exporter) ->
            places.put(
                id, new ExporterPlace(exporter.region(), exporter.destinations().isEmpty())));
    return places;
  }

  private static Map<String, LaneSettings> lanes(Section root, BufferConfig buffer) {
    Map<String, LaneSettings> lanes = new LinkedHashMap<>();
    for (Section route : root.sections("routes")) {
      lanes.put(route.string("name", ""), buffer.readRoute(route.section("buffer")));
    }
    return lanes;
  }

  private void reportDenied(Problems problems) {
    exporters.forEach(
        (id, exporter) ->
            exporter
                .destinations()
                .forEach(
                    destination -> {
                      Denial denial =
                          policy.checkExporter(
                              id, destination.host(), destination.port(), exporter.region());
                      if (denial != null) {
                        problems.add(
                            "exporters::" + id,
                            "%s:%d is denied by the egress policy, %s: %s"
                                .formatted(
                                    destination.host(),
                                    destination.port(),
                                    denial.rule(),
                                    denial.reason()));
                      }
                    }));
  }
}
