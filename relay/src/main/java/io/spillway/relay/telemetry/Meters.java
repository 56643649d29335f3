package io.spillway.relay.telemetry;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.spillway.exporters.CertificateExpiry;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.LaneLedger;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.Settlement;
import io.spillway.otlp.wire.Flaw;
import io.spillway.receivers.ReceiverListener;
import io.spillway.receivers.Transport;
import io.spillway.receivers.TurnedAway;
import io.spillway.routing.egress.EgressListener;
import io.spillway.routing.egress.Quota;
import io.spillway.routing.egress.Transition;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The process's meters. Receivers and egress report to it on their own threads; gauges read their
 * subject when scraped.
 */
public final class Meters implements ReceiverListener, EgressListener {

  private static final double GIB = 1 << 30;
  private static final double[] PERCENTILES = {0.5, 0.95, 0.99};

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Map<ReceiverKey, ReceiverMeters> receivers = new ConcurrentHashMap<>();
  private final InstantSource clock;
  private volatile Map<String, Double> costsPerGib = Map.of();
  private volatile TenantTraffic tenants = new TenantTraffic(0, _ -> {});

  /** Has a row for each certificate that is known at the time of a scrape. */
  private final MultiGauge certificates =
      MultiGauge.builder(Meter.EXPORTER_CERTIFICATE_EXPIRY.id())
          .baseUnit(Meter.EXPORTER_CERTIFICATE_EXPIRY.unit())
          .description(Meter.EXPORTER_CERTIFICATE_EXPIRY.meaning())
          .register(registry);

  private volatile Supplier<List<CertificateExpiry>> knownCertificates = List::of;

  /** What a configuration has that the next one may not have. Guarded by this. */
  private final List<io.micrometer.core.instrument.Meter> egress = new ArrayList<>();

  public Meters(InstantSource clock) {
    this.clock = clock;
  }

  /** All meters in Prometheus text format. */
  public synchronized String scrape() {
    certificates.register(
        knownCertificates.get().stream().map(this::certificateRow).toList(), true);
    return registry.scrape();
  }

  private MultiGauge.Row<Number> certificateRow(CertificateExpiry certificate) {
    return MultiGauge.Row.of(
        Tags.of("exporter", certificate.exporter(), "holder", certificate.holder()),
        Duration.between(clock.instant(), certificate.at()).toSeconds());
  }

  /** Takes where to ask, at each scrape, for certificates that may expire. */
  public void certificates(Supplier<List<CertificateExpiry>> known) {
    knownCertificates = known;
  }

  @Override
  public void answered(
      Signal signal, Transport transport, long wireBytes, Answer answer, Duration elapsed) {
    int rejected = answer instanceof Answer.Accepted accepted ? accepted.rejected() : 0;
    receivers
        .computeIfAbsent(
            new ReceiverKey(signal, transport, Outcomes.of(answer)), this::receiverMeters)
        .record(wireBytes, answer.items() - rejected, elapsed);
    if (rejected > 0) {
      receivers
          .computeIfAbsent(
              new ReceiverKey(signal, transport, Outcomes.INVALID), this::receiverMeters)
          .items()
          .increment(rejected);
    }
  }

  /** Items were found that strict sinks refuse the whole request for. Safe on any thread. */
  public void invalidItems(Signal signal, Flaw.Kind flaw, int items, boolean rejected) {
    Tags tags =
        Tags.of(
            "signal", signal.label(),
            "reason", flaw.label(),
            "action", rejected ? "rejected" : "passed");
    counter(Meter.RECEIVER_INVALID, tags).increment(items);
  }

  @Override
  public void turnedAway(Transport transport, TurnedAway reason) {
    Tags tags = Tags.of("transport", transport.label(), "reason", reason.label());
    counter(Meter.RECEIVER_TURNED_AWAY, tags).increment();
  }

  /** Registers a gauge of a listener; {@code subject} is held weakly. */
  public <T> void receiver(Meter meter, Transport transport, T subject, ToDoubleFunction<T> value) {
    gauge(meter, Tags.of("transport", transport.label()), subject, value);
  }

