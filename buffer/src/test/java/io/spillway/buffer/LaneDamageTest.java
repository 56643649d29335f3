package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.assertBalanced;
import static io.spillway.buffer.LaneFixture.bytes;
import static io.spillway.buffer.LaneFixture.config;
import static io.spillway.buffer.LaneFixture.crashCopy;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.LaneFixture.laneDirectory;
import static io.spillway.buffer.LaneFixture.open;
import static io.spillway.buffer.LaneFixture.poll;
import static io.spillway.buffer.LaneFixture.pollAll;
import static io.spillway.buffer.LaneFixture.segments;
import static io.spillway.buffer.LaneFixture.store;
import static io.spillway.buffer.LaneFixture.sum;
import static io.spillway.buffer.SegmentDamage.truncate;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneLedger;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A lane of three segments, some of it settled, and damage to any one or two of its files: it opens
 * at once, its ledger balances, and every block that can still be read arrives.
 */
@Timeout(60)
class LaneDamageTest {
  private static final int BLOCKS = 12;
  private static final int SETTLED = 3;
  private static final int ITEMS = 10;
  private static final int SEEDS = 40;
  private static final FakeClock CLOCK = new FakeClock();

  @TempDir static Path templates;
  @TempDir Path directory;

  private static Path now;
  private static Path past;
  private static Path future;

  private static final byte[] LARGEST = bytes((int) RecentBlocks.MAX_LANE_BYTES / 2, 5);

  private static byte[] content(long block) {
    return bytes(250_000, block);
  }

  @BeforeAll
  static void fill() throws Exception {
    now = templates.resolve("now");
    past = templates.resolve("past");
    future = templates.resolve("future");
    try (Buffer buffer = Buffer.open(config(now), CLOCK)) {
      Lane lane = open(buffer);
      for (int i = 0; i < BLOCKS; i++) {
        store(lane, content(i), ITEMS);
        if (i < SETTLED) {
          deliver(lane, poll(lane));
        }
        if (i == 0) {
          crashCopy(now, past);
        }
      }
    }
    try (Buffer buffer = Buffer.open(config(future), CLOCK)) {
      Lane lane = open(buffer);
      for (int i = 0; i < 3 * BLOCKS; i++) {
        store(lane, content(i), ITEMS);
        deliver(lane, poll(lane));
      }
    }
  }

  /** What can happen to one file. */
  enum Damage {
    CHECKPOINT_LOST,
    CHECKPOINT_TORN,
    CHECKPOINT_PAST,
    CHECKPOINT_FUTURE,
    MARK_LOST,
    MARK_TORN,
    MARK_PAST,
    MARK_FUTURE,
    METADATA_JUNK,
    SEGMENT_DELETED,
    SEGMENT_EMPTIED,
    SEGMENT_TRUNCATED,
    SEGMENT_JUNK;

    void to(Path directory, Random random) throws IOException {
      Path lane = laneDirectory(directory);
      Path checkpoint = lane.resolve("checkpoint");
      Path mark = lane.resolve("appended");
      List<Path> segments = segments(directory);
      Path segment = segments.isEmpty() ? null : segments.get(random.nextInt(segments.size()));
      switch (this) {
        case CHECKPOINT_LOST -> Files.deleteIfExists(checkpoint);
        case CHECKPOINT_TORN -> junk(checkpoint, random, 2000, 16);
        case CHECKPOINT_PAST -> replace(checkpoint, past);
        case CHECKPOINT_FUTURE -> replace(checkpoint, future);
        case MARK_LOST -> Files.deleteIfExists(mark);
        case MARK_TORN -> junk(mark, random, 60, 2);
        case MARK_PAST -> replace(mark, past);
        case MARK_FUTURE -> replace(mark, future);
        case METADATA_JUNK -> Files.write(lane.resolve("metadata.cq4t"), bytes(5000, 1));
        case SEGMENT_DELETED -> Files.deleteIfExists(segment);
        case SEGMENT_EMPTIED -> truncate(segment, 0);
        case SEGMENT_TRUNCATED -> truncate(segment, random.nextInt(1 << 20));
        case SEGMENT_JUNK -> junk(segment, random, 1 << 20, 20);
      }
    }

    private static void replace(Path file, Path from) throws IOException {
      Files.write(file, Files.readAllBytes(laneDirectory(from).resolve(file.getFileName())));
    }

