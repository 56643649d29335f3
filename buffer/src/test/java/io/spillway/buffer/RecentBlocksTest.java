package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.assertBalanced;
import static io.spillway.buffer.LaneFixture.bytes;
import static io.spillway.buffer.LaneFixture.config;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.LaneFixture.open;
import static io.spillway.buffer.LaneFixture.poll;
import static io.spillway.buffer.LaneFixture.store;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.buffer.RecentBlocks.Recent;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RecentBlocksTest {
  private static final int KIB_512 = 512 * 1024;

  private final AtomicLong shared = new AtomicLong();
  private final RecentBlocks recent = new RecentBlocks(shared);

  @Test
  void take_inOrder_givesEachBlockOnce() {
    recent.add(block(1, 0, 100, 10));
    recent.add(block(1, 100, 200, 10));
    assertThat(recent.take(1, 0)).isNotNull().extracting(Recent::end).isEqualTo(100L);
    assertThat(recent.take(1, 0)).isNull();
    assertThat(recent.take(1, 100)).isNotNull();
    assertThat(shared).hasValue(0);
  }

  @Test
  void take_readerFartherOn_forgetsWhatIsBehindIt() {
    recent.add(block(1, 0, 100, 10));
    recent.add(block(2, 0, 100, 10));
    assertThat(recent.take(2, 100)).isNull();
    assertThat(shared).hasValue(0);
  }

  @Test
  void take_readerBehind_keepsThemForLater() {
    recent.add(block(2, 100, 200, 10));
    assertThat(recent.take(1, 500)).isNull();
    assertThat(recent.take(2, 0)).isNull();
    assertThat(recent.take(2, 100)).isNotNull();
  }

  @Test
  void add_nobodyReads_keepsTheNewestOfALane() {
    for (int i = 0; i < 10; i++) {
      recent.add(block(1, i * 100L, i * 100L + 100, KIB_512));
    }
    assertThat(shared).hasValue(RecentBlocks.MAX_LANE_BYTES);
    assertThat(recent.take(1, 100)).isNull();
    assertThat(recent.take(1, 200)).isNotNull();
  }

  @Test
  void add_otherLanesHoldAllOfIt_keepsNothing() {
    shared.set(RecentBlocks.MAX_BYTES - 1);
    recent.add(block(1, 0, 100, KIB_512));
    assertThat(recent.take(1, 0)).isNull();
    assertThat(shared).hasValue(RecentBlocks.MAX_BYTES - 1);
  }

  @Test
  void close_afterwards_keepsNothingAndGivesAllBack() {
    recent.add(block(1, 0, 100, 10));
    recent.close();
    recent.add(block(1, 100, 200, 10));
    assertThat(shared).hasValue(0);
  }

  /** Cursors come from blocks that were never read from disk, and must fit what is there. */
  @Test
  void lane_readerKeepsUpOverSegments_nextStartReadsExactlyTheRest(@TempDir Path directory)
      throws Exception {
    FakeClock clock = new FakeClock();
    List<byte[]> contents = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      contents.add(bytes(1 + i * 17_011, i));
    }
    List<byte[]> read = new ArrayList<>();
    for (int start = 0; start < 24; start += 8) {
      try (Buffer buffer = Buffer.open(config(directory), clock)) {
        Lane lane = open(buffer);
        for (int i = start; i < start + 8; i++) {
          store(lane, contents.get(i), 10);
          if (i % 8 > 1) { // two blocks are always behind, and left for the next start
            Block block = poll(lane);
            read.add(block.payload().toByteArray());
            deliver(lane, block);
          }
        }
        assertBalanced(lane.ledger());
      }
    }
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      while (read.size() < contents.size()) {
        Block block = poll(lane);
        read.add(block.payload().toByteArray());
        deliver(lane, block);
      }
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().redelivered()).isZero();
    }
    assertThat(read).containsExactlyElementsOf(contents);
  }

  private static Recent block(int cycle, long passed, long end, int length) {
    BlockHeader header =
        new BlockHeader(
            Signal.TRACES, Codec.NONE, length, 0, length, 1, 0, 0, 0, 0, 0, 0, List.of(), false);
    return new Recent(cycle, passed, end, header, Slice.of(new byte[length]));
  }
}