  @Override
  public void attempt(
      LaneId lane,
      String exporter,
      Outcome outcome,
      Duration elapsed,
      long payloadBytes,
      long wireBytes,
      int items) {
    Tags tags = tags(lane).and("exporter", exporter);
    counter(Meter.EXPORTER_ATTEMPTS, tags.and("outcome", Outcomes.of(outcome))).increment();
    counter(Meter.EXPORTER_WIRE_BYTES, tags).increment(wireBytes);
    addCost(tags, exporter, wireBytes);
    timer(Meter.EXPORTER_ATTEMPT_DURATION, tags).record(elapsed);
    ErrorClass error = Outcomes.error(outcome);
    if (error != null) {
      counter(Meter.EXPORTER_ERRORS, tags.and("reason", error.label())).increment();
    }
  }

  @Override
  public void sent(LaneId lane, String exporter, String tenant, long wireBytes, int items) {
    tenants.add(lane, exporter, tenant, wireBytes, items);
  }

  /**
   * Counts by tenant from now on.
   *
   * @param maxTenants that are shown by name
   */
  public void countTenants(int maxTenants) {
    tenants = new TenantTraffic(maxTenants, this::tenantMeters);
  }

  /** What was sent for each tenant. */
  public TenantTraffic tenants() {
    return tenants;
  }

  private void tenantMeters(TenantTraffic.Sent row) {
    Tags tags = tags(row.lane()).and("exporter", row.exporter(), "tenant", row.tenant());
    var _ = functionCounter(Meter.TENANT_WIRE_BYTES, tags, row, TenantTraffic.Sent::wireBytes);
    var _ = functionCounter(Meter.TENANT_ITEMS, tags, row, TenantTraffic.Sent::items);
  }

  /** An empty request was sent to an exporter that had nothing to do. Safe on any thread. */
  public void idleProbe(String exporter, Signal signal, Outcome outcome) {
    Tags tags =
        Tags.of("exporter", exporter, "signal", signal.label(), "outcome", Outcomes.of(outcome));
    counter(Meter.EXPORTER_IDLE_PROBES, tags).increment();
  }

  private void addCost(Tags tags, String exporter, long wireBytes) {
    double costPerGib = costsPerGib.getOrDefault(exporter, 0.0);
    if (costPerGib > 0) {
      counter(Meter.EXPORTER_COST, tags).increment(costPerGib * wireBytes / GIB);
    }
  }

  /** Takes what a GiB on the wire costs from now on, by exporter id. */
  public void costsPerGib(Map<String, Double> costs) {
    costsPerGib = Map.copyOf(costs);
  }

  @Override
  public void settled(LaneId lane, Block block, Settlement settlement, Duration endToEnd) {
    timer(Meter.EXPORTER_DELIVERY_DURATION, tags(lane)).record(endToEnd);
  }

  @Override
  public void transition(LaneId lane, Transition transition) {
    String state = transition.to().label();
    counter(
            Meter.EXPORTER_TRANSITIONS,
            tags(lane).and("exporter", transition.exporter(), "state", state))
        .increment();
  }

