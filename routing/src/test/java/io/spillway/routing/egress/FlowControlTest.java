package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.config.Problems;
import io.spillway.otlp.Codec;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Outcome;
import io.spillway.routing.egress.QuotaSettings.Action;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Lanes that share exporters, bandwidth and quotas, on one fake clock. */
@Timeout(30)
class FlowControlTest {
  private static final String PRIMARY = "otlp_grpc/primary";
  private static final String SECONDARY = "otlp_grpc/secondary";

  private final FakeClock clock = new FakeClock();
  private final FakeExporter primary = new FakeExporter(PRIMARY);
  private final FakeExporter secondary = new FakeExporter(SECONDARY);
  private FlowControl control = new FlowControl(clock, clock::nanos, Map.of());

  private void apply(FlowSettings ofPrimary) {
    control.apply(new FlowConfig(Map.of(PRIMARY, ofPrimary), Map.of()));
  }

  private void applyRoute(QuotaSettings quota) {
    control.apply(new FlowConfig(Map.of(), Map.of("payments", quota)));
  }

  private static FlowSettings quota(long bytes, Action action) {
    return new FlowSettings(16, 0, new QuotaSettings(bytes, action, 10));
  }

  private Rig lane(FakeExporter... exporters) {
    List<String> ids = Arrays.stream(exporters).map(FakeExporter::id).toList();
    return new Rig(clock, Rig.FAILOVER, control.lane("payments", ids), exporters);
  }

  /** Lets time pass for lanes in steps; each handles what is due. */
  private void pass(Duration time, Rig... lanes) {
    long end = clock.nanos() + time.toNanos();
    while (clock.nanos() < end) {
      long next = end;
      for (Rig lane : lanes) {
        next = Math.min(next, lane.dispatcher.nextStep(clock.nanos()));
      }
      assertThat(next).as("a busy loop").isGreaterThan(clock.nanos());
      clock.set(next);
      for (Rig lane : lanes) {
        lane.run();
      }
    }
  }

  private static String body(int bytes) {
    return "x".repeat(bytes);
  }

  private static void fill(Rig lane, int blocks, int bytes) {
    for (int i = 0; i < blocks; i++) {
      String body = body(bytes);
      lane.add(lane.blocks.block(Codec.NONE, List.of(List.of(body))));
    }
  }

  private static long sent(FakeExporter exporter) {
    return exporter.calls.stream().mapToLong(call -> call.request().payload().length()).sum();
  }

  // ---- concurrency

  @Test
  void step_maxConcurrency_isNotExceeded() {
    primary.behaviour = FakeExporter.HANGS;
    apply(new FlowSettings(2, 0, null));
    Rig lane = lane(primary);

    fill(lane, 10, 200_000);

    assertThat(lane.dispatcher.attemptsInFlight()).isEqualTo(2);
    assertThat(lane.dispatcher.concurrencyLimit(PRIMARY)).isEqualTo(2);
  }

  @Test
  void step_largePayloads_areBoundedTogether() {
    primary.behaviour = FakeExporter.HANGS;
    primary.maxRequestBytes = 64 << 20;
    apply(new FlowSettings(64, 0, null));
    Rig lane = lane(primary);

    fill(lane, 4, 9 << 20);

    assertThat(lane.dispatcher.attemptsInFlight()).isEqualTo(2);
  }

  @Test
  void step_fastSink_growsToItsMaximum() {
    apply(new FlowSettings(8, 0, null));
    primary.behaviour = FakeExporter.HANGS;
    Rig lane = lane(primary);
    for (int i = 0; i < 400; i++) {
      fill(lane, 1, 200_000);
      if (primary.calls.size() >= lane.dispatcher.concurrencyLimit(PRIMARY)) {
        clock.advance(Duration.ofMillis(10));
        primary.calls.forEach(call -> call.answer().complete(new Outcome.Delivered()));
        primary.calls.clear();
        lane.run();
      }
    }

    assertThat(lane.dispatcher.concurrencyLimit(PRIMARY)).isEqualTo(8);
  }

