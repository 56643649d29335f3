package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.Settlement;
import io.spillway.routing.FailoverSettings;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.function.LongPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Long outages on a fast clock, with default settings and a backlog behind the window: nothing is
 * lost, nothing is unaccounted for, and what arrives twice was counted as sent again.
 */
@Timeout(60)
class OutageSimulationTest {
  private static final Duration AFTER = FailoverSettings.DEFAULT.after();
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofHours(24);

  /** The times, in nanoseconds of the clock, between two moments. */
  private static LongPredicate during(Duration from, Duration to) {
    return now -> now >= from.toNanos() && now < to.toNanos();
  }

  private static boolean never(long now) {
    return now < 0;
  }

  private static long second(long now) {
    return Duration.ofNanos(now).toSeconds();
  }

  @Test
  void primaryDeadForADay_secondaryTakesOverInTimeAndGivesBack() {
    World world = new World(during(HOUR, HOUR.plus(DAY)), OutageSimulationTest::never);

    world.run(DAY.plus(HOUR.multipliedBy(2)), Duration.ofSeconds(20));

    assertThat(world.longestDelivery()).isLessThanOrEqualTo(AFTER.plusSeconds(1));
    assertThat(world.rig.status().active()).isEqualTo(world.primary.id());
    assertThat(world.rig.transitions).hasSize(3);
    world.verify();
  }

  @Test
  void allDeadForADay_everythingArrivesAfterwards() {
    LongPredicate dead = during(HOUR, HOUR.plus(DAY));
    World world = new World(dead, dead);

    world.run(DAY.plus(HOUR.multipliedBy(2)), Duration.ofSeconds(20));

    assertThat(world.longestDelivery()).isBetween(DAY, DAY.plusMinutes(1));
    assertThat(world.rig.status().active()).isEqualTo(world.primary.id());
    world.verify();
  }

  @Test
  void primaryFlapsEverySecond_nothingIsLost() {
    World world = new World(now -> second(now) % 2 == 0, OutageSimulationTest::never);

    world.run(HOUR, Duration.ofMillis(400));

    world.verify();
  }

  @Test
  void bothFlapInTurn_nothingIsLost() {
    World world = new World(now -> second(now) % 2 == 0, now -> second(now) % 2 == 1);

    world.run(HOUR, Duration.ofMillis(400));

    world.verify();
  }

  /** It comes back for less than {@code failback_after}, time and again. */
  @Test
  void primaryDiesDuringFailback_secondaryKeepsTheTraffic() {
    World world = new World(now -> second(now) % 60 < 20, OutageSimulationTest::never);

    world.run(HOUR.multipliedBy(3), Duration.ofSeconds(1));

    assertThat(world.rig.transitions).anyMatch(line -> line.contains("recovering->open"));
    assertThat(world.rig.transitions).noneMatch(line -> line.contains("->closed"));
    assertThat(world.longestDelivery()).isLessThanOrEqualTo(AFTER.plusSeconds(1));
    world.verify();
  }

  /** The primary needs longer than {@code after}, the secondary nearly as long. */
  @Test
  void bothSlow_nothingIsLostAndWhatIsSentTwiceIsCounted() {
    World world = new World(OutageSimulationTest::never, OutageSimulationTest::never);
    world.slow(world.primary, Duration.ofSeconds(12));
    world.slow(world.secondary, Duration.ofSeconds(8));

    world.run(HOUR, Duration.ofSeconds(10));

    assertThat(world.twice()).isNotEmpty();
    world.verify();
  }

  /** Two sinks, a lane with a backlog, and a block every so often. */
  private static final class World {
    private final Rig rig;
    private final FakeExporter primary = new FakeExporter("otlp_grpc/primary");
    private final FakeExporter secondary = new FakeExporter("otlp_http/secondary");
    private final Map<FakeExporter, Duration> slowness = new HashMap<>();
    private final IdentityHashMap<FakeExporter.Call, Long> begun = new IdentityHashMap<>();
    private final Queue<Block> backlog = new ArrayDeque<>();
    private final Map<String, Block> blocks = new HashMap<>();
    private final Map<String, Integer> arrivals = new HashMap<>();

