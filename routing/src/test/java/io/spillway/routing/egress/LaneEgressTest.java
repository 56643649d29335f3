package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.Settlement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class LaneEgressTest {
  private final FakeLane lane = new FakeLane();
  private final Blocks blocks = new Blocks();
  private final FakeExporter primary = new FakeExporter("otlp_grpc/primary");
  private final FakeExporter secondary = new FakeExporter("otlp_http/secondary");
  private final LaneEgress egress = egress(EgressListener.NONE);

  private LaneEgress egress(EgressListener listener) {
    return new LaneEgress(
        lane,
        new EgressSettings(List.of(primary, secondary), Rig.FAILOVER),
        EgressMemory.NONE,
        InstantSource.fixed(FakeClock.START),
        System::nanoTime,
        new Random(7),
        listener);
  }

  @AfterEach
  void close() {
    egress.close(Duration.ZERO);
  }

  @Test
  void start_blocksInTheLane_areSentAndSettled() {
    for (int i = 0; i < 500; i++) {
      lane.stored.add(blocks.block("b" + i));
    }

    egress.start();

    await().until(() -> lane.settled.size() == 500);
    assertThat(lane.settled.values()).containsOnly(Rig.deliveredBy(primary, 1));
    await().until(() -> egress.status().blocks() == 0);
    assertThat(egress.status().lane()).isEqualTo(FakeLane.ID);
  }

  @Test
  void start_sinkHangs_readsNoMoreThanTheWindow() {
    primary.behaviour = FakeExporter.HANGS;
    for (int i = 0; i < 500; i++) {
      lane.stored.add(blocks.block("b" + i));
    }

    egress.start();

    await().until(() -> egress.status().blocks() == Dispatcher.MAX_WINDOW_BLOCKS);
    assertThat(lane.stored).hasSize(500 - Dispatcher.MAX_WINDOW_BLOCKS);
    assertThat(primary.calls).hasSize(ConcurrencyLimit.INITIAL);
  }

  @Test
  void retarget_running_failsOverByTheNewOrder() {
    primary.behaviour = _ -> new Outcome.SinkDown(ErrorClass.CONNECT, "refused");
    egress.start();
    lane.stored.add(blocks.block("a"));
    await().until(() -> !primary.calls.isEmpty());

    egress.retarget(new EgressSettings(List.of(secondary), Rig.FAILOVER));

    await().until(() -> lane.settled.size() == 1);
    assertThat(lane.settled).containsEntry(0L, Rig.deliveredBy(secondary, 1));
  }

  @Test
  void start_authFails_statusTellsWho() {
    primary.behaviour = _ -> new Outcome.SinkDown(ErrorClass.AUTH, "401");
    egress.start();
    lane.stored.add(blocks.block("a"));
    await().until(() -> lane.settled.size() == 1);

    await().until(() -> secondary.id().equals(egress.status().active()));

    EgressStatus.ExporterStatus status = egress.status().exporters().getFirst();
    assertThat(status.state()).isEqualTo(BreakerState.OPEN);
    assertThat(status.reason()).isEqualTo("auth: 401");
    assertThat(egress.status().transitions()).hasSize(1);
  }

  @Test
  void close_attemptsInFlight_settlesWhatFinishesAndLeavesTheRest() {
    primary.behaviour = FakeExporter.HANGS;
    egress.start();
    lane.stored.add(blocks.block("finishes"));
    await().until(() -> primary.calls.size() == 1);
    lane.stored.add(blocks.block("hangs"));
    await().until(() -> primary.calls.size() == 2);

    CompletableFuture<Void> closed =
        CompletableFuture.runAsync(() -> egress.close(Duration.ofSeconds(1)));
    primary.calls.get(0).answer().complete(new Outcome.Delivered());
    closed.join();

    assertThat(lane.settled).containsOnlyKeys(0L);
    assertThat(primary.calls.get(1).answer()).isCancelled();
    lane.stored.add(blocks.block("after"));
    assertThat(primary.calls).hasSize(2);
    assertThat(threads()).isEmpty();
  }

  @Test
  void close_unstartedAndTwice_isSafe() {
    egress.close(Duration.ZERO);
    egress.close();
    egress.start();
    egress.close();

    assertThat(threads()).isEmpty();
  }

  @Test
  void start_laneFailsToRead_goesOn() {
    lane.pollFailure = new IllegalStateException("disk");
    lane.stored.add(blocks.block("a"));

    egress.start();

    await().until(() -> lane.settled.size() == 1);
  }

  @Test
  void start_listenerThrows_settlesAllTheSame() {
    try (LaneEgress guarded =
        egress(
            new EgressListener() {
              @Override
              public void attempt(
                  LaneId id,
                  String exporter,
                  Outcome outcome,
                  Duration took,
                  long b,
                  long w,
                  int i) {
                throw new IllegalStateException("metrics");
              }

              @Override
              public void settled(LaneId id, Block block, Settlement settlement, Duration took) {
                throw new IllegalStateException("metrics");
              }
            })) {
      guarded.start();
      lane.stored.add(blocks.block("a"));
      lane.stored.add(blocks.block("b"));

      await().until(() -> lane.settled.size() == 2);
    }
  }

  @Test
  void start_unexpectedFailure_restartsTheLoop() {
    LaneEgress restarted =
        egress(
            new EgressListener() {
              @Override
              public void attempt(
                  LaneId id,
                  String exporter,
                  Outcome outcome,
                  Duration took,
                  long b,
                  long w,
                  int i) {
                if (lane.settled.isEmpty()
                    && Blocks.bodies(primary.lastCall().request()).contains("a")) {
                  throw new AssertionError("an error that nobody expects");
                }
              }
            });
    try (restarted) {
      restarted.start();
      lane.stored.add(blocks.block("a"));
      await().until(() -> primary.calls.size() == 1);
      lane.stored.add(blocks.block("b"));

      await().until(() -> lane.settled.containsKey(1L));
    }
  }

  /** Threads of any egress that are alive. */
  private static List<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("egress payments/logs"))
        .toList();
  }
}