  @Test
  void finished_throttled_halves() {
    apply(new FlowSettings(8, 0, null));
    primary.behaviour = _ -> new Outcome.Retry(Duration.ofSeconds(1), ErrorClass.THROTTLED, "429");
    Rig lane = lane(primary);

    fill(lane, 1, 100);

    assertThat(lane.dispatcher.concurrencyLimit(PRIMARY)).isEqualTo(2);
  }

  // ---- isolation

  @Test
  void lanes_sinkOfOneHangs_theOtherIsNotDelayed() {
    FakeExporter dead = new FakeExporter("otlp_grpc/dead", FakeExporter.HANGS);
    apply(FlowSettings.DEFAULT);
    Rig stuck = lane(dead);
    Rig healthy = lane(primary);
    fill(stuck, Dispatcher.MAX_WINDOW_BLOCKS, 200_000);

    for (int i = 0; i < 100; i++) {
      fill(healthy, 1, 1_000);
      pass(Duration.ofMillis(10), stuck, healthy);
    }

    assertThat(healthy.endToEnd).hasSize(100);
    assertThat(primary.calls).hasSize(100);
    assertThat(healthy.lane.settled).hasSize(100);
    assertThat(stuck.lane.settled).isEmpty();
  }

  @Test
  void lanes_oneExporterHangsForBoth_eachHasItsOwnSlots() {
    primary.behaviour = FakeExporter.HANGS;
    apply(FlowSettings.DEFAULT);
    Rig one = lane(primary);
    Rig other = lane(primary);

    fill(one, 20, 200_000);
    fill(other, 20, 200_000);

    assertThat(one.dispatcher.attemptsInFlight()).isEqualTo(ConcurrencyLimit.INITIAL);
    assertThat(other.dispatcher.attemptsInFlight()).isEqualTo(ConcurrencyLimit.INITIAL);
  }

  // ---- bandwidth

  @Test
  void cap_oneLane_isKeptOverTime() {
    apply(new FlowSettings(16, 1_000_000, null));
    Rig lane = lane(primary);
    fill(lane, 60, 200_000);

    pass(Duration.ofSeconds(5), lane);

    assertThat(sent(primary)).isBetween(4_800_000L, 5_500_000L);
    assertThat(lane.dispatcher.attemptsInFlight()).as("none waits in a slot").isZero();
  }

  @Test
  void cap_twoLanes_shareItAndNeitherStarves() {
    apply(new FlowSettings(16, 1_000_000, null));
    Rig one = lane(primary);
    Rig other = lane(primary);
    fill(one, 60, 200_000);
    fill(other, 60, 200_000);

    pass(Duration.ofSeconds(8), one, other);

    long ofOne = one.lane.settled.size();
    long ofOther = other.lane.settled.size();
    assertThat(sent(primary)).isBetween(7_800_000L, 8_700_000L);
    assertThat(ofOne).isBetween(ofOther - 1, ofOther + 1);
  }

  @Test
  void cap_busyLaneBesideQuietOne_quietOneNeverWaitsLong() {
    apply(new FlowSettings(16, 1_000_000, null));
    Rig busy = lane(primary);
    Rig quiet = lane(primary);
    fill(busy, 60, 200_000);

    for (int i = 0; i < 5; i++) {
      fill(quiet, 1, 1_000);
      pass(Duration.ofSeconds(1), busy, quiet);
      assertThat(quiet.lane.settled).hasSize(i + 1);
    }
  }

  @Test
  void cap_otherExporter_isNotConcerned() {
    apply(new FlowSettings(16, 1_000_000, null));
    Rig capped = lane(primary);
    Rig free = lane(secondary);
    fill(capped, 30, 200_000);

    fill(free, 30, 200_000);

    assertThat(free.lane.settled).hasSize(30);
    assertThat(capped.lane.settled.size()).isLessThan(5);
  }

  @Test
  void cap_nothingLeftForTheNetwork_isPaidBack() {
    apply(new FlowSettings(16, 10_000, null));
    primary.countsWire = false;
    primary.behaviour = FakeExporter.REFUSES;
    Rig lane = lane(primary);
    fill(lane, 1, 1_000_000);
    primary.countsWire = true;
    primary.behaviour = FakeExporter.TAKES;

    pass(Duration.ofSeconds(3), lane);

    assertThat(lane.lane.settled).hasSize(1);
  }

