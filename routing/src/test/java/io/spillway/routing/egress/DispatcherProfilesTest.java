package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.Settlement;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What cannot be put together or cut goes out as it came in. */
class DispatcherProfilesTest {
  private final FakeExporter sink = new FakeExporter("sink");

  // conformance: W-03
  @Test
  void step_smallBlocksWaiting_areNotMerged() {
    sink.behaviour = FakeExporter.HANGS;
    Rig rig = new Rig(sink);
    for (int i = 0; i < 4; i++) {
      rig.add(profiles(rig, "h" + i));
    }
    for (int i = 0; i < 5; i++) {
      rig.add(profiles(rig, "w" + i));
    }
    sink.behaviour = FakeExporter.TAKES;
    sink.calls.getFirst().answer().complete(new Outcome.Delivered());
    rig.run();

    assertThat(sink.calls).hasSize(9);
    assertThat(sink.calls.subList(4, 9))
        .extracting(call -> Blocks.bodies(call.request()))
        .containsExactly(
            List.of("w0", "-"),
            List.of("w1", "-"),
            List.of("w2", "-"),
            List.of("w3", "-"),
            List.of("w4", "-"));
  }

  @Test
  void step_largerThanMaxRequestBytes_isSentWhole() {
    sink.maxRequestBytes = 10;
    Rig rig = new Rig(sink);

    Block block = profiles(rig, "large");
    rig.add(block);

    assertThat(sink.lastCall().request().payload()).isSameAs(block.payload());
    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(sink, 2));
  }

  @Test
  void finished_tooLargeForTheSink_isDroppedWhole() {
    sink.behaviour = FakeExporter.HANGS;
    Rig rig = new Rig(sink);
    rig.add(profiles(rig, "large"));

    sink.lastCall().answer().complete(new Outcome.TooLarge("413"));
    rig.run();

    assertThat(sink.calls).hasSize(1);
    assertThat(rig.lane.settled).containsEntry(0L, Settlement.dropped(DropReason.TOO_LARGE, 2));
  }

  /** Two items in one request; nothing looks into them. */
  private static Block profiles(Rig rig, String name) {
    Block logs = rig.blocks.block(Codec.NONE, List.of(List.of(name, "-")));
    return new Block(
        Signal.PROFILES,
        logs.codec(),
        logs.index(),
        logs.firstSequence(),
        logs.items(),
        logs.requests(),
        logs.uncompressedLength(),
        logs.payload(),
        logs.firstAccepted(),
        logs.lastAccepted(),
        logs.redelivery());
  }
}
