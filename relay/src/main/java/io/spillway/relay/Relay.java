package io.spillway.relay;

import io.spillway.buffer.Buffer;
import io.spillway.config.Problems;
import io.spillway.exporters.Exporters;
import io.spillway.otlp.codec.GzipLibrary;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Gate;
import io.spillway.receivers.Admission;
import io.spillway.receivers.OtlpReceiver;
import io.spillway.receivers.TenantConfig;
import io.spillway.receivers.Transport;
import io.spillway.relay.admin.AdminServer;
import io.spillway.relay.audit.EgressAudit;
import io.spillway.relay.telemetry.Meter;
import io.spillway.relay.telemetry.Meters;
import io.spillway.routing.egress.FlowControl;
import io.spillway.routing.egress.IdleProber;
import io.spillway.routing.gate.ItemRule;
import io.spillway.routing.gate.RoutingGate;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running relay: buffer, lanes with their egress, gate, receivers and admin server, wired
 * together.
 *
 * <p>Started in the order in which data could need the parts, and closed in the reverse: senders
 * are turned away first, what is in flight to sinks is finished, and the buffer is closed last.
 * {@link #reload} and {@link #close} are called by one thread at a time.
 */
final class Relay {

  private static final Logger log = LoggerFactory.getLogger(Relay.class);

  private static final Duration RETIRED_EXPORTER_DEADLINE = Duration.ofSeconds(30);

  private final EgressAudit audit;
  private final CurrentPolicy policy;
  private final Buffer buffer;
  private final Steering steering;
  private final Lanes lanes;
  private final IdleProber prober;
  private final Meters meters;
  private final QuotaMemory quotaMemory;
  private final FailoverMemory failoverMemory;
  private final FlowControl flow;
  private final Admission admission;
  private final AtomicReference<Gate> gate = new AtomicReference<>();
  private final OtlpReceiver receiver;
  private final StartCheck check;
  private final RelayView view;
  private @Nullable AdminServer admin;
  private volatile RelayConfig config;
  private Map<String, Exporter> exporters = Map.of();
  private final Exporters factory;
  private final LinkMeters linkMeters;
  private final EgressMeters egressMeters;

  private Relay(RelayConfig config, Buffer buffer) {
    this.config = config;
    this.audit = EgressAudit.start(config.audit(), buffer.clock());
    this.policy = new CurrentPolicy(config.policy(), audit);
    this.buffer = buffer;
    this.meters = new Meters(buffer.clock());
    this.steering = new Steering(config.buffer().directory(), buffer.clock());
    this.quotaMemory = new QuotaMemory(config.buffer().directory());
    this.flow = new FlowControl(InstantSource.system(), System::nanoTime, quotaMemory.recall());
    this.failoverMemory = new FailoverMemory(config.buffer().directory());
    this.lanes =
        new Lanes(
            buffer,
            meters,
            new RouteMemory(config.buffer().directory()),
            failoverMemory,
            steering,
            flow);
    this.prober = new IdleProber(buffer.clock(), RandomGenerator.getDefault(), meters::idleProbe);
    this.factory = new Exporters(policy);
    this.egressMeters = new EgressMeters(meters, policy, audit);
    this.linkMeters = new LinkMeters(meters, factory);
    this.admission = config.receivers().admission().create(Runtime.getRuntime().maxMemory());
    this.receiver =
        new OtlpReceiver(
            config.receivers(),
            () -> Objects.requireNonNull(gate.get()),
            admission,
            new CountingListener(buffer.received(), meters),
            this::accepts);
    this.check = new StartCheck(config.buffer().directory());
    this.view = new RelayView(lanes, buffer, receiver, meters, check, steering, flow);
  }

  /**
   * Starts a relay; when this returns it serves.
   *
   * @throws IOException naming what could not be opened or bound; nothing is left running
   */
  static Relay start(RelayConfig config) throws IOException {
    Relay relay =
        new Relay(config, Buffer.open(config.buffer(), InstantSource.system(), System::nanoTime));
    try {
      relay.start();
      return relay;
    } catch (IOException | RuntimeException e) {
      relay.close(Duration.ZERO);
      throw e;
    }
  }

  private void start() throws IOException {
    policy.record(config.reviewed());
    exporters = make(config);
    flow.onQuota(meters::quota);
    TenantConfig tenant = config.receivers().tenant();
    if (tenant != null) {
      meters.countTenants(tenant.maxTenants());
    }
    flow.apply(config.flow());
    quotaMemory.follow(flow);
    lanes.apply(config.routes(), config.lanes(), exporters, config.places());
    steer(config);
    steering.onChange(lanes::steer);
    lanes.whenOpened(() -> probe(this.config));
    buffer.lanesOpened();
    gate.set(gate(config));
    registerMeters();
    admin = new AdminServer(config.admin(), view);
    view.admin(admin.address());
    receiver.start();
    new ReceiverMeters(meters, receiver, buffer.clock()).register(config.receivers());
    view.state(RelayView.State.RUNNING);
    check.start();
    prober.start();
    // Takes a good part of a start; until then gzip is the JDK's.
    Thread.ofPlatform()
        .name("gzip library")
        .daemon()
        .start(() -> log.info("gzip: {}", GzipLibrary.load()));
    log.info(
        "ready: grpc={} http={} admin={}",
        Objects.requireNonNullElse(receiver.servedAt(Transport.GRPC), "off"),
        Objects.requireNonNullElse(receiver.servedAt(Transport.HTTP), "off"),
        text(admin.address()));
  }

  /**
   * What hangs on the configuration besides the lanes: orders that lose their object, and probes.
   */
  private void steer(RelayConfig applied) {
    steering.retain(applied.routes(), applied.places());
    lanes.steer();
    probe(applied);
  }

  private void probe(RelayConfig applied) {
    Map<String, Duration> intervals = new LinkedHashMap<>();
    applied.exporters().forEach((id, exporter) -> intervals.put(id, exporter.probeInterval()));
    prober.targets(IdleTargets.of(lanes.all(), intervals));
  }

  private Gate gate(RelayConfig wanted) {
    return new RoutingGate(
        wanted.routes(),
        lanes::lane,
        lanes::overQuota,
        new ItemRule(wanted.receivers().invalidItems(), meters::invalidItems));
  }

  private Map<String, Exporter> make(RelayConfig wanted) {
    Map<String, Exporter> made = new LinkedHashMap<>();
    try {
      wanted.exporters().forEach((id, exporter) -> made.put(id, factory.create(exporter)));
      return made;
    } catch (RuntimeException e) {
      made.values().forEach(exporter -> exporter.close(Duration.ZERO));
      throw e;
    }
  }

  /** Whether at least one lane would store a request now. */
  private boolean accepts() {
    return lanes.all().stream()
        .anyMatch(active -> !active.retired() && active.lane().refusal(1) == null);
  }

  private void registerMeters() {
    meters.gauge(Meter.RECEIVER_IN_FLIGHT, admission, Admission::inFlightBytes);
    meters.gauge(Meter.BUFFER_FREE, buffer, b -> b.disk().free());
    meters.gauge(Meter.BUFFER_RESERVED, buffer, b -> b.disk().reserved());
    egressMeters.register(config);
    linkMeters.register(config.exporters());
  }

  /** Where the admin server listens. */
  InetSocketAddress adminAddress() {
    return Objects.requireNonNull(admin).address();
  }

  /**
   * Puts another valid configuration into force: exporters, egress policy and routes. Lanes keep
   * their data and their state.
   *
   * @return why not; then nothing was changed. Empty if it is in force
   */
  List<Problems.Problem> reload(RelayConfig next) {
    List<Problems.Problem> problems = needRestart(next);
    if (!problems.isEmpty()) {
      return problems;
    }
    Map<String, Exporter> before = exporters;
    Map<String, Exporter> made = make(next);
    flow.apply(next.flow());
    try {
      lanes.apply(next.routes(), next.lanes(), made, next.places());
    } catch (IOException e) {
      made.values().forEach(exporter -> exporter.close(Duration.ZERO));
      return List.of(
          new Problems.Problem("buffer::directory", "cannot open a lane: " + e.getMessage()));
    }
    steer(next);
    gate.set(gate(next));
    exporters = made;
    audit.apply(next.audit());
    policy.set(next.policy());
    policy.record(next.reviewed());
    factory.recheck();
    config = next;
    egressMeters.register(next);
    linkMeters.register(next.exporters());
    Logging.apply(next.telemetry());
    closeUnused(before);
    return List.of();
  }

  /** Counts and audits the destinations that a configuration was refused for. */
  void refused(RelayConfig next) {
    policy.record(next.reviewed());
  }

  private List<Problems.Problem> needRestart(RelayConfig next) {
    List<Problems.Problem> problems = new ArrayList<>();
    needRestart(problems, "receivers", config.receivers(), next.receivers());
    needRestart(problems, "buffer", config.buffer(), next.buffer());
    needRestart(problems, "admin", config.admin(), next.admin());
    return problems;
  }

  private static void needRestart(
      List<Problems.Problem> problems, String path, Object now, Object next) {
    if (!now.equals(next)) {
      problems.add(
          new Problems.Problem(
              path,
              "changed, which a reload cannot do (expected as before: "
                  + now
                  + "). Restart to change it."));
    }
  }

  /**
   * What nothing uses any more is closed in the background, so that its attempts in flight can
   * finish.
   */
  private void closeUnused(Map<String, Exporter> before) {
    Set<Exporter> used = lanes.exportersInUse();
    List<Exporter> unused =
        before.values().stream().filter(exporter -> !used.contains(exporter)).toList();
    Thread.ofPlatform()
        .daemon()
        .name("close-exporters")
        .start(() -> unused.forEach(exporter -> exporter.close(RETIRED_EXPORTER_DEADLINE)));
  }

  /**
   * Stops: turns senders away, finishes what is in flight within the deadline, leaves the rest on
   * disk. Safe to call twice.
   */
  void close(Duration deadline) {
    view.state(RelayView.State.STOPPING);
    log.info("stopping: within {} s", deadline.toSeconds());
    check.close();
    prober.close();
    receiver.close(deadline);
    lanes.close(deadline);
    exporters.values().forEach(exporter -> exporter.close(Duration.ZERO));
    factory.close();
    audit.close();
    quotaMemory.close();
    failoverMemory.close();
    if (admin != null) {
      admin.close();
    }
    try {
      buffer.close();
    } catch (IOException e) {
      log.warn(
          "buffer: closed badly. What is stored is safe; at most the blocks in flight are sent"
              + " again.",
          e);
    }
    log.info("stopped");
  }

  private static String text(InetSocketAddress address) {
    return address.getHostString() + ":" + address.getPort();
  }
}
