package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.Codec;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.Settlement;
import io.spillway.routing.FailoverSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Sinks that fail, hang, throttle, reject, call things bad or too large, and recover at random,
 * with reloads, pins, pauses, holds, levels and failing idle probes in between: every item is
 * settled exactly once, and what was settled as delivered really arrived.
 */
class DispatcherSimulationTest {
  private static final int STEPS = 1_000;
  private static final List<Codec> CODECS = List.of(Codec.values());

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void everyItem_isSettledExactlyOnce(long seed) {
    new Simulation(seed).run();
  }

  @Test
  void sameSeed_sameCourse() {
    Simulation one = new Simulation(99);
    Simulation two = new Simulation(99);

    one.run();
    two.run();

    assertThat(one.rig.transitions).isNotEmpty().isEqualTo(two.rig.transitions);
    assertThat(one.rig.lane.settled).isEqualTo(two.rig.lane.settled);
  }

  private static final class Simulation {
    private final Random random;
    private final Rig rig;
    private final List<FakeExporter> sinks = new ArrayList<>();
    private final Map<String, Integer> moods = new HashMap<>();
    private final Set<String> taken = new HashSet<>();
    private final Map<Long, Block> blocks = new HashMap<>();
    private int nextBody;

    Simulation(long seed) {
      random = new Random(seed);
      int count = 1 + random.nextInt(3);
      for (int i = 0; i < count; i++) {
        sinks.add(sink("sink/" + i));
      }
      rig =
          new Rig(
              new FailoverSettings(
                  Duration.ofSeconds(1 + random.nextInt(10)),
                  Duration.ofSeconds(random.nextInt(30))),
              sinks.toArray(FakeExporter[]::new));
    }

    private FakeExporter sink(String id) {
      FakeExporter sink = new FakeExporter(id);
      sink.codec = CODECS.get(random.nextInt(CODECS.size()));
      sink.maxRequestBytes = 400 + random.nextInt(5_000);
      sink.behaviour = request -> answer(id, request);
      return sink;
    }

    private Outcome answer(String id, ExportRequest request) {
      Outcome outcome =
          switch (moods.getOrDefault(id, 0)) {
            case 1 -> null;
            case 2 -> new Outcome.SinkDown(ErrorClass.CONNECT, "refused");
            case 3 -> new Outcome.SinkDown(ErrorClass.AUTH, "401");
            case 4 -> new Outcome.Retry(Duration.ofSeconds(20), ErrorClass.THROTTLED, "429");
            case 5 -> random.nextBoolean() ? new Outcome.Delivered() : failure();
            case 6 -> judgement(request);
            default -> new Outcome.Delivered();
          };
      if (outcome instanceof Outcome.Delivered) {
        taken.addAll(Blocks.bodies(request));
      }
      return outcome;
    }

    private Outcome failure() {
      return random.nextBoolean()
          ? new Outcome.SinkDown(ErrorClass.SERVER, "500")
          : new Outcome.SinkDown(ErrorClass.RESET, "reset");
    }

    private Outcome judgement(ExportRequest request) {
      return switch (random.nextInt(4)) {
        case 0 -> new Outcome.BadData("bad");
        case 1 -> new Outcome.TooLarge("large");
        case 2 -> new Outcome.Delivered(random.nextInt(request.items() + 1), "some");
        default -> new Outcome.Delivered();
      };
    }

    void run() {
      for (int i = 0; i < STEPS; i++) {
        act();
        assertThat(rig.dispatcher.attemptsInFlight())
            .isLessThanOrEqualTo(2 * ConcurrencyLimit.DEFAULT_MAX);
      }
      moods.clear();
      answerHanging(true);
      rig.retarget(Rig.settings(levels(), failover(), OperatorOrders.NONE));
      rig.advance(Duration.ofMinutes(10));
      verify();
    }

    private void act() {
      int action = random.nextInt(20);
      if (action < 9) {
        if (rig.dispatcher.hasRoom(0)) {
          add();
        }
      } else if (action < 17) {
        rig.advance(Duration.ofMillis(random.nextInt(3_000)));
      } else if (action == 17) {
        moods.put(sinks.get(random.nextInt(sinks.size())).id(), random.nextInt(7));
      } else if (action == 18) {
        answerHanging(false);
      } else if (random.nextInt(3) == 0) {
        reload();
      } else if (random.nextInt(3) == 0) {
        rig.probed(sinks.get(random.nextInt(sinks.size())), failure());
      }
    }

