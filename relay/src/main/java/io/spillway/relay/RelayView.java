package io.spillway.relay;

import io.spillway.buffer.Buffer;
import io.spillway.buffer.DiskStatus;
import io.spillway.buffer.LaneReport;
import io.spillway.buffer.ReceivedCounts;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.DeadLetterStatus;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.LaneLedger;
import io.spillway.otlp.stage.LaneStatus;
import io.spillway.receivers.OtlpReceiver;
import io.spillway.receivers.Transport;
import io.spillway.relay.admin.AdminSteering;
import io.spillway.relay.admin.AdminView;
import io.spillway.relay.telemetry.Meters;
import io.spillway.relay.telemetry.TenantTraffic;
import io.spillway.routing.egress.Bar;
import io.spillway.routing.egress.EgressStatus;
import io.spillway.routing.egress.FlowControl;
import io.spillway.routing.egress.Quota;
import io.spillway.routing.egress.Transition;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The state of a relay as the admin API shows it. Safe on any thread. */
final class RelayView implements AdminView {

  /** Where a relay stands in its life. */
  enum State {
    STARTING,
    RUNNING,
    STOPPING
  }

  private static final Duration DROP_TIMEOUT = Duration.ofSeconds(30);

  private final Lanes lanes;
  private final Buffer buffer;
  private final OtlpReceiver receiver;
  private final Meters meters;
  private final StartCheck check;
  private final AdminSteering steering;
  private final FlowControl flow;
  private volatile State state = State.STARTING;
  private volatile @Nullable InetSocketAddress admin;

  RelayView(
      Lanes lanes,
      Buffer buffer,
      OtlpReceiver receiver,
      Meters meters,
      StartCheck check,
      AdminSteering steering,
      FlowControl flow) {
    this.flow = flow;
    this.lanes = lanes;
    this.buffer = buffer;
    this.receiver = receiver;
    this.meters = meters;
    this.check = check;
    this.steering = steering;
  }

  void state(State next) {
    state = next;
  }

  void admin(InetSocketAddress address) {
    admin = address;
  }

  @Override
  public boolean ready() {
    return state == State.RUNNING;
  }

  @Override
  public AdminSteering steering() {
    return steering;
  }

  @Override
  public String metrics() {
    return meters.scrape();
  }

  @Override
  public Map<String, Object> status() {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("version", ProgramVersion.text());
    body.put("state", state.name().toLowerCase(Locale.ROOT));
    body.put("pid", ProcessHandle.current().pid());
    Map<String, Object> receivers = new LinkedHashMap<>();
    for (Transport transport : Transport.values()) {
      String servedAt = receiver.servedAt(transport);
      if (servedAt != null) {
        receivers.put(transport.label(), servedAt);
      }
    }
    body.put("receivers", receivers);
    putAddress(body, "admin", admin);
    body.put("disk", disk(buffer.disk()));
    body.put("quotas", flow.quotas().stream().map(RelayView::quota).toList());
    body.put("tenants", meters.tenants().all().stream().map(RelayView::tenant).toList());
    body.put("lanes", lanes.all().stream().filter(RelayView::isShown).map(this::lane).toList());
    return body;
  }

  private static Map<String, Object> quota(Quota quota) {
    long used = quota.used();
    long limit = quota.settings().bytesPerDay();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("name", quota.name());
    body.put("used_bytes", used);
    body.put("limit_bytes", limit);
    body.put("used_percent", 100.0 * used / limit);
    body.put("action", quota.settings().action().name().toLowerCase(Locale.ROOT));
    body.put("used_up", used >= limit);
    return body;
  }