    World(LongPredicate primaryDead, LongPredicate secondaryDead) {
      rig = new Rig(FailoverSettings.DEFAULT, primary, secondary);
      primary.behaviour = request -> answer(primary, request, primaryDead);
      secondary.behaviour = request -> answer(secondary, request, secondaryDead);
    }

    void slow(FakeExporter sink, Duration takes) {
      slowness.put(sink, takes);
    }

    /** A slow sink has the request when it comes, and says so later. */
    private Outcome answer(FakeExporter sink, ExportRequest request, LongPredicate dead) {
      if (dead.test(rig.clock.nanos())) {
        return new Outcome.SinkDown(ErrorClass.CONNECT, "refused");
      }
      Blocks.bodies(request).forEach(body -> arrivals.merge(body, 1, Integer::sum));
      return slowness.containsKey(sink) ? null : new Outcome.Delivered();
    }

    /** Runs on for as long, with a block every {@code pace}, then until the backlog is gone. */
    void run(Duration time, Duration pace) {
      while (rig.clock.nanos() < time.toNanos()) {
        accept();
        pass(pace);
      }
      for (int i = 0; i < 10_000 && rig.lane.settled.size() < blocks.size(); i++) {
        pass(Duration.ofSeconds(1));
      }
    }

    private void accept() {
      String body = "item " + blocks.size();
      Block block = rig.blocks.block(body);
      Block accepted =
          new Block(
              block.signal(),
              block.codec(),
              block.index(),
              block.firstSequence(),
              block.items(),
              block.requests(),
              block.uncompressedLength(),
              block.payload(),
              rig.clock.instant(),
              rig.clock.instant(),
              false);
      blocks.put(body, accepted);
      backlog.add(accepted);
    }

    private void pass(Duration time) {
      feed();
      for (Duration left = time; left.isPositive(); left = left.minusSeconds(1)) {
        rig.advance(left.compareTo(Duration.ofSeconds(1)) < 0 ? left : Duration.ofSeconds(1));
        List.of(primary, secondary).forEach(this::answerSlow);
        feed();
      }
    }

    private void feed() {
      while (!backlog.isEmpty() && rig.dispatcher.hasRoom(0)) {
        rig.add(backlog.remove());
      }
    }

    private void answerSlow(FakeExporter sink) {
      for (FakeExporter.Call call : sink.calls) {
        long since = begun.computeIfAbsent(call, _ -> rig.clock.nanos());
        Duration takes = slowness.getOrDefault(sink, Duration.ZERO);
        if (rig.clock.nanos() - since >= takes.toNanos()) {
          call.answer().complete(new Outcome.Delivered());
        }
      }
      rig.run();
      sink.calls.removeIf(call -> call.answer().isDone() && begun.remove(call) != null);
    }

    Duration longestDelivery() {
      return Collections.max(rig.endToEnd);
    }

    /** Indexes of blocks that arrived more than once. */
    Set<Long> twice() {
      Set<Long> twice = new HashSet<>();
      arrivals.forEach(
          (body, times) -> {
            if (times > 1) {
              twice.add(blocks.get(body).index());
            }
          });
      return twice;
    }

    void verify() {
      assertThat(rig.status().blocks()).isZero();
      assertThat(rig.lane.settled).hasSameSizeAs(blocks);
      for (Settlement settlement : rig.lane.settled.values()) {
        assertThat(settlement.parts()).hasOnlyElementsOfType(Settlement.Delivered.class);
      }
      assertThat(arrivals.keySet()).isEqualTo(blocks.keySet());
      assertThat(rig.lane.redelivered).containsAll(twice());
    }
  }
}
