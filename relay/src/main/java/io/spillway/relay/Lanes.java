package io.spillway.relay;

import io.spillway.buffer.Buffer;
import io.spillway.buffer.LaneSettings;
import io.spillway.otlp.Codec;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.relay.telemetry.Meter;
import io.spillway.relay.telemetry.Meters;
import io.spillway.routing.egress.EgressMemory;
import io.spillway.routing.egress.EgressSettings;
import io.spillway.routing.egress.EgressStatus;
import io.spillway.routing.egress.FlowControl;
import io.spillway.routing.egress.LaneEgress;
import io.spillway.routing.egress.OperatorOrders;
import io.spillway.routing.egress.OverQuota;
import io.spillway.routing.gate.ExporterPlace;
import io.spillway.routing.gate.RouteSettings;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open lanes, each with its egress. A lane whose route is gone is retired: it takes nothing new
 * and drains to the exporters it had ({@link RetiredRoute}).
 *
 * <p>Safe on any thread.
 */
final class Lanes {

  private static final Logger log = LoggerFactory.getLogger(Lanes.class);

  private final Buffer buffer;
  private final Meters meters;
  private final RouteMemory memory;
  private final EgressMemory pasts;
  private final Steering steering;
  private final FlowControl flow;
  private final Map<LaneId, ActiveLane> active = new ConcurrentHashMap<>();

  /** Lanes of signals in development that nothing was sent to yet. Guarded by this. */
  private final Map<LaneId, Latent> latent = new HashMap<>();

  /** Whose gauges are registered. Guarded by this. */
  private final Set<Metered> metered = new HashSet<>();

  private volatile Runnable whenOpened = () -> {};

  Lanes(
      Buffer buffer,
      Meters meters,
      RouteMemory memory,
      EgressMemory pasts,
      Steering steering,
      FlowControl flow) {
    this.buffer = buffer;
    this.meters = meters;
    this.memory = memory;
    this.pasts = pasts;
    this.steering = steering;
    this.flow = flow;
  }

  /** Takes what to do when a lane was opened by its first request. */
  void whenOpened(Runnable action) {
    whenOpened = action;
  }

  /**
   * The lane that a route writes to. Every lane of every route that was applied exists; of signals
   * in development it is opened now if it was not yet, which may wait for the disk.
   */
  Lane lane(LaneId id) {
    ActiveLane lane = active.get(id);
    if (lane == null) {
      lane = openLatent(id);
      whenOpened.run();
    }
    return lane.lane();
  }