  /** Registers the meters of a lane. Calling it again for the same lane changes nothing. */
  public void lane(Lane lane) {
    Tags tags = tags(lane.id());
    gauge(Meter.LANE_ITEMS, tags, lane, l -> l.status().items());
    gauge(Meter.LANE_BACKLOG, tags, lane, l -> l.status().backlogItems());
    gauge(Meter.LANE_BYTES, tags, lane, l -> l.status().bytes());
    gauge(Meter.LANE_DISK, tags, lane, l -> l.status().diskBytes());
    gauge(Meter.LANE_AGE, tags, lane, l -> ageSeconds(l.status().oldest(), 0));
    gauge(Meter.LANE_UNSYNCED, tags, lane, l -> l.status().unsyncedBytes());
    gauge(Meter.LANE_SYNC_AGE, tags, lane, l -> ageSeconds(l.status().lastSync(), Double.NaN));
    count(Meter.LANE_ROUTED, tags, lane, LaneLedger::routed);
    count(Meter.LANE_SAMPLED_OUT, tags, lane, LaneLedger::sampledOut);
    count(Meter.LANE_DELIVERED, tags, lane, l -> sum(l.delivered()));
    count(Meter.LANE_REJECTED, tags, lane, l -> sum(l.rejected()));
    count(Meter.LANE_DROPPED, tags, lane, l -> sum(l.dropped()));
    count(Meter.LANE_REDELIVERED, tags, lane, LaneLedger::redelivered);
    gauge(Meter.LANE_UNACCOUNTED, tags, lane, l -> l.ledger().unaccounted());
    gauge(Meter.LANE_DEAD_LETTER_ITEMS, tags, lane, l -> l.deadLetters().items());
    gauge(Meter.LANE_DEAD_LETTER_BYTES, tags, lane, l -> l.deadLetters().bytes());
    functionCounter(Meter.LANE_DEAD_LETTER_DISCARDED, tags, lane, l -> l.deadLetters().discarded());
    functionCounter(Meter.LANE_DEAD_LETTER_FAILED, tags, lane, l -> l.deadLetters().notKept());
    gauge(Meter.EXPORTER_SUCCESS_RATIO, tags, lane, l -> successRatio(l.ledger()));
  }

  /** Registers a gauge of one exporter of a lane; {@code subject} is held weakly. */
  public <T> void exporter(
      Meter meter, LaneId lane, String exporter, T subject, ToDoubleFunction<T> value) {
    gauge(meter, tags(lane).and("exporter", exporter), subject, value);
  }

  /** Registers the meters of a quota; it is held weakly. */
  public void quota(Quota quota) {
    Tags tags = Tags.of("quota", quota.name());
    gauge(Meter.QUOTA_USED, tags, quota, Quota::used);
    gauge(Meter.QUOTA_LIMIT, tags, quota, q -> q.settings().bytesPerDay());
  }

  /** Registers a gauge of an exporter of all lanes; {@code subject} is held weakly. */
  public <T> void exporter(Meter meter, String exporter, T subject, ToDoubleFunction<T> value) {
    gauge(meter, Tags.of("exporter", exporter), subject, value);
  }

  /** Registers a counter of an exporter of all lanes; {@code subject} is held weakly. */
  public <T> void exporterCount(
      Meter meter, String exporter, T subject, ToDoubleFunction<T> value) {
    functionCounter(meter, Tags.of("exporter", exporter), subject, value);
  }

  /** Registers a gauge without tags; {@code subject} is held weakly. */
  public <T> void gauge(Meter meter, T subject, ToDoubleFunction<T> value) {
    gauge(meter, Tags.empty(), subject, value);
  }

  /** Registers a counter without tags; {@code subject} is held weakly. */
  public <T> void count(Meter meter, T subject, ToDoubleFunction<T> value) {
    var _ = functionCounter(meter, Tags.empty(), subject, value);
  }

  /** Registers a counter of verdicts of the egress policy; {@code subject} is held weakly. */
  public synchronized <T> void decisions(
      String rule, String about, String verdict, T subject, ToDoubleFunction<T> value) {
    Tags tags = Tags.of("rule", rule, "about", about, "verdict", verdict);
    egress.add(functionCounter(Meter.EGRESS_DECISIONS, tags, subject, value));
  }

  /** Registers whether an exporter sends unencrypted; {@code subject} is held weakly. */
  public synchronized <T> void plaintext(String exporter, T subject, ToDoubleFunction<T> value) {
    egress.add(gauge(Meter.EGRESS_PLAINTEXT, Tags.of("exporter", exporter), subject, value));
  }

  /** Takes away what {@link #decisions} and {@link #plaintext} registered. */
  public synchronized void forgetEgress() {
    egress.forEach(registry::remove);
    egress.clear();
  }