  // ---- quotas

  @Test
  void quota_usedUp_nextExporterTakesOverUntilMidnight() {
    apply(quota(1_000_000, Action.NEXT_EXPORTER));
    Rig lane = lane(primary, secondary);
    fill(lane, 5, 200_000);
    assertThat(lane.status().active()).isEqualTo(SECONDARY);

    fill(lane, 5, 200_000);

    assertThat(primary.calls).hasSize(5);
    assertThat(secondary.calls).hasSize(5);
    assertThat(lane.status().exporters().getFirst().bars())
        .extracting(Bar::reason)
        .containsExactly("exporters::otlp_grpc/primary::quota of 1000000 bytes a day is used up");

    pass(Duration.ofHours(14).plusSeconds(2), lane);
    fill(lane, 1, 100);
    assertThat(lane.status().active()).isEqualTo(PRIMARY);
    assertThat(primary.calls).hasSize(6);
  }

  @Test
  void quota_usedUpAndNoneLeft_dataStaysInTheLane() {
    apply(quota(1_000_000, Action.NEXT_EXPORTER));
    Rig lane = lane(primary);

    fill(lane, 10, 200_000);
    pass(Duration.ofHours(1), lane);

    assertThat(primary.calls).hasSize(5);
    assertThat(lane.lane.settled).hasSize(5);
    assertThat(lane.status().blocks()).isEqualTo(5);

    pass(Duration.ofHours(14), lane);
    assertThat(lane.lane.settled).hasSize(10);
  }

  @Test
  void quota_retries_count() {
    apply(quota(1_000_000, Action.REFUSE));
    primary.behaviour = FakeExporter.FAILS;
    Rig lane = lane(primary);

    fill(lane, 1, 100_000);
    pass(Duration.ofMinutes(3), lane);

    assertThat(primary.calls.size()).isGreaterThan(3);
    assertThat(control.quotas().getFirst().used()).isEqualTo(sent(primary));
  }

  @Test
  void quota_sharedByLanes_barsItForAll() {
    apply(quota(1_000_000, Action.NEXT_EXPORTER));
    Rig one = lane(primary, secondary);
    Rig other = lane(primary, secondary);
    fill(one, 5, 200_000);

    fill(other, 1, 100);

    assertThat(other.status().active()).isEqualTo(SECONDARY);
    assertThat(primary.calls).hasSize(5);
  }

  @Test
  void quota_ofRoute_barsItsFirstExporterForItAlone() {
    applyRoute(new QuotaSettings(1_000_000, Action.NEXT_EXPORTER, 10));
    Rig lane = lane(primary, secondary);
    Rig elsewhere = new Rig(clock, Rig.FAILOVER, control.lane("other", List.of(PRIMARY)), primary);

    fill(lane, 6, 200_000);
    fill(elsewhere, 1, 100);

    assertThat(secondary.calls).hasSize(1);
    assertThat(elsewhere.lane.settled).hasSize(1);
  }

  @Test
  void overQuota_actions_sayWhatTheGateDoes() {
    applyRoute(new QuotaSettings(1_000_000, Action.REFUSE, 10));
    LaneFlow flow = control.lane("payments", List.of(PRIMARY));
    assertThat(flow.overQuota(PRIMARY, "")).isNull();

    assertThat(flow.charge(PRIMARY, 1_000_000)).isZero();
    assertThat(flow.overQuota(PRIMARY, ""))
        .isEqualTo(
            new OverQuota.Refuse(
                Duration.ofMinutes(1),
                "resource exhausted: routes::payments::quota of 1000000 bytes a day is used up"
                    + " until 00:00 UTC"));

    applyRoute(new QuotaSettings(1_000_000, Action.SAMPLE, 5));
    assertThat(flow.overQuota(null, "")).isEqualTo(new OverQuota.Sample(5));

    applyRoute(new QuotaSettings(2_000_000, Action.SAMPLE, 5));
    assertThat(flow.overQuota(null, "")).isNull();
  }

