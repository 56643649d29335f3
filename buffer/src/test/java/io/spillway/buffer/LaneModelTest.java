package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.MIB;
import static io.spillway.buffer.LaneFixture.append;
import static io.spillway.buffer.LaneFixture.assertBalanced;
import static io.spillway.buffer.LaneFixture.await;
import static io.spillway.buffer.LaneFixture.crashCopy;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.LaneFixture.open;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.BufferConfig.Durability;
import io.spillway.buffer.BufferConfig.WhenFull;
import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.buffer.LaneFixture.FakeDisk;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneLedger;
import io.spillway.otlp.stage.Settlement;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random appends, polls, settlements, restarts, crashes and full disks against a list in memory.
 * After every step the ledger balances; at the end every acknowledged request was handed out whole.
 */
@Timeout(120)
class LaneModelTest {
  private static final int STEPS = 1500;
  private static final int STEPS_WITH_DAMAGE = 600;

  @TempDir Path directory;

  private final FakeClock clock = new FakeClock();
  private Random random;
  private Path current;
  private FakeDisk disk;
  private Buffer buffer;
  private Lane lane;
  private int generation;

  private long nextId;
  private long routed;
  private long sampledOut;

  /** Items of acknowledged requests, by id. */
  private final Map<Long, Integer> acknowledged = new LinkedHashMap<>();

  private final Set<Long> handedOut = new HashSet<>();

  private final List<Block> inFlight = new ArrayList<>();

  private boolean damages;

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void ledger_afterEveryStep_balances(long seed) throws Exception {
    run(seed, STEPS);
    assertThat(handedOut).as("seed %d", seed).isEqualTo(acknowledged.keySet());
    assertThat(lane.ledger().dropped()).as("seed %d", seed).doesNotContainKey("corrupt");
    buffer.close();
  }

  @ParameterizedTest
  @ValueSource(longs = 3)
  void ledger_bytesFlippedAtRestarts_balancesAndCountsWhatIsLost(long seed) throws Exception {
    damages = true;
    run(seed, STEPS_WITH_DAMAGE);
    long lost = lane.ledger().dropped().getOrDefault("corrupt", 0L);
    acknowledged.keySet().removeAll(handedOut);
    assertThat(lost).as("seed %d", seed).isGreaterThanOrEqualTo(sum(acknowledged.values()));
    assertThat(handedOut).hasSizeGreaterThan(STEPS_WITH_DAMAGE / 20);
    buffer.close();
  }

  private void run(long seed, int steps) throws Exception {
    random = new Random(seed);
    current = directory.resolve("0");
    start();
    for (int step = 0; step < steps; step++) {
      switch (random.nextInt(100)) {
        case 0 -> restart();
        case 1 -> crash();
        case 2, 3 -> disk.usable = random.nextBoolean() ? 0 : 1L << 40;
        case 4, 5 -> disk.failWrites = random.nextBoolean();
        default -> {
          int kind = random.nextInt(3);
          if (kind == 0) {
            store();
          } else if (kind == 1) {
            poll();
          } else {
            settle();
          }
        }
      }
      check("seed " + seed + ", step " + step);
    }
    drain();
    check("seed " + seed + ", end");
    assertThat(acknowledged).hasSizeGreaterThan(steps / 10);
    assertThat(lane.ledger().buffered()).isZero();
  }

  private void start() throws Exception {
    disk = new FakeDisk(current);
    buffer =
        Buffer.open(
            LaneFixture.config(current, 16 * MIB, MIB, MIB, WhenFull.REFUSE, Durability.PROCESS),
            clock,
            disk);
    lane = open(buffer);
    inFlight.clear();
  }

  private void restart() throws Exception {
    buffer.close();
    if (damages) {
      flipBytes();
    }
    start();
  }

  /** A few bytes anywhere in one segment, its header and index included. */
  private void flipBytes() throws Exception {
    List<Path> segments = LaneFixture.segments(current);
    if (segments.isEmpty()) {
      return;
    }
    Path segment = segments.get(random.nextInt(segments.size()));
    try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.WRITE)) {
      for (int i = 0; i < 4; i++) {
        byte[] junk = LaneFixture.bytes(1 + random.nextInt(8), random.nextLong());
        channel.write(ByteBuffer.wrap(junk), random.nextInt((int) MIB));
      }
    }
  }

  private static long sum(Collection<Integer> counts) {
    return counts.stream().mapToLong(Integer::longValue).sum();
  }

  private void crash() throws Exception {
    Path next = directory.resolve(String.valueOf(++generation));
    crashCopy(current, next);
    buffer.close();
    current = next;
    start();
  }

  private void store() {
    int items = random.nextInt(20);
    int dropped = random.nextInt(5);
    byte[] request = items == 0 ? new byte[0] : request(8 + random.nextInt(60_000));
    if (await(append(lane, request, items, dropped)) == null) {
      routed += items + dropped;
      sampledOut += dropped;
      if (items > 0) {
        acknowledged.put(nextId - 1, items);
      }
    }
  }

  private byte[] request(int length) {
    byte[] request = LaneFixture.bytes(length, nextId);
    ByteBuffer.wrap(request).putLong(nextId);
    nextId++;
    return request;
  }

  private void poll() throws Exception {
    Block block = lane.poll(LaneFixture.NO_WAIT);
    if (block != null) {
      check(block);
      inFlight.add(block);
    }
  }

  private void check(Block block) {
    long id = ByteBuffer.wrap(block.payload().toByteArray()).getLong();
    byte[] expected = LaneFixture.bytes(block.payload().length(), id);
    ByteBuffer.wrap(expected).putLong(id);
    assertThat(block.payload().toByteArray()).isEqualTo(expected);
    assertThat(acknowledged).containsEntry(id, block.items());
    handedOut.add(id);
  }

  private void settle() {
    if (inFlight.isEmpty()) {
      return;
    }
    Block block = inFlight.remove(random.nextInt(inFlight.size()));
    int delivered = random.nextInt(block.items() + 1);
    lane.settle(
        block,
        Settlement.delivered("exporter/" + random.nextInt(3), delivered)
            .and(Settlement.dropped(DropReason.BAD_DATA, block.items() - delivered)));
  }

  private void drain() throws Exception {
    disk.usable = 1L << 40;
    disk.failWrites = false;
    inFlight.forEach(block -> deliver(lane, block));
    inFlight.clear();
    for (Block b = lane.poll(LaneFixture.NO_WAIT); b != null; b = lane.poll(LaneFixture.NO_WAIT)) {
      check(b);
      deliver(lane, b);
    }
  }

  private void check(String where) {
    LaneLedger ledger = lane.ledger();
    assertBalanced(ledger);
    assertThat(ledger.routed()).as(where).isEqualTo(routed);
    assertThat(ledger.sampledOut()).as(where).isEqualTo(sampledOut);
  }
}