  private synchronized ActiveLane openLatent(LaneId id) {
    Latent found = latent.remove(id);
    if (found != null) {
      EgressSettings egress = found.egress.with(orders(id, false));
      point(open(id, egress, found.settings), egress, false, null);
      log.info("lane {}: opened by the first request of its signal", id);
    }
    ActiveLane lane = active.get(id);
    if (lane == null) {
      throw new IllegalStateException("lane " + id + " is not open");
    }
    return lane;
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
   * Opens the lanes of these routes, those of signals in development only if they hold or held
   * something, points them at their exporters, and retires the others.
   *
   * @param settings of the lanes of each route, by its name
   * @param exporters by id; every id in the routes is there
   * @param places where they send, by id
   * @throws IOException if the buffer directory cannot be listed
   */
  synchronized void apply(
      List<RouteSettings> routes,
      Map<String, LaneSettings> settings,
      Map<String, Exporter> exporters,
      Map<String, ExporterPlace> places)
      throws IOException {
    Set<LaneId> present = new HashSet<>(active.keySet());
    present.addAll(buffer.onDisk());
    Map<LaneId, EgressSettings> wanted = new LinkedHashMap<>();
    latent.clear();
    for (RouteSettings route : routes) {
      EgressSettings egress =
          new EgressSettings(
              route.targets().levels().stream()
                  .map(level -> level.stream().map(id -> exporter(exporters, id)).toList())
                  .toList(),
              route.failover(),
              steering.orders(route.name()),
              route.drain(),
              flow.lane(route.name(), route.exporters()));
      route
          .match()
          .signals()
          .forEach(
              signal -> {
                LaneId id = new LaneId(route.name(), signal);
                if (signal.isStable() || present.contains(id)) {
                  wanted.put(id, egress);
                } else {
                  latent.put(id, new Latent(egress, find(settings, route.name())));
                }
              });
    }
    Map<LaneId, Lane> opened = new LinkedHashMap<>();
    wanted.forEach((id, egress) -> opened.put(id, open(id, egress, find(settings, id.route()))));
    wanted.forEach(
        (id, egress) -> point(Objects.requireNonNull(opened.get(id)), egress, false, null));
    retire(wanted.keySet(), exporters, places);
    memory.remember(routes);
  }

  /** Gives every lane the orders that operators now have for it. */
  synchronized void steer() {
    active.replaceAll((id, lane) -> steered(lane));
  }

  private ActiveLane steered(ActiveLane lane) {
    EgressSettings last = lane.settings();
    if (lane.egress() == null || last == null) {
      return lane;
    }
    EgressSettings next = last.with(orders(lane.lane().id(), lane.retired()));
    if (!next.equals(last)) {
      lane.egress().retarget(next);
    }
    return new ActiveLane(lane.lane(), lane.egress(), next, lane.retired(), lane.problem());
  }

  /** The pin of a route that is gone is gone too; exporters are paused for all lanes. */
  private OperatorOrders orders(LaneId lane, boolean retired) {
    OperatorOrders orders = steering.orders(lane.route());
    return retired ? new OperatorOrders(null, orders.pauses()) : orders;
  }

  private static LaneSettings find(Map<String, LaneSettings> settings, String route) {
    return Objects.requireNonNull(settings.get(route), "every route has settings of its lanes");
  }

  private static Exporter exporter(Map<String, Exporter> exporters, String id) {
    Exporter exporter = exporters.get(id);
    if (exporter == null) {
      throw new IllegalStateException("exporter " + id + " was not made");
    }
    return exporter;
  }

  /** Also gives a lane that is open already what its route now says. */
  private Lane open(LaneId id, EgressSettings egress, LaneSettings settings) {
    return buffer.lane(id, egress.exporters().getFirst().codec(), settings);
  }

  private void point(
      Lane lane, EgressSettings settings, boolean retired, @Nullable String problem) {
    Exporter first = settings.exporters().getFirst();
    lane.codec(first.codec());
    lane.gzipPassthrough(first.gzipPassthrough());
    ActiveLane before = active.get(lane.id());
    LaneEgress running = before == null ? null : before.egress();
    if (running != null) {
      running.retarget(settings);
      active.put(lane.id(), new ActiveLane(lane, running, settings, retired, problem));
    } else {
      LaneEgress egress =
          new LaneEgress(
              lane,
              settings,
              pasts,
              buffer.clock(),
              System::nanoTime,
              RandomGenerator.getDefault(),
              meters);
      active.put(lane.id(), new ActiveLane(lane, egress, settings, retired, problem));
      egress.start();
      meters.lane(lane);
    }
    settings.exporters().forEach(exporter -> registerMeters(lane.id(), exporter.id()));
  }

  /** Once, as they look up by name what a reload may have changed. */
  private void registerMeters(LaneId lane, String exporter) {
    if (!metered.add(new Metered(lane, exporter))) {
      return;
    }
    meters.exporter(
        Meter.EXPORTER_ACTIVE,
        lane,
        exporter,
        this,
        lanes -> lanes.isActive(lane, exporter) ? 1 : 0);
    meters.exporter(
        Meter.EXPORTER_STATE, lane, exporter, this, lanes -> lanes.state(lane, exporter));
    meters.exporter(
        Meter.EXPORTER_CONCURRENCY,
        lane,
        exporter,
        this,
        lanes -> lanes.concurrencyLimit(lane, exporter));
    meters.exporter(
        Meter.EXPORTER_IN_FLIGHT, lane, exporter, this, lanes -> lanes.inFlight(lane, exporter));
  }

  /** What a quota that is used up asks of new data of a lane; null if nothing. */
  @Nullable OverQuota overQuota(LaneId id, String tenant) {
    ActiveLane lane = active.get(id);
    if (lane == null || lane.egress() == null || lane.settings() == null) {
      return null;
    }
    return lane.settings().flow().overQuota(lane.egress().status().active(), tenant);
  }

  private double concurrencyLimit(LaneId lane, String exporter) {
    ActiveLane found = active.get(lane);
    return found == null || found.egress() == null
        ? Double.NaN
        : found.egress().concurrencyLimit(exporter);
  }

  private double inFlight(LaneId lane, String exporter) {
    return of(lane, exporter, EgressStatus.ExporterStatus::attemptsInFlight);
  }

  private boolean isActive(LaneId lane, String exporter) {
    EgressStatus status = status(lane);
    return status != null
        && status.exporters().stream()
            .anyMatch(found -> found.active() && found.id().equals(exporter));
  }

  private double state(LaneId lane, String exporter) {
    return of(lane, exporter, Lanes::stateValue);
  }

  /** A number of one exporter of a lane; not a number if there is no such one. */
  private double of(
      LaneId lane, String exporter, ToDoubleFunction<EgressStatus.ExporterStatus> value) {
    EgressStatus status = status(lane);
    return status == null
        ? Double.NaN
        : status.exporters().stream()
            .filter(found -> found.id().equals(exporter))
            .mapToDouble(value)
            .findFirst()
            .orElse(Double.NaN);
  }

  private @Nullable EgressStatus status(LaneId lane) {
    ActiveLane found = active.get(lane);
    return found == null || found.egress() == null ? null : found.egress().status();
  }

  private static double stateValue(EgressStatus.ExporterStatus status) {
    return switch (status.state()) {
      case CLOSED -> 0;
      case RECOVERING -> 1;
      case OPEN -> 2;
    };
  }

  /**
   * Lets lanes without a route drain, those that are open now and those found on disk: to the
   * exporters that their routes had, as their routes would have sent.
   */
  private void retire(
      Set<LaneId> wanted, Map<String, Exporter> exporters, Map<String, ExporterPlace> places)
      throws IOException {
    Set<LaneId> without = new LinkedHashSet<>(buffer.onDisk());
    all().forEach(lane -> without.add(lane.lane().id()));
    without.removeAll(wanted);
    for (LaneId id : without) {
      ActiveLane known = active.get(id);
      List<Exporter> present = known == null ? List.of() : known.exporters();
      LastRoute last = memory.recall(id.route());
      if (last == null) {
        last = LastRoute.of(ids(present));
      }
      drain(id, known, last, RetiredRoute.of(last, exporters, places, present));
    }
  }

  /**
   * Every lane on disk is opened, so that the ledger and the disk budget know it, even if nothing
   * can take its data.
   */
  private void drain(LaneId id, @Nullable ActiveLane known, LastRoute last, RetiredRoute route) {
    List<Exporter> sinks = route.exporters();
    Lane lane =
        known != null
            ? known.lane()
            : buffer.lane(id, sinks.isEmpty() ? Codec.GZIP : sinks.getFirst().codec());
    if (sinks.isEmpty()) {
      strand(lane, known, route);
      return;
    }
    EgressSettings settings =
        new EgressSettings(
            route.levels(),
            last.failover(),
            orders(id, true),
            last.drain(),
            flow.lane(id.route(), ids(sinks)));
    point(lane, settings, true, route.problem());
    if (known == null || !known.retired() || known.egress() == null) {
      log.info(
          "lane {}: its route is gone. {} items drain to {}.{}",
          id,
          lane.status().items(),
          ids(sinks),
          route.problem() == null ? "" : " " + route.problem() + ".");
    }
  }

  private void strand(Lane lane, @Nullable ActiveLane known, RetiredRoute route) {
    String why = route.problem() == null ? "it is not known where it sent" : route.problem();
    String problem =
        "its route is gone and no exporter is left to drain to (%s). Its data stays on disk;"
                .formatted(why)
            + " configure one of them, or the route, to drain it.";
    active.put(lane.id(), new ActiveLane(lane, null, null, true, problem));
    if (known == null) {
      meters.lane(lane);
    }
    if (lane.status().items() > 0) {
      log.error("lane {}: {} ({} items)", lane.id(), problem, lane.status().items());
    }
  }

  private static List<String> ids(List<Exporter> exporters) {
    return exporters.stream().map(Exporter::id).toList();
  }

  /** Stops reading; what is in flight gets until the deadline, the rest stays on disk. */
  void close(Duration deadline) {
    List<Thread> closing =
        active.values().stream()
            .map(ActiveLane::egress)
            .filter(Objects::nonNull)
            .map(egress -> Thread.ofVirtual().start(() -> egress.close(deadline)))
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

  /** An exporter that a lane writes to, or wrote to before a reload. */
  private record Metered(LaneId lane, String exporter) {}

  /** What a lane gets that is not open yet. */
  private record Latent(EgressSettings egress, LaneSettings settings) {}

  /**
   * An open lane.
   *
   * @param egress null if no exporter of the lane is configured
   * @param settings what the egress was last given; null without one
   * @param retired whether its route is gone
   * @param problem why a retired lane does not drain as its route sent; null if it does
   */
  record ActiveLane(
      Lane lane,
      @Nullable LaneEgress egress,
      @Nullable EgressSettings settings,
      boolean retired,
      @Nullable String problem) {

    List<Exporter> exporters() {
      return settings == null ? List.of() : settings.exporters();
    }
  }
}
