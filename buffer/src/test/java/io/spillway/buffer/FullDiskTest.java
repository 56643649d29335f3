package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.MIB;
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

import io.spillway.buffer.BufferConfig.Durability;
import io.spillway.buffer.BufferConfig.WhenFull;
import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.buffer.LaneFixture.FakeDisk;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneLedger;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class FullDiskTest {
  @TempDir Path directory;
  private final FakeClock clock = new FakeClock();
  private FakeDisk disk;

  @BeforeEach
  void disk() throws Exception {
    disk = new FakeDisk(directory);
  }

  private BufferConfig limits(long maxBytes, long minFree, WhenFull whenFull) {
    return config(directory, maxBytes, minFree, MIB, whenFull, Durability.PROCESS);
  }

  private static Lane.Refusal fillUp(Lane lane) {
    for (int i = 0; i < 100; i++) {
      Lane.Refusal refusal = await(append(lane, bytes(200_000, i), 10, 0));
      if (refusal != null) {
        return refusal;
      }
    }
    throw new AssertionError("never full");
  }

  @Test
  void append_belowMinFree_refusesAndRecoversByItself() throws Exception {
    BufferConfig config = limits(1024 * MIB, 512 * MIB, WhenFull.REFUSE);
    try (Buffer buffer = Buffer.open(config, clock, disk)) {
      Lane lane = open(buffer);
      store(lane, bytes(100_000, 1), 1);
      disk.usable = 310 * MIB;

      Lane.Refusal refusal = fillUp(lane);

      assertThat(refusal.reason())
          .isEqualTo(
              "buffer default/traces: 310 MiB free on " + directory + ", below min_free 512 MiB");
      assertThat(refusal.retryAfter()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(30));
      assertThat(lane.refusal(200_000)).isEqualTo(refusal);
      assertThat(lane.status().full()).isEqualTo(refusal.reason());

      disk.usable = 1 << 30;

      assertThat(lane.refusal(200_000)).isNull();
      store(lane, bytes(200_000, 2), 1);
      assertThat(lane.status().full()).isNull();
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void append_writesFail_refusesReadsOnAndRecovers() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock, disk)) {
      Lane lane = open(buffer);
      store(lane, bytes(100_000, 1), 1);
      disk.failWrites = true;

      Lane.Refusal refusal = fillUp(lane);
      assertThat(refusal.reason())
          .startsWith("buffer default/traces: cannot reserve ")
          .endsWith(": No space left on device");
      List<Block> blocks = pollAll(lane);
      assertThat(blocks).isNotEmpty();
      blocks.forEach(block -> deliver(lane, block));
      assertBalanced(lane.ledger());

      disk.failWrites = false;

      store(lane, bytes(200_000, 7), 4);
      assertThat(poll(lane).payload().toByteArray()).isEqualTo(bytes(200_000, 7));
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void append_overMaxBytes_refusesUntilDrained() throws Exception {
    BufferConfig config = limits(8 * MIB, 0, WhenFull.REFUSE);
    try (Buffer buffer = Buffer.open(config, clock, disk)) {
      Lane lane = open(buffer);

      Lane.Refusal refusal = fillUp(lane);

      assertThat(refusal.reason()).endsWith(", max_bytes 8 MiB");
      assertThat(buffer.disk().reserved()).isBetween(6 * MIB, 8 * MIB);
      List<Block> blocks = pollAll(lane);
      blocks.forEach(block -> deliver(lane, block));
      store(lane, bytes(200_000, 1), 10);
      deliver(lane, poll(lane));
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().delivered().get(SINK)).isEqualTo(10L * (blocks.size() + 1));
    }
  }

  /** The drained newest segment is all there is: it must give its space back to itself. */
  @Test
  void append_drainedLaneHoldsTheLastSpace_recyclesItsSegment() throws Exception {
    BufferConfig config =
        config(directory, 8 * MIB, 0, 64 * MIB, WhenFull.REFUSE, Durability.PROCESS);
    try (Buffer buffer = Buffer.open(config, clock, disk)) {
      Lane lane = open(buffer);
      for (int round = 0; round < 3; round++) {
        fillUp(lane);
        assertThat(lane.refusal(200_000)).isNotNull();
        pollAll(lane).forEach(block -> deliver(lane, block));
        assertThat(lane.refusal(200_000)).isNull();
        store(lane, bytes(200_000, round), 10);
      }
      pollAll(lane).forEach(block -> deliver(lane, block));
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().buffered()).isZero();
    }

    try (Buffer buffer = Buffer.open(config, clock, disk)) {
      assertThat(open(buffer).ledger().buffered()).isZero();
      assertBalanced(open(buffer).ledger());
    }
  }

  @Test
  void append_dropOldest_evictsAndCountsEveryItem() throws Exception {
    BufferConfig config = limits(8 * MIB, 0, WhenFull.DROP_OLDEST);
    LaneLedger before;
    try (Buffer buffer = Buffer.open(config, clock, disk)) {
      Lane lane = open(buffer);
      store(lane, bytes(200_000, 0), 10);
      Block inFlight = poll(lane);
      for (int i = 1; i < 100; i++) {
        store(lane, bytes(200_000, i), 10);
      }

      before = lane.ledger();
      assertBalanced(before);
      assertThat(before.routed()).isEqualTo(1000);
      assertThat(before.dropped().get("evicted")).isGreaterThan(500);
      deliver(lane, inFlight);
      assertThat(lane.ledger()).isEqualTo(before);
    }

    try (Buffer buffer = Buffer.open(config, clock, disk)) {
      Lane lane = open(buffer);
      assertThat(lane.ledger()).isEqualTo(before);
      List<Block> blocks = new ArrayList<>(pollAll(lane));
      assertThat(blocks.getLast().payload().toByteArray()).isEqualTo(bytes(200_000, 99));
      blocks.forEach(block -> deliver(lane, block));
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().dropped().get("evicted") + lane.ledger().delivered().get(SINK))
          .isEqualTo(1000);
    }
  }

  @Test
  void open_diskFull_readsWhatIsThere() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock, disk)) {
      store(open(buffer), bytes(100_000, 1), 5);
    }
    disk.usable = 0;
    disk.failWrites = true;

    try (Buffer buffer = Buffer.open(config(directory), clock, disk)) {
      Lane lane = open(buffer);
      assertThat(await(append(lane, bytes(100, 1), 1, 0))).isNotNull();
      deliver(lane, poll(lane));
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().buffered()).isZero();
    }
  }

  @Test
  void append_durabilityPower_isAnsweredAfterTheForce() throws Exception {
    BufferConfig power = config(directory, 64 * MIB, 0, MIB, WhenFull.REFUSE, Durability.POWER);
    try (Buffer buffer = Buffer.open(power, clock, disk)) {
      Lane lane = open(buffer);
      for (int i = 0; i < 10; i++) {
        store(lane, bytes(300_000, i), 1);
      }
      assertThat(pollAll(lane)).hasSize(10);
      assertBalanced(lane.ledger());
    }
  }
}
