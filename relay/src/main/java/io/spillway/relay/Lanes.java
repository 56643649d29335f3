package io.spillway.relay;

import io.spillway.buffer.Buffer;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.relay.telemetry.Meter;
import io.spillway.relay.telemetry.Meters;
import io.spillway.routing.egress.EgressSettings;
import io.spillway.routing.egress.EgressStatus;
import io.spillway.routing.egress.LaneEgress;
import io.spillway.routing.gate.RouteSettings;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open lanes, each with its egress. A lane whose route is gone is retired: it takes nothing new
 * and drains to the exporters it had.
 *
 * <p>{@link #apply} is called by one thread at a time; the rest is safe on any thread.
 */
final class Lanes {

  private static final Logger log = LoggerFactory.getLogger(Lanes.class);

  private final Buffer buffer;
  private final Meters meters;
  private final RouteMemory memory;
  private final Map<LaneId, ActiveLane> active = new ConcurrentHashMap<>();

  Lanes(Buffer buffer, Meters meters, RouteMemory memory) {
    this.buffer = buffer;
    this.meters = meters;
    this.memory = memory;
  }

  /** The lane that a route writes to. Every lane of every route that was applied exists. */
  Lane lane(LaneId id) {
    ActiveLane lane = active.get(id);
    if (lane == null) {
      throw new IllegalStateException("lane " + id + " is not open");
    }
    return lane.lane();
  }

  Collection<ActiveLane> all() {
    return active.values().stream()
        .sorted((a, b) -> a.lane().id().toString().compareTo(b.lane().id().toString()))
        .toList();
  }

  /** Exporters that lanes use now, retired lanes included. */
  Set<Exporter> exportersInUse() {
    Set<Exporter> used = new HashSet<>();
    active.values().forEach(lane -> used.addAll(lane.exporters()));
    return used;
  }

  /**
   * Opens the lanes of these routes, points them at their exporters, and retires the others.
   *
   * @param exporters by id; every id in the routes is there
   * @throws IOException if the buffer directory cannot be listed
   */
  void apply(List<RouteSettings> routes, Map<String, Exporter> exporters) throws IOException {
    Map<LaneId, EgressSettings> wanted = new LinkedHashMap<>();
    for (RouteSettings route : routes) {
      EgressSettings settings =
          new EgressSettings(
              route.exporters().stream().map(id -> find(exporters, id)).toList(), route.failover());
      route
          .match()
          .signals()
          .forEach(signal -> wanted.put(new LaneId(route.name(), signal), settings));
    }
    Map<LaneId, Lane> opened = new LinkedHashMap<>();
    for (var entry : wanted.entrySet()) {
      opened.put(entry.getKey(), open(entry.getKey(), entry.getValue()));
    }
    wanted.forEach((id, settings) -> point(Objects.requireNonNull(opened.get(id)), settings, false));
    retire(wanted.keySet(), exporters);
    memory.remember(routes);
  }

  private static Exporter find(Map<String, Exporter> exporters, String id) {
    Exporter exporter = exporters.get(id);
    if (exporter == null) {
      throw new IllegalStateException("exporter " + id + " was not made");
    }
    return exporter;
  }

  private Lane open(LaneId id, EgressSettings settings) {
    ActiveLane open = active.get(id);
    return open != null ? open.lane() : buffer.lane(id, settings.exporters().getFirst().codec());
  }

  private void point(Lane lane, EgressSettings settings, boolean retired) {
    lane.codec(settings.exporters().getFirst().codec());
    ActiveLane before = active.get(lane.id());
    if (before != null) {
      before.egress().retarget(settings);
      active.put(lane.id(), new ActiveLane(lane, before.egress(), settings.exporters(), retired));
    } else {
      LaneEgress egress =
          new LaneEgress(lane, settings, InstantSource.system(), System::nanoTime, RandomGenerator.getDefault(), meters);
      active.put(lane.id(), new ActiveLane(lane, egress, settings.exporters(), retired));
      egress.start();
      meters.lane(lane);
    }
    settings.exporters().forEach(exporter -> registerMeters(lane.id(), exporter.id()));
  }

  private void registerMeters(LaneId lane, String exporter) {
    meters.exporter(
        Meter.EXPORTER_ACTIVE,
        lane,
        exporter,
        this,
        lanes -> lanes.isActive(lane, exporter) ? 1 : 0);
    meters.exporter(
        Meter.EXPORTER_STATE, lane, exporter, this, lanes -> lanes.state(lane, exporter));
  }

  private boolean isActive(LaneId lane, String exporter) {
    ActiveLane found = active.get(lane);
    return found != null && exporter.equals(found.egress().status().active());
  }

  private double state(LaneId lane, String exporter) {
    ActiveLane found = active.get(lane);
    if (found == null) {
      return Double.NaN;
    }
    return found.egress().status().exporters().stream()
        .filter(status -> status.id().equals(exporter))
        .mapToDouble(Lanes::stateValue)
        .findFirst()
        .orElse(Double.NaN);
  }

  private static double stateValue(EgressStatus.ExporterStatus status) {
    return switch (status.state()) {
      case CLOSED -> 0;
      case RECOVERING -> 1;
      case OPEN -> 2;
    };
  }

  /**
   * Lets lanes without a route drain: those open now to the exporters they have, those found on
   * disk to the ones remembered.
   */
  private void retire(Set<LaneId> wanted, Map<String, Exporter> exporters) throws IOException {
    for (ActiveLane lane : List.copyOf(active.values())) {
      if (!wanted.contains(lane.lane().id()) && !lane.retired()) {
        log.info(
            "lane {}: its route is gone. It drains to {}.",
            lane.lane().id(),
            ids(lane.exporters()));
        active.put(
            lane.lane().id(), new ActiveLane(lane.lane(), lane.egress(), lane.exporters(), true));
      }
    }
    for (LaneId id : buffer.onDisk()) {
      if (!active.containsKey(id)) {
        drainFound(id, exporters);
      }
    }
  }

  private void drainFound(LaneId id, Map<String, Exporter> exporters) {
    List<Exporter> last = new ArrayList<>();
    RouteMemory.Entry remembered = memory.recall(id.route());
    for (String exporter : remembered.exporters()) {
      if (exporters.containsKey(exporter)) {
        last.add(find(exporters, exporter));
      }
    }
    if (last.isEmpty()) {
      log.error(
          "lane {}: its route is gone and none of its exporters {} is configured. Its data stays on"
              + " disk; configure one of them, or the route, to drain it.",
          id,
          remembered.exporters());
      return;
    }
    Lane lane = buffer.lane(id, last.getFirst().codec());
    point(lane, new EgressSettings(last, remembered.failover()), true);
    log.info(
        "lane {}: its route is gone. {} items drain to {}.", id, lane.status().items(), ids(last));
  }

  private static List<String> ids(List<Exporter> exporters) {
    return exporters.stream().map(Exporter::id).toList();
  }

  /** Stops reading; what is in flight gets until the deadline, the rest stays on disk. */
  void close(Duration deadline) {
    List<Thread> closing =
        active.values().stream()
            .map(lane -> Thread.ofVirtual().start(() -> lane.egress().close(deadline)))
            .toList();
    for (Thread thread : closing) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** A lane in use. */
  record ActiveLane(Lane lane, LaneEgress egress, List<Exporter> exporters, boolean retired) {}
}
