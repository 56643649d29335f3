package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.MIB;
import static io.spillway.buffer.LaneFixture.SINK;
import static io.spillway.buffer.LaneFixture.append;
import static io.spillway.buffer.LaneFixture.assertBalanced;
import static io.spillway.buffer.LaneFixture.await;
import static io.spillway.buffer.LaneFixture.bytes;
import static io.spillway.buffer.LaneFixture.config;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.LaneFixture.poll;
import static io.spillway.buffer.LaneFixture.pollAll;
import static io.spillway.buffer.LaneFixture.segments;
import static io.spillway.buffer.LaneFixture.store;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.BufferConfig.Durability;
import io.spillway.buffer.BufferConfig.WhenFull;
import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.buffer.LaneFixture.FakeDisk;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a lane may use, how long it holds on to data, and what it gives up when. */
@Timeout(60)
class LaneBoundsTest {
  private static final LaneId DEAD = new LaneId("dead", Signal.TRACES);
  private static final LaneId HEALTHY = new LaneId("healthy", Signal.TRACES);
  private static final int ITEMS = 10;

  @TempDir Path directory;
  private final FakeClock clock = new FakeClock();
  private FakeDisk disk;

  @BeforeEach
  void disk() throws Exception {
    disk = new FakeDisk(directory);
  }

  private Buffer open(long maxBytes) throws Exception {
    return Buffer.open(
        config(directory, maxBytes, 0, MIB, WhenFull.REFUSE, Durability.PROCESS), clock, disk);
  }

  private static LaneSettings settings(long maxBytes, Duration maxAge, Duration keepDelivered) {
    return new LaneSettings(maxBytes, maxAge, WhenFull.REFUSE, Durability.PROCESS, keepDelivered);
  }

  private static LaneSettings usual(long maxBytes) {
    return settings(maxBytes, Duration.ofDays(3), Duration.ZERO);
  }

  /** Appends until refused. */
  private static Lane.Refusal fillUp(Lane lane) {
    for (int i = 0; i < 500; i++) {
      Lane.Refusal refusal = await(append(lane, bytes(200_000, i), ITEMS, 0));
      if (refusal != null) {
        return refusal;
      }
    }
    throw new AssertionError("never full");
  }

  @Test
  void append_overTheLanesOwnMaxBytes_refusesThisLaneOnly() throws Exception {
    try (Buffer buffer = open(64 * MIB)) {
      Lane small = buffer.lane(DEAD, Codec.NONE, usual(8 * MIB));
      Lane other = buffer.lane(HEALTHY, Codec.NONE);

      Lane.Refusal refusal = fillUp(small);

      assertThat(refusal.reason()).contains("reserved for this lane, its max_bytes 8 MiB");
      assertThat(buffer.disk().reserved()).isLessThanOrEqualTo(8 * MIB);
      store(other, bytes(200_000, 1), 1);

      buffer.lane(DEAD, Codec.NONE, usual(16 * MIB));
      store(small, bytes(200_000, 1), 1);
    }
  }

  /** The lane of a dead sink takes what is free, and never what another one needs to go on. */
  // conformance: R-02
  @Test
  void append_anotherLaneFillsTheBuffer_healthyLaneGoesOn() throws Exception {
    try (Buffer buffer = open(32 * MIB)) {
      Lane dead = buffer.lane(DEAD, Codec.NONE);
      Lane healthy = buffer.lane(HEALTHY, Codec.NONE);

      Lane.Refusal refusal = fillUp(dead);

      assertThat(refusal.reason()).contains("set aside for lanes that use less");
      assertThat(dead.status().diskBytes()).isGreaterThan(24 * MIB);
      for (int i = 0; i < 100; i++) {
        store(healthy, bytes(200_000, i), ITEMS);
        deliver(healthy, poll(healthy));
      }
      assertThat(healthy.refusal(200_000)).isNull();
      assertBalanced(dead.ledger());
      assertThat(healthy.ledger().delivered()).isEqualTo(Map.of(SINK, 1000L));
    }
  }

  /** The same when it is the file system that has no more. */
  @Test
  void append_anotherLaneFillsTheDisk_healthyLaneGoesOn() throws Exception {
    disk.capacity(32 * MIB);
    try (Buffer buffer = open(1024 * MIB)) {
      Lane dead = buffer.lane(DEAD, Codec.NONE);
      Lane healthy = buffer.lane(HEALTHY, Codec.NONE);

      Lane.Refusal refusal = fillUp(dead);

      assertThat(refusal.reason()).contains("set aside for lanes that use less");
      for (int i = 0; i < 100; i++) {
        store(healthy, bytes(200_000, i), ITEMS);
        deliver(healthy, poll(healthy));
      }
    }
  }