  private static Map<String, Object> tenant(TenantTraffic.Sent sent) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("tenant", sent.tenant());
    body.put("route", sent.lane().route());
    body.put("signal", sent.lane().signal().label());
    body.put("exporter", sent.exporter());
    body.put("wire_bytes", sent.wireBytes());
    body.put("items", sent.items());
    return body;
  }

  private static Map<String, Object> deadLetters(DeadLetterStatus letters) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("letters", letters.letters());
    body.put("items", letters.items());
    body.put("bytes", letters.bytes());
    return body;
  }

  private static void putAddress(
      Map<String, Object> body, String key, @Nullable InetSocketAddress address) {
    if (address != null) {
      body.put(key, address.getHostString() + ":" + address.getPort());
    }
  }

  private static Map<String, Object> disk(DiskStatus disk) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("free_bytes", disk.free());
    body.put("min_free_bytes", disk.minFree());
    body.put("reserved_bytes", disk.reserved());
    body.put("max_bytes", disk.max());
    return body;
  }

  /** A lane whose route is gone is shown until it is empty; the ledger keeps it. */
  private static boolean isShown(Lanes.ActiveLane active) {
    return !active.retired() || active.lane().status().items() > 0;
  }

  private Map<String, Object> lane(Lanes.ActiveLane active) {
    LaneStatus status = active.lane().status();
    EgressStatus egress = active.egress() == null ? null : active.egress().status();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("route", active.lane().id().route());
    body.put("signal", active.lane().id().signal().label());
    body.put("retired", active.retired());
    body.put("problem", active.problem());
    body.put("items", status.items());
    body.put("blocks", status.blocks());
    body.put("bytes", status.bytes());
    body.put("disk_bytes", status.diskBytes());
    body.put("backlog_items", status.backlogItems());
    body.put("backlog_bytes", status.backlogBytes());
    body.put("oldest_age_seconds", ageSeconds(status.oldest()));
    body.put("full", status.full());
    body.put("held", status.held());
    body.put("dead_letters", deadLetters(active.lane().deadLetters()));
    body.put("acked_not_synced_bytes", status.unsyncedBytes());
    body.put("last_sync_age_seconds", ageSeconds(status.lastSync()));
    body.put("start_check", startCheck(active.lane().id()));
    body.put("active", egress == null ? null : egress.active());
    body.put("pin", egress == null || egress.pin() == null ? null : Steering.shown(egress.pin()));
    body.put("waiting_until", egress == null ? null : text(egress.waitingUntil()));
    body.put(
        "exporters",
        egress == null ? List.of() : egress.exporters().stream().map(RelayView::exporter).toList());
    body.put(
        "transitions",
        egress == null
            ? List.of()
            : egress.transitions().stream().map(RelayView::transition).toList());
    return body;
  }

  /** What counting the lane anew after the start found; null until it is done. */
  private @Nullable Map<String, Object> startCheck(LaneId lane) {
    LaneReport report = check.report(lane);
    if (report == null) {
      return null;
    }
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("blocks", report.blocks());
    body.put("waiting_items", report.waiting());
    body.put("missing_items", report.missing());
    body.put("findings", report.findings());
    return body;
  }

  private static Map<String, Object> transition(Transition transition) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("exporter", transition.exporter());
    body.put("from", transition.from().label());
    body.put("to", transition.to().label());
    body.put("when", transition.when().toString());
    body.put("lasted_seconds", transition.lasted().toMillis() / 1000.0);
    body.put("who", transition.who());
    body.put("reason", transition.reason());
    return body;
  }

  private @Nullable Double ageSeconds(@Nullable Instant since) {
    return since == null
        ? null
        : Math.max(0, Duration.between(since, buffer.clock().instant()).toMillis()) / 1000.0;
  }

  private static Map<String, Object> exporter(EgressStatus.ExporterStatus status) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("id", status.id());
    body.put("level", status.level());
    body.put("active", status.active());
    body.put("state", status.state().label());
    body.put("since", status.since().toString());
    body.put("reason", status.reason());
    body.put("attempts_in_flight", status.attemptsInFlight());
    body.put("last_attempt", text(status.lastAttempt()));
    body.put("next_attempt", text(status.nextAttempt()));
    body.put("left_alone_until", text(status.leftAloneUntil()));
    body.put("last_error", status.lastError());
    body.put("bars", status.bars().stream().map(RelayView::bar).toList());
    return body;
  }

  private static Map<String, Object> bar(Bar bar) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("cause", bar.cause().label());
    body.put("who", bar.who());
    body.put("reason", bar.reason());
    body.put("since", bar.since().toString());
    body.put("until", text(bar.until()));
    return body;
  }

  private static @Nullable String text(@Nullable Instant time) {
    return time == null ? null : time.toString();
  }

  @Override
  public Map<String, Object> ledger() {
    List<LaneLedger> ledgers = lanes.all().stream().map(lane -> lane.lane().ledger()).toList();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put(
        "unaccounted", ledgers.stream().mapToLong(ledger -> Math.abs(ledger.unaccounted())).sum());
    Map<String, Object> received = new LinkedHashMap<>();
    for (ReceivedCounts.Kind kind : ReceivedCounts.Kind.values()) {
      received.put(kind.name().toLowerCase(Locale.ROOT), counts(kind));
    }
    body.put("received", received);
    body.put("lanes", ledgers.stream().map(RelayView::ledger).toList());
    return body;
  }

  @Override
  public OptionalLong drop(String lane) throws IOException {
    for (Lanes.ActiveLane active : lanes.all()) {
      LaneId id = active.lane().id();
      if (id.toString().equals(lane)) {
        return OptionalLong.of(drop(id));
      }
    }
    return OptionalLong.empty();
  }

  private long drop(LaneId id) throws IOException {
    try {
      return buffer.drop(id).get(DROP_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("lane " + id + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("lane " + id + ": interrupted", e);
    }
  }

  private Map<String, Long> counts(ReceivedCounts.Kind kind) {
    Map<String, Long> counts = new LinkedHashMap<>();
    for (Signal signal : Signal.values()) {
      counts.put(signal.label(), buffer.received().get(signal, kind));
    }
    return counts;
  }

  private static Map<String, Object> ledger(LaneLedger ledger) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("route", ledger.lane().route());
    body.put("signal", ledger.lane().signal().label());
    body.put("routed", ledger.routed());
    body.put("sampled_out", ledger.sampledOut());
    body.put("delivered", ledger.delivered());
    body.put("rejected", ledger.rejected());
    body.put("dropped", dropped(ledger));
    body.put("buffered", ledger.buffered());
    body.put("redelivered", ledger.redelivered());
    body.put("unaccounted", ledger.unaccounted());
    return body;
  }

  private static Map<String, Long> dropped(LaneLedger ledger) {
    Map<String, Long> dropped = new LinkedHashMap<>();
    for (DropReason reason : DropReason.values()) {
      dropped.put(reason.label(), ledger.dropped().getOrDefault(reason.label(), 0L));
    }
    return dropped;
  }
}