    /** Both halves of a slot file, or anything of a segment: headers, words, index, payloads. */
    private static void junk(Path file, Random random, int range, int times) throws IOException {
      if (!Files.exists(file)) {
        return;
      }
      try (RandomAccessFile f = new RandomAccessFile(file.toFile(), "rw")) {
        long half = f.length() / 2;
        boolean isSegment = LaneFixture.isSegment(file);
        for (int i = 0; i < times; i++) {
          long at = isSegment ? random.nextInt(range) : i % 2 * half + 20 + random.nextInt(40);
          f.seek(at);
          f.write(bytes(8, random.nextLong()));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void open_oneDamage_deliversWhatCanBeRead(Damage damage) throws Exception {
    check(new Random(1), damage);
  }

  static LongStream seeds() {
    return LongStream.range(0, SEEDS);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void open_twoDamages_deliversWhatCanBeRead(long seed) throws Exception {
    Random random = new Random(seed);
    Damage[] all = Damage.values();
    check(random, all[random.nextInt(all.length)], all[random.nextInt(all.length)]);
  }

  private void check(Random random, Damage... damages) throws Exception {
    crashCopy(now, directory);
    for (Damage damage : damages) {
      damage.to(directory, random);
    }
    List<Damage> list = List.of(damages);
    Set<Long> intact = intact();

    try (Buffer buffer = Buffer.open(config(directory), CLOCK)) {
      Lane lane = open(buffer);
      assertThat(lane.refusal(1000)).as("%s", list).isNull();
      assertBalanced(lane.ledger());
      List<Block> blocks = pollAll(lane);
      Set<Long> arrived = new TreeSet<>();
      for (Block block : blocks) {
        long number = block.firstSequence() / ITEMS;
        assertThat(block.payload().toByteArray()).isEqualTo(content(number));
        assertThat(arrived.add(number)).as("%s: %d once", list, number).isTrue();
        deliver(lane, block);
      }
      LaneLedger ledger = lane.ledger();
      assertBalanced(ledger);
      assertThat(ledger.buffered()).isZero();
      // Together they describe a later time of the lane in every way; so they are believed.
      if (!list.containsAll(List.of(Damage.CHECKPOINT_FUTURE, Damage.MARK_FUTURE))) {
        assertThat(arrived).as("%s", list).containsAll(intact);
      }
      long known = Math.max(ledger.routed(), 0);
      assertThat(sum(ledger.delivered().values()) + ledger.dropped().getOrDefault("corrupt", 0L))
          .as("%s", list)
          .isEqualTo(known);

      store(lane, content(99), ITEMS);
      Block next = poll(lane);
      assertThat(next.payload().toByteArray()).isEqualTo(content(99));
      deliver(lane, next);
      assertBalanced(lane.ledger());
    }
  }

  /** The unsettled blocks that the segments still hold whole. */
  private Set<Long> intact() throws IOException {
    Set<Long> intact = new TreeSet<>();
    for (Path segment : segments(directory)) {
      try (SegmentScan scan = SegmentScan.open(segment, 0)) {
        for (BlockHeader header = scan.next(Long.MAX_VALUE);
            header != null;
            header = scan.next(Long.MAX_VALUE)) {
          var payload = scan.payload(header);
          long number = header.firstItem() / ITEMS;
          if (payload != null
              && BlockHeader.crc(payload) == header.payloadCrc()
              && number >= SETTLED) {
            intact.add(number);
          }
        }
      }
    }
    return intact;
  }

  @Test
  void read_liveSegmentDamaged_losesOnlyTheDamagedBlock() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), CLOCK)) {
      Lane lane = open(buffer);
      for (int i = 0; i < 3; i++) {
        store(lane, content(i), ITEMS);
      }
      store(lane, LARGEST, ITEMS); // so that those before it are no longer in memory
      store(lane, LARGEST, ITEMS);
      Path segment = segments(directory).getFirst();
      try (SegmentScan scan = SegmentScan.open(segment, 0);
          RandomAccessFile f = new RandomAccessFile(segment.toFile(), "rw")) {
        scan.next(Long.MAX_VALUE);
        scan.next(Long.MAX_VALUE);
        f.seek(scan.position());
        f.write(bytes(40, 7));
      }
      store(lane, content(3), ITEMS);

      List<Block> blocks = pollAll(lane);
      assertThat(blocks).extracting(Block::firstSequence).containsExactly(0L, 20L, 30L, 40L, 50L);
      blocks.forEach(block -> deliver(lane, block));
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().dropped()).containsEntry("corrupt", 10L);
      assertThat(LaneFixture.names(directory.resolve("quarantine")))
          .singleElement()
          .asString()
          .startsWith("default-traces-segment-1-at-")
          .endsWith("-item-10.record");
    }
  }

  @Test
  void read_segmentCopiedInAgain_countsItsItemsAsCorruptBesideTheLedger() throws Exception {
    crashCopy(now, directory);
    List<Path> segments = segments(directory);
    String name = segments.get(1).getFileName().toString();
    String later = name.replaceFirst("\\d\\dR", "59R");
    Files.copy(segments.get(1), segments.get(1).resolveSibling(later));

    try (Buffer buffer = Buffer.open(config(directory), CLOCK)) {
      Lane lane = open(buffer);
      List<Block> blocks = new ArrayList<>(pollAll(lane));
      store(lane, content(99), ITEMS);
      blocks.addAll(pollAll(lane));

      assertThat(blocks).hasSize(BLOCKS - SETTLED + 1);
      blocks.forEach(block -> deliver(lane, block));
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().dropped()).containsEntry("corrupt", 50L);
      assertThat(lane.ledger().routed()).isEqualTo((BLOCKS + 1) * ITEMS + 50);
    }
    try (Buffer buffer = Buffer.open(config(directory), CLOCK)) {
      assertBalanced(open(buffer).ledger());
      assertThat(open(buffer).ledger().dropped()).containsEntry("corrupt", 50L);
    }
  }

  @Test
  void quarantine_moreThanItHolds_dropsTheOldest() throws Exception {
    DiskBudget budget = new DiskBudget(directory, 1 << 20, 0, 1 << 20, DiskSpace.of(directory));
    Quarantine quarantine = new Quarantine(directory, 80_000, budget, CLOCK);
    for (int i = 0; i < 5; i++) {
      quarantine.record(LaneFixture.ID, 1, 100L * i, i, io.spillway.otlp.Slice.of(bytes(3000, i)));
    }

    assertThat(LaneFixture.names(directory.resolve("quarantine")))
        .containsExactly(
            "default-traces-segment-1-at-200-item-2.record",
            "default-traces-segment-1-at-300-item-3.record",
            "default-traces-segment-1-at-400-item-4.record");
    assertThat(quarantine.bytes()).isEqualTo(9000);
    assertThat(budget.reservedBytes()).isEqualTo(9000);
    Quarantine again = new Quarantine(directory, 80_000, budget, CLOCK);
    assertThat(again.bytes()).isEqualTo(9000);
  }
}