  @Test
  void overQuota_exporterThatIsNotActive_isNotAsked() {
    apply(quota(1_000_000, Action.REFUSE));
    LaneFlow flow = control.lane("payments", List.of(PRIMARY, SECONDARY));
    assertThat(flow.charge(PRIMARY, 1_000_000)).isZero();

    assertThat(flow.overQuota(PRIMARY, "")).isInstanceOf(OverQuota.Refuse.class);
    assertThat(flow.overQuota(SECONDARY, "")).isNull();
    assertThat(flow.overQuota(null, "")).isNull();
  }

  @Test
  void restore_ofToday_goesOnAndOfYesterday_doesNot() {
    apply(quota(1_000_000, Action.REFUSE));
    assertThat(control.lane("payments", List.of(PRIMARY)).charge(PRIMARY, 600_000)).isZero();
    Map<String, Quota.Use> remembered =
        control.quotas().stream().collect(Collectors.toMap(Quota::name, Quota::use));

    control = new FlowControl(clock, clock::nanos, remembered);
    apply(quota(1_000_000, Action.REFUSE));
    assertThat(control.quotas().getFirst().used()).isEqualTo(600_000);

    clock.advance(Duration.ofDays(1));
    assertThat(control.quotas().getFirst().used()).isZero();
    control = new FlowControl(clock, clock::nanos, remembered);
    apply(quota(1_000_000, Action.REFUSE));
    assertThat(control.quotas().getFirst().used()).isZero();
  }

  @Test
  void add_manyThreads_countsAll() {
    apply(quota(1L << 40, Action.REFUSE));
    LaneFlow flow = control.lane("payments", List.of(PRIMARY));

    IntStream.range(0, 10_000).parallel().forEach(_ -> flow.charge(PRIMARY, 7));

    assertThat(control.quotas().getFirst().used()).isEqualTo(70_000);
  }

  // ---- configuration

  private static FlowConfig read(String yaml, List<String> problems) {
    Configuration configuration = ConfigurationLoader.parse("test", yaml, Map.of());
    FlowConfig config = FlowConfig.read(configuration.root());
    configuration.problems().all().stream().map(Problems.Problem::toString).forEach(problems::add);
    return config;
  }

  @Test
  void read_keys_areTaken() {
    List<String> problems = new ArrayList<>();
    FlowConfig config =
        read(
            """
            exporters:
              otlp_grpc/primary:
                max_concurrency: 32
                max_bytes_per_second: 10MiB
                quota: { per_day: 100GiB, action: sample, percentage: 25 }
              file/archive: {}
            routes:
              - { name: payments, quota: { per_day: 1GiB } }
              - { name: default }
            """,
            problems);

    assertThat(problems).isEmpty();
    assertThat(config.exporters())
        .containsEntry(
            PRIMARY,
            new FlowSettings(32, 10 << 20, new QuotaSettings(100L << 30, Action.SAMPLE, 25)))
        .containsEntry("file/archive", FlowSettings.DEFAULT);
    assertThat(config.routes())
        .isEqualTo(Map.of("payments", new QuotaSettings(1 << 30, Action.NEXT_EXPORTER, 10)));
  }

  @Test
  void read_badValues_areProblemsWithPathAndRemedy() {
    List<String> problems = new ArrayList<>();
    read(
        """
        exporters:
          otlp_grpc/primary: { max_concurrency: 0, max_bytes_per_second: 10B }
          file/archive: { max_bytes_per_second: 1MiB }
        routes:
          - { name: a, quota: { action: refuse, percentage: 5 } }
          - { name: b, quota: { per_day: 1GiB, action: sample, percentage: 0 } }
        """,
        problems);

    assertThat(String.join("\n", problems))
        .contains("exporters::otlp_grpc/primary::max_concurrency: 0 is out of range")
        .contains("exporters::otlp_grpc/primary::max_bytes_per_second: \"10B\" is out of range")
        .contains("exporters::file/archive::max_bytes_per_second: counts bytes on the network")
        .contains("per_day: missing (expected bytes on the wire, such as 100GiB)")
        .contains("percentage: is for action: sample alone")
        .contains("percentage: 0 keeps nothing");
  }
}