    private void add() {
      List<List<String>> requests = new ArrayList<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        List<String> bodies = new ArrayList<>();
        for (int j = random.nextInt(8); j > 0; j--) {
          bodies.add("item " + nextBody++ + "-".repeat(random.nextInt(10) == 0 ? 600 : 10));
        }
        requests.add(bodies);
      }
      Block block = rig.blocks.block(CODECS.get(random.nextInt(CODECS.size())), requests);
      blocks.put(block.index(), block);
      rig.add(block);
    }

    /** Hanging attempts end as the exporter's timeout would end them, or late with success. */
    private void answerHanging(boolean all) {
      for (FakeExporter sink : List.copyOf(sinks)) {
        sink.calls.removeIf(call -> call.answer().isDone());
        for (FakeExporter.Call call : sink.calls) {
          if (!call.answer().isDone() && (all || random.nextBoolean())) {
            if (random.nextBoolean()) {
              taken.addAll(Blocks.bodies(call.request()));
              call.answer().complete(new Outcome.Delivered());
            } else {
              call.answer().complete(new Outcome.SinkDown(ErrorClass.TIMEOUT, "timeout"));
            }
          }
        }
      }
      rig.run();
    }

    private void reload() {
      int which = random.nextInt(sinks.size());
      FakeExporter old = sinks.get(which);
      FakeExporter fresh = sink(old.id());
      old.calls.forEach(
          call ->
              call.answer().complete(new Outcome.SinkDown(ErrorClass.RESET, "closed by reload")));
      sinks.set(which, fresh);
      rig.retarget(Rig.settings(levels(), failover(), orders()));
    }

    /** The sinks in order, each after the first as likely beside the one before as after it. */
    private List<List<Exporter>> levels() {
      List<List<Exporter>> levels = new ArrayList<>();
      for (FakeExporter sink : sinks) {
        if (levels.isEmpty() || random.nextBoolean()) {
          levels.add(new ArrayList<>());
        }
        levels.getLast().add(sink);
      }
      return levels;
    }

    private FailoverSettings failover() {
      return new FailoverSettings(
          Duration.ofSeconds(1 + random.nextInt(10)),
          Duration.ofSeconds(random.nextInt(30)),
          random.nextBoolean() ? Duration.ZERO : Duration.ofSeconds(random.nextInt(60)));
    }

    private OperatorOrders orders() {
      List<OperatorOrder> pauses = new ArrayList<>();
      for (FakeExporter sink : sinks) {
        if (random.nextInt(4) == 0) {
          pauses.add(order(sink));
        }
      }
      FakeExporter pinned = sinks.get(random.nextInt(sinks.size()));
      return new OperatorOrders(random.nextInt(3) == 0 ? order(pinned) : null, pauses);
    }

    /** Some end by themselves, some with the next reload. */
    private OperatorOrder order(FakeExporter sink) {
      return new OperatorOrder(
          sink.id(),
          "operator ann",
          "",
          rig.clock.instant(),
          random.nextBoolean() ? null : rig.clock.instant().plusSeconds(random.nextInt(40)));
    }

    private void verify() {
      assertThat(rig.status().blocks()).isZero();
      assertThat(rig.dispatcher.attemptsInFlight()).isZero();
      assertThat(rig.lane.settled.keySet()).isEqualTo(blocks.keySet());
      assertThat(rig.endToEnd).hasSize(blocks.size());
      for (Block block : blocks.values()) {
        Settlement settlement = rig.lane.settled.get(block.index());
        int confirmed =
            settlement.parts().stream()
                .filter(part -> !(part instanceof Settlement.Dropped))
                .mapToInt(Settlement.Part::items)
                .sum();
        long arrived =
            Blocks.bodies(block.codec(), block.payload()).stream().filter(taken::contains).count();
        assertThat(arrived).as("block %s: %s", block, settlement).isGreaterThanOrEqualTo(confirmed);
      }
    }
  }
}
