package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.append;
import static io.spillway.buffer.LaneFixture.assertBalanced;
import static io.spillway.buffer.LaneFixture.await;
import static io.spillway.buffer.LaneFixture.bytes;
import static io.spillway.buffer.LaneFixture.config;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.LaneFixture.poll;
import static io.spillway.buffer.LaneFixture.pollAll;
import static io.spillway.buffer.LaneFixture.store;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A lane whose requests cannot be put together: a block for each, and larger ones than others. */
@Timeout(60)
class ProfilesLaneTest {
  private static final LaneId PROFILES = new LaneId("default", Signal.PROFILES);

  @TempDir Path directory;
  private final FakeClock clock = new FakeClock();

  // conformance: W-03
  @Test
  void poll_manyAppendsAtOnce_hasOneRequestInEachBlock() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = buffer.lane(PROFILES, Codec.NONE);
      List<CompletableFuture<Lane.Refusal>> results = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        results.add(append(lane, bytes(500, i), 2, 0));
      }
      results.forEach(result -> assertThat(await(result)).isNull());

      List<Block> blocks = pollAll(lane);

      assertThat(blocks).hasSize(300);
      for (int i = 0; i < 300; i++) {
        assertThat(blocks.get(i).payload().toByteArray()).isEqualTo(bytes(500, i));
        assertThat(blocks.get(i).requests()).containsExactly(new Block.Request(500, 2));
        assertThat(blocks.get(i).signal()).isEqualTo(Signal.PROFILES);
      }
    }
  }

  @Test
  void append_largestRequest_isOneBlockAlsoAfterARestart() throws Exception {
    byte[] largest = bytes(HandOver.MAX_WHOLE_BYTES, 1);
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = buffer.lane(PROFILES, Codec.NONE);
      assertThat(lane.maxAppendBytes()).isEqualTo(HandOver.MAX_WHOLE_BYTES);

      store(lane, largest, 1);
      store(lane, bytes(100, 2), 1);
      store(lane, largest, 1);

      assertThat(poll(lane).payload().toByteArray()).isEqualTo(largest);
      assertThatThrownBy(() -> append(lane, new byte[HandOver.MAX_WHOLE_BYTES + 1], 1, 0))
          .isInstanceOf(IllegalArgumentException.class);
    }
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = buffer.lane(PROFILES, Codec.NONE);

      List<Block> blocks = pollAll(lane);

      assertThat(blocks)
          .extracting(Block::uncompressedLength)
          .containsExactly(8 << 20, 100, 8 << 20);
      assertThat(blocks.getLast().payload().toByteArray()).isEqualTo(largest);
      blocks.forEach(block -> deliver(lane, block));
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().buffered()).isZero();
    }
  }

  @Test
  void received_profiles_areCountedApart() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      buffer.received().add(Signal.LOGS, ReceivedCounts.Kind.INVALID, 3);
      buffer.received().add(Signal.PROFILES, ReceivedCounts.Kind.ACCEPTED, 7);
      buffer.received().add(Signal.PROFILES, ReceivedCounts.Kind.INVALID, 1);
    }
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      assertThat(buffer.received().get(Signal.LOGS, ReceivedCounts.Kind.INVALID)).isEqualTo(3);
      assertThat(buffer.received().get(Signal.PROFILES, ReceivedCounts.Kind.ACCEPTED)).isEqualTo(7);
      assertThat(buffer.received().get(Signal.PROFILES, ReceivedCounts.Kind.INVALID)).isEqualTo(1);
    }
  }
}
