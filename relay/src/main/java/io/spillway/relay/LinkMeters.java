package io.spillway.relay;

import io.spillway.exporters.ExporterConfig;
import io.spillway.exporters.Exporters;
import io.spillway.relay.telemetry.Meter;
import io.spillway.relay.telemetry.Meters;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Registers what the connections of exporters have to show. */
final class LinkMeters {
  private final Meters meters;
  private final Exporters exporters;

  LinkMeters(Meters meters, Exporters exporters) {
    this.meters = meters;
    this.exporters = exporters;
  }

  /** Also to be called after a reload; what is registered stays. */
  void register(Map<String, ExporterConfig> configs) {
    Map<String, Double> costs = new HashMap<>();
    configs.forEach((id, config) -> costs.put(id, config.costPerGib()));
    meters.costsPerGib(costs);
    configs.forEach(
        (id, config) -> {
          if (!config.destinations().isEmpty()) {
            register(id);
          }
        });
    List<String> ids = List.copyOf(configs.keySet());
    meters.certificates(
        () -> ids.stream().flatMap(id -> exporters.certificates(id).stream()).toList());
  }

  private void register(String id) {
    meters.exporterCount(Meter.EXPORTER_SOCKET_SENT, id, exporters, e -> e.sentBytes(id));
    meters.exporterCount(Meter.EXPORTER_SOCKET_RECEIVED, id, exporters, e -> e.receivedBytes(id));
    meters.exporter(Meter.EXPORTER_CONNECTIONS, id, exporters, e -> e.connections(id));
    meters.exporter(Meter.EXPORTER_PORTS_USED, id, exporters, e -> e.portsUsed(id));
    if (EphemeralPorts.count(EphemeralPorts.LINUX).isPresent()) {
      meters.exporter(
          Meter.EXPORTER_PORTS_AVAILABLE,
          id,
          exporters,
          e -> EphemeralPorts.count(EphemeralPorts.LINUX).orElse(0));
    }
  }
}