  private double ageSeconds(@Nullable Instant since, double ifNever) {
    return since == null
        ? ifNever
        : Math.max(0, Duration.between(since, clock.instant()).toMillis()) / 1000.0;
  }

  private static double successRatio(LaneLedger ledger) {
    long delivered = sum(ledger.delivered());
    long settled = delivered + sum(ledger.rejected()) + sum(ledger.dropped());
    return settled == 0 ? 1 : (double) delivered / settled;
  }

  private static long sum(Map<String, Long> counts) {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  private ReceiverMeters receiverMeters(ReceiverKey key) {
    Tags tags =
        Tags.of(
            "signal",
            key.signal().label(),
            "transport",
            key.transport().name().toLowerCase(Locale.ROOT));
    Tags withOutcome = tags.and("outcome", key.outcome());
    return new ReceiverMeters(
        counter(Meter.RECEIVER_REQUESTS, withOutcome),
        counter(Meter.RECEIVER_ITEMS, withOutcome),
        counter(Meter.RECEIVER_WIRE_BYTES, tags),
        timer(Meter.RECEIVER_DURATION, tags));
  }

  private static Tags tags(LaneId lane) {
    return Tags.of("route", lane.route(), "signal", lane.signal().label());
  }

  private Counter counter(Meter meter, Tags tags) {
    return Counter.builder(meter.id())
        .baseUnit(meter.unit())
        .description(meter.meaning())
        .tags(tags)
        .register(registry);
  }

  private Timer timer(Meter meter, Tags tags) {
    return Timer.builder(meter.id())
        .description(meter.meaning())
        .tags(tags)
        .publishPercentiles(PERCENTILES)
        .register(registry);
  }

  private <T> Gauge gauge(Meter meter, Tags tags, T subject, ToDoubleFunction<T> value) {
    return Gauge.builder(meter.id(), subject, value)
        .baseUnit(meter.unit())
        .description(meter.meaning())
        .tags(tags)
        .register(registry);
  }

  private void count(Meter meter, Tags tags, Lane lane, ToLongFunction<LaneLedger> value) {
    functionCounter(meter, tags, lane, l -> value.applyAsLong(l.ledger()));
  }

  private <T> FunctionCounter functionCounter(
      Meter meter, Tags tags, T subject, ToDoubleFunction<T> value) {
    return FunctionCounter.builder(meter.id(), subject, value)
        .baseUnit(meter.unit())
        .description(meter.meaning())
        .tags(tags)
        .register(registry);
  }

  private record ReceiverKey(Signal signal, Transport transport, String outcome) {}

  private record ReceiverMeters(
      Counter requests, Counter items, Counter wireBytes, Timer duration) {
    void record(long bytes, int count, Duration elapsed) {
      requests.increment();
      items.increment(count);
      wireBytes.increment(bytes);
      duration.record(elapsed);
    }
  }

  /** Tag values of answers and outcomes. */
  private static final class Outcomes {
    static final String INVALID = "invalid";

    static String of(Answer answer) {
      return switch (answer) {
        case Answer.Accepted a -> "accepted";
        case Answer.Invalid i -> INVALID;
        case Answer.NotServed n -> "not_served";
        case Answer.TooLarge t -> "too_large";
        case Answer.Unavailable u -> "unavailable";
      };
    }

    static String of(Outcome outcome) {
      return switch (outcome) {
        case Outcome.Delivered d -> "delivered";
        case Outcome.Retry r -> "retry";
        case Outcome.TooLarge t -> "too_large";
        case Outcome.BadData b -> "bad_data";
        case Outcome.SinkDown s -> "sink_down";
      };
    }

    static @Nullable ErrorClass error(Outcome outcome) {
      return switch (outcome) {
        case Outcome.Delivered d -> d.malformed() ? ErrorClass.PROTOCOL : null;
        case Outcome.Retry r -> r.error();
        case Outcome.TooLarge t -> ErrorClass.TOO_LARGE;
        case Outcome.BadData b -> ErrorClass.BAD_DATA;
        case Outcome.SinkDown s -> s.error();
      };
    }
  }
}
