package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.SINK;
import static io.spillway.buffer.LaneFixture.append;
import static io.spillway.buffer.LaneFixture.assertBalanced;
import static io.spillway.buffer.LaneFixture.await;
import static io.spillway.buffer.LaneFixture.bytes;
import static io.spillway.buffer.LaneFixture.config;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.LaneFixture.open;
import static io.spillway.buffer.LaneFixture.poll;
import static io.spillway.buffer.LaneFixture.pollAll;
import static io.spillway.buffer.LaneFixture.store;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneLedger;
import io.spillway.otlp.stage.Settlement;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DiskLaneTest {
  @TempDir Path directory;
  private final FakeClock clock = new FakeClock();

  @Test
  void poll_afterAppend_returnsTheBytes() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      byte[] request = bytes(1000, 1);

      store(lane, request, 7);

      Block block = poll(lane);
      assertThat(block.payload().toByteArray()).isEqualTo(request);
      assertThat(block.items()).isEqualTo(7);
      assertThat(block.requests()).containsExactly(new Block.Request(1000, 7));
      assertThat(block.firstSequence()).isZero();
      assertThat(block.redelivery()).isFalse();
      assertThat(lane.poll(Duration.ZERO)).isNull();
      assertThat(lane.status().items()).isEqualTo(7);
      assertThat(lane.status().blocks()).isEqualTo(1);
      assertThat(lane.status().bytes()).isEqualTo(1000);
      assertThat(lane.status().oldest()).isEqualTo(clock.instant());

      deliver(lane, block);

      LaneLedger ledger = lane.ledger();
      assertBalanced(ledger);
      assertThat(ledger.delivered()).isEqualTo(Map.of(SINK, 7L));
      assertThat(ledger.buffered()).isZero();
      assertThat(lane.status().oldest()).isNull();
    }
  }

  @Test
  void wake_pollThatWaitsOrTheNext_returnsWithoutABlock() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      CompletableFuture<Block> waiting = CompletableFuture.supplyAsync(() -> pollForLong(lane));

      lane.wake();

      assertThat(waiting.get(30, TimeUnit.SECONDS)).isNull();

      lane.wake();
      assertThat(lane.poll(Duration.ZERO)).isNull();
      assertThat(pollForLong(lane)).isNull(); // a look that did not wait leaves the wake to this
    }
  }

  private static Block pollForLong(Lane lane) {
    try {
      return lane.poll(Duration.ofMinutes(10));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void append_largerThanWhatIsMerged_isABlockOfItsOwn() throws Exception {
    byte[] large = bytes(HandOver.MAX_UNCUT_BYTES, 1);
    byte[] small = bytes(100, 2);
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      List<CompletableFuture<Lane.Refusal>> results =
          List.of(append(lane, small, 1, 0), append(lane, large, 2, 0), append(lane, small, 3, 0));
      results.forEach(result -> assertThat(await(result)).isNull());

      Block own = pollAll(lane).stream().filter(block -> block.items() == 2).findFirst().get();

      assertThat(own.payload().toByteArray()).isEqualTo(large);
      assertThat(lane.maxAppendBytes()).isEqualTo(HandOver.MAX_UNCUT_BYTES);
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void poll_manyAppendsAtOnce_mergesThemInOrder() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = buffer.lane(LaneFixture.ID, Codec.ZSTD);
      List<CompletableFuture<Lane.Refusal>> results = new ArrayList<>();
      java.io.ByteArrayOutputStream expected = new java.io.ByteArrayOutputStream();
      for (int i = 0; i < 2000; i++) {
        byte[] request = bytes(500, i);
        expected.writeBytes(request);
        results.add(append(lane, request, 3, 1));
      }
      results.forEach(result -> assertThat(await(result)).isNull());

      List<Block> blocks = pollAll(lane);
      java.io.ByteArrayOutputStream actual = new java.io.ByteArrayOutputStream();
      int requests = 0;
      for (Block block : blocks) {
        Slice plain =
            Decompression.decompress(block.codec(), block.payload(), HandOver.MAX_BLOCK_BYTES);
        assertThat(plain.length()).isEqualTo(block.uncompressedLength());
        actual.writeBytes(plain.toByteArray());
        requests += block.requests().size();
      }

      assertThat(actual.toByteArray()).isEqualTo(expected.toByteArray());
      assertThat(requests).isEqualTo(2000);
      assertThat(blocks.size()).isLessThan(2000);
      assertThat(lane.ledger().routed()).isEqualTo(8000);
      assertThat(lane.ledger().sampledOut()).isEqualTo(2000);
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void settle_outOfOrder_movesTheCursorOverTheSettledPrefixOnly() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      List<Block> blocks = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        store(lane, bytes(100, i), 10);
        blocks.add(poll(lane));
      }

      deliver(lane, blocks.get(2));
      deliver(lane, blocks.get(1));

      assertThat(lane.ledger().buffered()).isEqualTo(40);
      assertThat(lane.ledger().delivered()).isEmpty();

      lane.settle(
          blocks.get(0),
          new Settlement(
              List.of(
                  new Settlement.Delivered(SINK, 5),
                  new Settlement.Rejected(SINK, 3),
                  new Settlement.Dropped(DropReason.BAD_DATA, 2))));

      LaneLedger ledger = lane.ledger();
      assertThat(ledger.buffered()).isEqualTo(10);
      assertThat(ledger.delivered()).isEqualTo(Map.of(SINK, 25L));
      assertThat(ledger.rejected()).isEqualTo(Map.of(SINK, 3L));
      assertThat(ledger.dropped()).isEqualTo(Map.of("bad_data", 2L));
      assertBalanced(ledger);
    }
  }

  @Test
  void settle_wrongCountOrTwice_throwsAndChangesNothing() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      store(lane, bytes(100, 1), 10);
      Block block = poll(lane);

      assertThatThrownBy(() -> lane.settle(block, Settlement.delivered(SINK, 9)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("lane default/traces: settlement of 9 items (expected 10)");
      deliver(lane, block);
      assertThatThrownBy(() -> deliver(lane, block)).isInstanceOf(IllegalArgumentException.class);

      assertThat(lane.ledger().delivered()).isEqualTo(Map.of(SINK, 10L));
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void lane_reopened_goesOnAtTheCursorAndMarksWhatWasSent() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      for (int i = 0; i < 5; i++) {
        store(lane, bytes(100, i), 10);
      }
      deliver(lane, poll(lane));
      deliver(lane, poll(lane));
      poll(lane);
    }

    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      assertThat(buffer.onDisk()).containsExactly(LaneFixture.ID);
      Lane lane = open(buffer);
      assertThat(lane.ledger().buffered()).isEqualTo(30);
      store(lane, bytes(100, 5), 10);

      List<Block> blocks = pollAll(lane);

      assertThat(blocks).extracting(Block::firstSequence).containsExactly(20L, 30L, 40L, 50L);
      assertThat(blocks).extracting(Block::redelivery).containsExactly(true, false, false, false);
      assertThat(blocks.get(3).payload().toByteArray()).isEqualTo(bytes(100, 5));
      blocks.forEach(block -> deliver(lane, block));
      assertThat(lane.ledger().redelivered()).isEqualTo(10);
      assertThat(lane.ledger().delivered()).isEqualTo(Map.of(SINK, 60L));
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void append_onlySampledOut_isCountedAndKept() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      assertThat(await(append(lane, new byte[0], 0, 25))).isNull();

      assertThat(lane.poll(Duration.ZERO)).isNull();
      assertThat(lane.ledger().sampledOut()).isEqualTo(25);
    }

    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      assertThat(lane.ledger().sampledOut()).isEqualTo(25);
      assertThat(lane.ledger().routed()).isEqualTo(25);
      store(lane, bytes(10, 1), 1);
      deliver(lane, poll(lane));
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().routed()).isEqualTo(26);
    }
  }

  @Test
  void poll_olderThanMaxAge_isDroppedAsExpired() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      store(lane, bytes(100, 1), 3);
      clock.advance(Duration.ofHours(73));
      store(lane, bytes(100, 2), 4);

      Block block = poll(lane);

      assertThat(block.firstSequence()).isEqualTo(3);
      assertThat(lane.ledger().dropped()).isEqualTo(Map.of("expired", 3L));
      deliver(lane, block);
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void settle_finishedSegments_areDeletedAndTheirDiskReturned() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      for (int i = 0; i < 12; i++) {
        store(lane, bytes(512 * 1024, i), 1);
      }
      assertThat(LaneFixture.segments(directory)).hasSizeGreaterThan(4);
      long full = buffer.disk().reserved();
      assertThat(full).isGreaterThan(6 * LaneFixture.MIB);

      for (int i = 0; i < 12; i++) {
        Block block = poll(lane);
        assertThat(block.payload().toByteArray()).isEqualTo(bytes(512 * 1024, i));
        deliver(lane, block);
      }

      assertThat(LaneFixture.segments(directory)).hasSize(1);
      assertThat(buffer.disk().reserved()).isLessThan(2 * LaneFixture.MIB);
      assertThat(lane.status().diskBytes()).isEqualTo(buffer.disk().reserved());
    }
  }
}
