package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.GzipMembers;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DeadLetter;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.Settlement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DispatcherContentTest {
  private final FakeExporter sink = new FakeExporter("otlp_grpc/sink");

  private static Function<ExportRequest, Outcome> unless(String body, Outcome otherwise) {
    return request -> Blocks.bodies(request).contains(body) ? otherwise : new Outcome.Delivered();
  }

  private static List<String> bodies(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
  }

  private List<List<String>> sent() {
    return sink.calls.stream().map(call -> Blocks.bodies(call.request())).toList();
  }

  @Test
  void step_sameCodec_sendsTheStoredBytes() {
    sink.codec = Codec.GZIP;
    Rig rig = new Rig(sink);
    Block block = rig.blocks.block(Codec.GZIP, List.of(bodies("a", 3)));

    rig.add(block);

    assertThat(sink.lastCall().request().payload()).isSameAs(block.payload());
  }

  @Test
  void step_otherCodec_transcodes() {
    for (Codec from : Codec.values()) {
      for (Codec to : Codec.values()) {
        sink.codec = to;
        Rig rig = new Rig(sink);

        rig.add(rig.blocks.block(from, List.of(bodies("a", 3), bodies("b", 2))));

        ExportRequest request = sink.lastCall().request();
        assertThat(request.codec()).isEqualTo(to);
        assertThat(request.items()).isEqualTo(5);
        assertThat(Blocks.bodies(request)).containsExactly("a0", "a1", "a2", "b0", "b1");
      }
    }
  }

  @Test
  void step_severalMembers_goAsStoredOnlyToSinksThatAreKnownToTakeThem() throws Exception {
    for (GzipPassthrough passthrough : GzipPassthrough.values()) {
      sink.codec = Codec.GZIP;
      sink.gzipPassthrough = passthrough;
      Rig rig = new Rig(sink);
      Block block = rig.blocks.gzippedBySenders(List.of(bodies("a", 3), bodies("b", 2)));

      rig.add(block);

      Slice sent = sink.lastCall().request().payload();
      assertThat(sent == block.payload()).isEqualTo(passthrough == GzipPassthrough.ON);
      assertThat(GzipMembers.isOne(sent, block.uncompressedLength()))
          .isEqualTo(passthrough != GzipPassthrough.ON);
      assertThat(Blocks.bodies(sink.lastCall().request()))
          .containsExactly("a0", "a1", "a2", "b0", "b1");
    }
  }

  /** There is gzip that ISA-L reads and others do not. */
  @Test
  void finished_sendersGzipRefusedAsBadData_goesOnceMoreCompressedAnew() throws Exception {
    sink.codec = Codec.GZIP;
    sink.behaviour = refusingSendersGzip(new Outcome.BadData("cannot inflate"));
    Rig rig = new Rig(sink);

    rig.add(rig.blocks.gzippedBySenders(List.of(bodies("a", 3))));

    assertThat(sink.calls).hasSize(2);
    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(sink, 3));
    assertThat(rig.drops).isEmpty();
  }

  @Test
  void finished_sendersGzipAndBadData_isDroppedAfterTheSecondTime() throws Exception {
    sink.codec = Codec.GZIP;
    sink.behaviour = unless("a1", new Outcome.BadData("invalid utf-8"));
    Rig rig = new Rig(sink);

    rig.add(rig.blocks.gzippedBySenders(List.of(bodies("a", 3))));

    assertThat(sink.calls).hasSize(2);
    assertThat(rig.lane.settled).containsEntry(0L, Settlement.dropped(DropReason.BAD_DATA, 3));
    assertThat(rig.lane.letters).hasSize(1);
  }

  @Test
  void finished_sinkFailsAtSendersGzip_goesOnCompressedAnew() throws Exception {
    sink.codec = Codec.GZIP;
    sink.behaviour =
        refusingSendersGzip(new Outcome.Retry(null, ErrorClass.SERVER, "cannot inflate"));
    Rig rig = new Rig(sink);

    rig.add(rig.blocks.gzippedBySenders(List.of(bodies("a", 3))));
    rig.advance(Duration.ofMinutes(1));

    assertThat(sink.calls).hasSize(2);
    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(sink, 3));
  }

  @Test
  void finished_sinkIsAway_staysAsItCame() throws Exception {
    sink.codec = Codec.GZIP;
    sink.behaviour = FakeExporter.REFUSES;
    Rig rig = new Rig(sink);
    Block block = rig.blocks.gzippedBySenders(List.of(bodies("a", 3)));

    rig.add(block);
    sink.behaviour = FakeExporter.TAKES;
    rig.advance(Duration.ofMinutes(1));

    assertThat(sink.calls).hasSize(2);
    assertThat(sink.lastCall().request().payload()).isSameAs(block.payload());
  }

  private static Function<ExportRequest, Outcome> refusingSendersGzip(Outcome refusal) {
    return request ->
        GzipMembers.isOurs(request.payload(), request.uncompressedLength())
            ? new Outcome.Delivered()
            : refusal;
  }

  @Test
  void arrived_noItems_settlesWithoutSending() {
    Rig rig = new Rig(sink);

    rig.add(rig.blocks.block(Codec.NONE, List.of()));

    assertThat(rig.lane.settled).containsEntry(0L, new Settlement(List.of()));
    assertThat(sink.calls).isEmpty();
    assertThat(rig.status().blocks()).isZero();
  }

  // conformance: W-01, W-02
  @Test
  void step_smallBlocksWaiting_areMergedUpToTheLimit() {
    sink.behaviour = FakeExporter.HANGS;
    sink.codec = Codec.ZSTD;
    sink.maxRequestBytes = 6 * Blocks.request(List.of("w0")).length;
    Rig rig = new Rig(sink);
    for (int i = 0; i < 4; i++) {
      rig.add("h" + i);
    }
    for (int i = 0; i < 9; i++) {
      rig.add(rig.blocks.block(Codec.GZIP, List.of(List.of("w" + i))));
    }
    sink.behaviour = FakeExporter.TAKES;
    sink.calls.getFirst().answer().complete(new Outcome.Delivered());
    rig.run();

    assertThat(sent().subList(4, 6))
        .containsExactly(List.of("w0", "w1", "w2", "w3", "w4", "w5"), List.of("w6", "w7", "w8"));
    assertThat(rig.lane.settled).hasSize(10);
  }

  @Test
  void finished_mergedAndPartlyRejected_attributesInOrder() {
    Rig rig = merged(4);

    sink.lastCall().answer().complete(new Outcome.Delivered(2, "too old"));
    rig.run();

    assertThat(rig.lane.settled)
        .containsEntry(4L, new Settlement(List.of(new Settlement.Rejected(sink.id(), 1))))
        .containsEntry(5L, new Settlement(List.of(new Settlement.Rejected(sink.id(), 1))))
        .containsEntry(6L, Rig.deliveredBy(sink, 1))
        .containsEntry(7L, Rig.deliveredBy(sink, 1));
  }

  @Test
  void finished_rejectedMoreThanSent_isClamped() {
    sink.behaviour = _ -> new Outcome.Delivered(99, "what");
    Rig rig = new Rig(sink);

    rig.add("a");

    assertThat(rig.lane.settled)
        .containsEntry(0L, new Settlement(List.of(new Settlement.Rejected(sink.id(), 1))));
  }

  // conformance: W-50
  @Test
  void finished_mergedBadData_goesOutOneByOne() {
    Rig rig = merged(5);
    sink.behaviour = unless("w2", new Outcome.BadData("invalid utf-8"));

    sink.lastCall().answer().complete(new Outcome.BadData("invalid utf-8"));
    rig.run();

    assertThat(rig.lane.settled)
        .containsEntry(4L, Rig.deliveredBy(sink, 1))
        .containsEntry(6L, Settlement.dropped(DropReason.BAD_DATA, 1))
        .containsEntry(8L, Rig.deliveredBy(sink, 1));
    assertThat(rig.drops).containsExactly("bad_data 1 otlp_grpc/sink: invalid utf-8");
    assertThat(rig.lane.letters).hasSize(1);
    DeadLetter letter = rig.lane.letters.getFirst();
    assertThat(Blocks.bodies(Codec.NONE, letter.request())).containsExactly("w2");
    assertThat(letter)
        .isEqualTo(
            new DeadLetter(sink.id(), DropReason.BAD_DATA, "invalid utf-8", letter.request(), 1));
  }

  @Test
  void finished_badDataThatCannotBeKept_isCountedAllTheSame() {
    Rig rig = new Rig(sink);
    rig.lane.keepsLetters = false;
    sink.behaviour = _ -> new Outcome.BadData("no");

    rig.add("a");

    assertThat(rig.lane.settled).containsEntry(0L, Settlement.dropped(DropReason.BAD_DATA, 1));
  }

  // conformance: W-50
  @Test
  void finished_badDataOfSeveralRequests_dropsOnlyThePoisonedOne() {
    sink.behaviour = unless("b1", new Outcome.BadData("no"));
    Rig rig = new Rig(sink);

    rig.add(rig.blocks.block(Codec.ZSTD, List.of(bodies("a", 3), bodies("b", 4), bodies("c", 5))));

    assertThat(rig.lane.settled)
        .containsEntry(
            0L,
            new Settlement(
                List.of(
                    new Settlement.Delivered(sink.id(), 8),
                    new Settlement.Dropped(DropReason.BAD_DATA, 4))));
    assertThat(sent())
        .containsExactly(
            List.of("a0", "a1", "a2", "b0", "b1", "b2", "b3", "c0", "c1", "c2", "c3", "c4"),
            bodies("a", 3),
            bodies("b", 4),
            bodies("c", 5));
    assertThat(rig.lane.redelivered).isEmpty();
  }

  @Test
  void finished_tooLarge_halvesByRequestsThenByItems() {
    sink.behaviour =
        request -> request.items() > 2 ? new Outcome.TooLarge("413") : new Outcome.Delivered();
    Rig rig = new Rig(sink);

    rig.add(rig.blocks.block(Codec.GZIP, List.of(bodies("a", 2), bodies("b", 8))));

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(sink, 10));
    List<String> delivered = new ArrayList<>();
    sent().stream().filter(bodies -> bodies.size() <= 2).forEach(delivered::addAll);
    List<String> all = new ArrayList<>(bodies("a", 2));
    all.addAll(bodies("b", 8));
    assertThat(delivered).containsExactlyInAnyOrderElementsOf(all);
  }

  @Test
  void finished_mergedTooLarge_isMergedLess() {
    Rig rig = merged(8);
    sink.behaviour =
        request -> request.items() > 3 ? new Outcome.TooLarge("413") : new Outcome.Delivered();

    sink.lastCall().answer().complete(new Outcome.TooLarge("413"));
    rig.run();

    assertThat(rig.lane.settled).hasSize(9);
    assertThat(rig.lane.settled.values())
        .allMatch(settlement -> settlement.equals(Rig.deliveredBy(sink, 1)));
  }

  @Test
  void finished_oneItemTooLarge_isDroppedAlone() {
    sink.behaviour = unless("b3", new Outcome.TooLarge("413"));
    Rig rig = new Rig(sink);

    rig.add(rig.blocks.block(Codec.GZIP, List.of(bodies("a", 2), bodies("b", 6))));

    assertThat(rig.lane.settled)
        .containsEntry(
            0L,
            new Settlement(
                List.of(
                    new Settlement.Delivered(sink.id(), 7),
                    new Settlement.Dropped(DropReason.TOO_LARGE, 1))));
    assertThat(rig.drops).containsExactly("too_large 1 otlp_grpc/sink: 413");
    assertThat(Blocks.bodies(Codec.NONE, rig.lane.letters.getFirst().request()))
        .containsExactly("b3");
  }

  @Test
  void step_blockAboveTheLimit_isCutBeforeSending() {
    String huge = "x".repeat(5_000);
    List<String> middle = List.of("m0", huge, "m1", "y".repeat(1_500), "m2");
    sink.maxRequestBytes = 1_000;
    Rig rig = new Rig(sink);

    rig.add(rig.blocks.block(Codec.ZSTD, List.of(bodies("a", 3), middle, bodies("b", 200))));

    assertThat(sink.calls).allMatch(call -> call.request().uncompressedLength() <= 1_000);
    assertThat(rig.lane.settled)
        .containsEntry(
            0L,
            new Settlement(
                List.of(
                    new Settlement.Dropped(DropReason.TOO_LARGE, 2),
                    new Settlement.Delivered(sink.id(), 206))));
  }

  @Test
  void step_unreadableBlock_isDroppedAsCorruptAndNeighboursGoOn() {
    sink.codec = Codec.GZIP;
    sink.behaviour = FakeExporter.HANGS;
    Rig rig = new Rig(sink);
    for (int i = 0; i < 4; i++) {
      rig.add(rig.blocks.block(Codec.GZIP, List.of(List.of("h" + i))));
    }
    Block good = rig.blocks.block(Codec.ZSTD, List.of(List.of("good")));
    Block bad = rig.blocks.block(Codec.ZSTD, List.of(List.of("bad")));
    rig.add(good);
    rig.add(
        new Block(
            bad.signal(),
            bad.codec(),
            bad.index(),
            bad.firstSequence(),
            bad.items(),
            bad.requests(),
            bad.uncompressedLength(),
            Slice.of(new byte[] {1, 2, 3}),
            bad.firstAccepted(),
            bad.lastAccepted(),
            false));
    sink.behaviour = FakeExporter.TAKES;

    sink.calls.getFirst().answer().complete(new Outcome.Delivered());
    rig.run();

    assertThat(rig.lane.settled)
        .containsEntry(4L, Rig.deliveredBy(sink, 1))
        .containsEntry(5L, Settlement.dropped(DropReason.CORRUPT, 1));
  }

  @Test
  void step_blockThatAlwaysFailsWhileOthersPass_isPoison() {
    Outcome error = new Outcome.SinkDown(ErrorClass.SERVER, "500");
    sink.behaviour = unless("b1", error);
    Rig rig = new Rig(sink);
    rig.add(rig.blocks.block(Codec.GZIP, List.of(bodies("a", 3), bodies("b", 2))));

    for (int i = 0; i < 3_000 && !rig.lane.settled.containsKey(0L); i++) {
      rig.add("fine " + i);
      rig.advance(Duration.ofMillis(500));
    }

    assertThat(rig.lane.settled)
        .containsEntry(
            0L,
            new Settlement(
                List.of(
                    new Settlement.Delivered(sink.id(), 3),
                    new Settlement.Dropped(DropReason.BAD_DATA, 2))));
    assertThat(rig.drops)
        .containsExactly("bad_data 2 otlp_grpc/sink: 10 failures while others passed, last: 500");
    assertThat(rig.lane.settled.size()).isGreaterThan(100);
    assertThat(rig.transitions).isEmpty();
  }

  @Test
  void step_blockThatFailsInAnOutage_isNotPoison() {
    sink.behaviour = FakeExporter.FAILS;
    Rig rig = new Rig(sink);
    rig.add("a", "b", "c");

    rig.advance(Duration.ofHours(2));
    assertThat(sink.calls.size()).isGreaterThan(100);
    sink.behaviour = FakeExporter.TAKES;
    rig.advance(Duration.ofMinutes(1));

    assertThat(rig.drops).isEmpty();
    assertThat(rig.lane.settled.values()).containsOnly(Rig.deliveredBy(sink, 1));
    assertThat(rig.lane.redelivered).hasSize(3);
  }

  @Test
  void finished_badDataFromAProbe_isJudgedByTheActiveExporter() {
    FakeExporter other = new FakeExporter("other");
    sink.behaviour = _ -> new Outcome.SinkDown(ErrorClass.AUTH, "401");
    Rig rig = new Rig(sink, other);
    rig.add("a");
    sink.behaviour = _ -> new Outcome.BadData("a proxy that knows no better");
    rig.advance(Duration.ofSeconds(5));

    rig.add("b");
    rig.advance(Duration.ofMinutes(2));
    rig.add("c");

    assertThat(sink.calls).hasSize(3);
    assertThat(rig.drops).isEmpty();
    assertThat(rig.lane.settled.values()).containsOnly(Rig.deliveredBy(other, 1));
    assertThat(rig.state(sink)).isEqualTo(BreakerState.OPEN);
  }

  @Test
  void finished_exporterThrows_isAnOutage() {
    sink.behaviour =
        _ -> {
          throw new IllegalStateException("closed");
        };
    Rig rig = new Rig(sink);
    rig.add("a");
    sink.behaviour = FakeExporter.TAKES;

    rig.advance(Duration.ofSeconds(2));

    assertThat(rig.lane.settled).hasSize(1);
  }

  /** What a lane gave up, by age or for room, is neither sent nor in the way. */
  @Test
  void step_laneGaveUpBlocks_forgetsThem() {
    sink.behaviour = FakeExporter.HANGS;
    Rig rig = new Rig(sink);
    for (int i = 0; i < Dispatcher.MAX_WINDOW_BLOCKS; i++) {
      rig.add("b" + i);
    }
    Block next = rig.blocks.block("next");

    rig.lane.givenUpBelow = next.firstSequence();
    rig.run();

    assertThat(rig.dispatcher.hasRoom(0)).isTrue();
    sink.behaviour = FakeExporter.TAKES;
    sink.calls.forEach(call -> call.answer().complete(new Outcome.Delivered()));
    rig.add(next);
    assertThat(Blocks.bodies(sink.lastCall().request())).containsExactly("next");
    assertThat(sink.calls).hasSize(ConcurrencyLimit.INITIAL + 1);
    assertThat(rig.endToEnd).as("settlements reported").hasSize(1);
  }

  @Test
  void hasRoom_fullWindow_isFalse() {
    sink.behaviour = FakeExporter.HANGS;
    Rig rig = new Rig(sink);
    for (int i = 0; i < Dispatcher.MAX_WINDOW_BLOCKS; i++) {
      assertThat(rig.dispatcher.hasRoom(0)).isTrue();
      rig.add("b" + i);
    }

    assertThat(rig.dispatcher.hasRoom(0)).isFalse();
    assertThat(rig.dispatcher.attemptsInFlight()).isEqualTo(ConcurrencyLimit.INITIAL);
  }

  /** A rig with all attempts taken, the last one by this many merged blocks from index 4 on. */
  private Rig merged(int blocks) {
    sink.behaviour = FakeExporter.HANGS;
    Rig rig = new Rig(sink);
    for (int i = 0; i < 4; i++) {
      rig.add("h" + i);
    }
    for (int i = 0; i < blocks; i++) {
      rig.add("w" + i);
    }
    sink.calls.getFirst().answer().complete(new Outcome.Delivered());
    rig.run();
    assertThat(sink.lastCall().request().items()).isEqualTo(blocks);
    return rig;
  }
}