  @Test
  void maxAge_nobodyReads_givesUpWholeSegmentsAndCounts() throws Exception {
    try (Buffer buffer = open(64 * MIB)) {
      Lane lane =
          buffer.lane(DEAD, Codec.NONE, settings(64 * MIB, Duration.ofHours(1), Duration.ZERO));
      for (int i = 0; i < 20; i++) {
        store(lane, bytes(200_000, i), ITEMS);
      }
      Block inFlight = poll(lane);
      clock.advance(Duration.ofMinutes(59));
      store(lane, bytes(200_000, 20), ITEMS);
      assertThat(lane.ledger().dropped()).isEmpty();

      clock.advance(Duration.ofMinutes(2));

      Awaitility.await().until(() -> lane.ledger().buffered() < 10 * ITEMS);
      assertThat(lane.givenUpBelow()).isGreaterThan(inFlight.firstSequence());
      deliver(lane, inFlight);
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().delivered()).isEmpty();
      assertThat(lane.ledger().buffered()).isGreaterThanOrEqualTo(ITEMS);
      List<Block> left = pollAll(lane);
      assertThat(left.getLast().payload().toByteArray()).isEqualTo(bytes(200_000, 20));

      clock.advance(Duration.ofHours(2));

      Awaitility.await().until(() -> lane.ledger().buffered() == 0);
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().dropped()).isEqualTo(Map.of("expired", 21L * ITEMS));
      store(lane, bytes(200_000, 21), ITEMS);
      deliver(lane, poll(lane));
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void keepDelivered_settledSegments_stayForTheTimeAndThenGo() throws Exception {
    try (Buffer buffer = open(64 * MIB)) {
      Lane lane =
          buffer.lane(
              DEAD, Codec.NONE, settings(64 * MIB, Duration.ofDays(3), Duration.ofHours(1)));
      for (int i = 0; i < 20; i++) {
        store(lane, bytes(200_000, i), ITEMS);
        deliver(lane, poll(lane));
      }
      int kept = segments(directory, DEAD).size();
      assertThat(kept).isGreaterThan(2);
      assertThat(lane.ledger().buffered()).isZero();
    }
    // The wait begins anew with each start.
    try (Buffer buffer = open(64 * MIB)) {
      Lane lane =
          buffer.lane(
              DEAD, Codec.NONE, settings(64 * MIB, Duration.ofDays(3), Duration.ofHours(1)));
      assertThat(lane.poll(LaneFixture.NO_WAIT)).isNull();
      assertThat(segments(directory, DEAD)).hasSizeGreaterThan(2);
      store(lane, bytes(200_000, 20), ITEMS);
      deliver(lane, poll(lane));
      assertThat(segments(directory, DEAD)).hasSizeGreaterThan(2);

      Awaitility.await()
          .until(
              () -> {
                clock.advance(Duration.ofMinutes(61));
                return segments(directory, DEAD).size() <= 1;
              });
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().delivered()).isEqualTo(Map.of(SINK, 21L * ITEMS));
    }
  }

  @Test
  void keepDelivered_roomIsNeeded_keptSegmentsGoFirst() throws Exception {
    try (Buffer buffer = open(16 * MIB)) {
      Lane lane =
          buffer.lane(
              DEAD, Codec.NONE, settings(16 * MIB, Duration.ofDays(3), Duration.ofHours(1)));
      Lane other = buffer.lane(HEALTHY, Codec.NONE);
      for (int i = 0; i < 55; i++) {
        store(lane, bytes(200_000, i), ITEMS);
        deliver(lane, poll(lane));
      }
      assertThat(lane.status().diskBytes()).isGreaterThan(8 * MIB);

      // Another lane that is refused for what this one keeps gets the room within seconds.
      for (int i = 0; i < 50; i++) {
        int n = i;
        Awaitility.await().until(() -> await(append(other, bytes(200_000, n), ITEMS, 0)) == null);
      }

      assertBalanced(lane.ledger());
      assertThat(lane.ledger().delivered()).isEqualTo(Map.of(SINK, 550L));
      assertThat(other.ledger().buffered()).isEqualTo(50L * ITEMS);
    }
  }

  @Test
  void drop_itemsStored_givesUpAllAndCountsThemAsTheOperators() throws Exception {
    try (Buffer buffer = open(64 * MIB)) {
      Lane lane = buffer.lane(DEAD, Codec.NONE);
      for (int i = 0; i < 20; i++) {
        store(lane, bytes(200_000, i), ITEMS);
      }
      Block inFlight = poll(lane);
      deliver(lane, poll(lane));

      assertThat(buffer.drop(DEAD).get(20, TimeUnit.SECONDS)).isEqualTo(19L * ITEMS);

      assertThat(lane.givenUpBelow()).isEqualTo(20L * ITEMS);
      deliver(lane, inFlight);
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().dropped()).isEqualTo(Map.of("operator", 19L * ITEMS));
      assertThat(lane.ledger().delivered()).isEqualTo(Map.of(SINK, (long) ITEMS));
      assertThat(lane.ledger().buffered()).isZero();
      store(lane, bytes(100, 1), 1);
      deliver(lane, poll(lane));
      assertThat(buffer.drop(DEAD).get(20, TimeUnit.SECONDS)).isZero();
    }
    try (Buffer buffer = open(64 * MIB)) {
      Lane lane = buffer.lane(DEAD, Codec.NONE);
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().dropped()).isEqualTo(Map.of("operator", 19L * ITEMS));
    }
  }

  @Test
  void unsynced_processThenPower_isWhatALossOfPowerCouldTake() throws Exception {
    try (Buffer buffer = open(64 * MIB)) {
      Lane lane = buffer.lane(DEAD, Codec.NONE);
      store(lane, bytes(1000, 1), 1);
      store(lane, bytes(500, 2), 1);
      assertThat(lane.status().unsyncedBytes()).isEqualTo(1500);
      assertThat(lane.status().lastSync()).isNull();
      deliver(lane, poll(lane));
      assertThat(lane.status().unsyncedBytes()).isEqualTo(500);

      // A reload that asks for more takes effect on what is stored, without another write.
      LaneSettings power =
          new LaneSettings(
              64 * MIB, Duration.ofDays(3), WhenFull.REFUSE, Durability.POWER, Duration.ZERO);
      buffer.lane(DEAD, Codec.NONE, power);

      Awaitility.await().until(() -> lane.status().unsyncedBytes() == 0);
      assertThat(lane.status().lastSync()).isEqualTo(clock.instant());
      store(lane, bytes(700, 3), 1);
      assertThat(lane.status().unsyncedBytes()).isZero();
    }
  }
}
