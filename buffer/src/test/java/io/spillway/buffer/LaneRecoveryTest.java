package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.SINK;
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
import static io.spillway.buffer.SegmentDamage.lastByte;
import static io.spillway.buffer.SegmentDamage.record;
import static io.spillway.buffer.SegmentDamage.truncate;
import static io.spillway.buffer.SegmentDamage.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneLedger;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is on disk may be anything: the lane opens, goes on, and its ledger balances. */
@Timeout(60)
class LaneRecoveryTest {
  private static final int BLOCKS = 12;
  private static final int ITEMS = 10;

  @TempDir Path directory;
  @TempDir Path elsewhere;
  private final FakeClock clock = new FakeClock();

  private static byte[] content(int i) {
    return bytes(250_000, i);
  }

  private void fill() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      for (int i = 0; i < BLOCKS; i++) {
        store(lane, content(i), ITEMS);
      }
      assertThat(segments(directory)).hasSize(3);
    }
  }

  interface Damage {
    void to(Path segment) throws IOException;
  }

  record Case(String name, int segment, Damage damage) {
    @Override
    public String toString() {
      return name + " of segment " + segment;
    }
  }

  static List<Case> damages() {
    Map<String, Damage> damages =
        Map.ofEntries(
            Map.entry("truncated half", file -> truncate(file, lastByte(file) / 2)),
            Map.entry("truncated to 10 bytes", file -> truncate(file, 10)),
            Map.entry("emptied", file -> truncate(file, 0)),
            Map.entry("deleted", Files::delete),
            Map.entry("payload flipped", file -> write(file, record(file, 1) + 200_000, 0x5a)),
            Map.entry("block header flipped", file -> write(file, record(file, 1) + 40, 0x5a)),
            Map.entry("length huge", file -> write(file, record(file, 1) - 4, 0x3fffffff)),
            Map.entry("length short", file -> write(file, record(file, 1) - 4, 1000)),
            Map.entry("length zero", file -> write(file, record(file, 1) - 4, 0)),
            Map.entry("not complete", file -> write(file, record(file, 1) - 4, 0x80000000)),
            Map.entry("end mark", file -> write(file, record(file, 1) - 4, 0xC0000000)),
            Map.entry("header junk", file -> write(file, 0, 0x12345678)),
            Map.entry("header body junk", LaneRecoveryTest::junkHeaderBody),
            Map.entry("index junk", LaneRecoveryTest::junkIndex));
    List<Case> cases = new ArrayList<>();
    for (int segment = 0; segment < 3; segment++) {
      for (Map.Entry<String, Damage> e : damages.entrySet()) {
        cases.add(new Case(e.getKey(), segment, e.getValue()));
      }
    }
    return cases;
  }

  /** Words, index and segment header are not needed to read; only what is gone is lost. */
  private static long lostBlocks(Case damaged) {
    int inSegment = damaged.segment < 2 ? 5 : 2;
    return switch (damaged.name) {
      case "payload flipped", "block header flipped" -> 1;
      case "truncated half" -> damaged.segment < 2 ? 3 : 2;
      case "truncated to 10 bytes", "emptied", "deleted" -> inSegment;
      default -> 0;
    };
  }

  @ParameterizedTest
  @MethodSource("damages")
  void open_damagedSegment_losesOnlyWhatIsDamagedAndCountsIt(Case damaged) throws Exception {
    fill();
    damaged.damage.to(segments(directory).get(damaged.segment));

    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      assertThat(lane.ledger().routed()).isEqualTo(BLOCKS * ITEMS);
      store(lane, content(BLOCKS), ITEMS);
      List<Block> blocks = pollAll(lane);
      for (Block block : blocks) {
        int i = (int) block.firstSequence() / ITEMS;
        assertThat(block.payload().toByteArray()).isEqualTo(content(i));
        deliver(lane, block);
      }

      LaneLedger ledger = lane.ledger();
      assertBalanced(ledger);
      assertThat(ledger.routed()).isEqualTo((BLOCKS + 1) * ITEMS);
      assertThat(ledger.buffered()).isZero();
      assertThat(blocks).extracting(b -> b.firstSequence()).doesNotHaveDuplicates();
      long corrupt = ledger.dropped().getOrDefault("corrupt", 0L);
      assertThat(sum(ledger.delivered().values()) + corrupt).isEqualTo(ledger.routed());
      assertThat(corrupt).isEqualTo(lostBlocks(damaged) * ITEMS);
      assertThat(LaneFixture.names(laneDirectory(directory)))
          .noneMatch(name -> name.endsWith(".corrupt") || name.endsWith(".discard"));
    }
  }

  @Test
  void open_afterCrash_keepsEverythingAcknowledged() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      for (int i = 0; i < BLOCKS; i++) {
        store(lane, content(i), ITEMS);
      }
      for (int i = 0; i < 6; i++) {
        deliver(lane, poll(lane));
      }
      poll(lane);
      crashCopy(directory, elsewhere);
    }

    try (Buffer buffer = Buffer.open(config(elsewhere), clock)) {
      Lane lane = open(buffer);
      List<Block> blocks = pollAll(lane);

      assertThat(blocks)
          .extracting(Block::firstSequence)
          .containsExactly(60L, 70L, 80L, 90L, 100L, 110L);
      assertThat(blocks.getFirst().redelivery()).isTrue();
      assertThat(blocks.get(1).redelivery()).isFalse();
      blocks.forEach(block -> deliver(lane, block));
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().delivered()).isEqualTo(Map.of(SINK, 120L));
      assertThat(lane.ledger().redelivered()).isEqualTo(10);
    }
  }

  @Test
  void open_tornTail_cutsItAndGoesOn() throws Exception {
    fill();
    Path newest = segments(directory).getLast();
    try (FileChannel channel = FileChannel.open(newest, StandardOpenOption.WRITE)) {
      ByteBuffer torn = ByteBuffer.allocate(1000).order(ByteOrder.LITTLE_ENDIAN);
      torn.putInt(0, 0x80000000 | 996);
      channel.write(torn, (lastByte(newest) + 4) & ~3L);
    }

    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      store(lane, content(BLOCKS), ITEMS);

      List<Block> blocks = pollAll(lane);
      assertThat(blocks).hasSize(BLOCKS + 1);
      blocks.forEach(block -> deliver(lane, block));
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().dropped()).isEmpty();
    }
  }

  @Test
  void open_checkpointLost_startsAtTheFirstBlockAndSaysWhatIsUnknown() throws Exception {
    fill();
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      for (int i = 0; i < 7; i++) {
        deliver(lane, poll(lane));
      }
    }
    Files.write(laneDirectory(directory).resolve("checkpoint"), new byte[100]);

    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      LaneLedger ledger = lane.ledger();
      assertBalanced(ledger);
      assertThat(ledger.routed()).isEqualTo(120);
      assertThat(ledger.delivered()).isEqualTo(Map.of(LaneAccount.UNKNOWN, 50L));

      List<Block> blocks = pollAll(lane);
      assertThat(blocks).hasSize(7).allMatch(Block::redelivery);
      blocks.forEach(block -> deliver(lane, block));
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().delivered()).isEqualTo(Map.of(LaneAccount.UNKNOWN, 50L, SINK, 70L));
    }
  }

  @Test
  void open_newestCheckpointSlotTorn_goesOnFromTheOneBefore() throws Exception {
    fill();
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      deliver(lane, poll(lane));
      deliver(lane, poll(lane));
      crashCopy(directory, elsewhere);
    }
    Path checkpoint = laneDirectory(elsewhere).resolve("checkpoint");
    byte[] content = Files.readAllBytes(checkpoint);
    ByteBuffer slots = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    int newer =
        slots.getLong(8) > slots.getLong(LaneAccount.CHECKPOINT_BYTES + 8)
            ? 0
            : LaneAccount.CHECKPOINT_BYTES;
    content[newer + 40] ^= 1;
    Files.write(checkpoint, content);

    try (Buffer buffer = Buffer.open(config(elsewhere), clock)) {
      Lane lane = open(buffer);

      Block block = poll(lane);
      assertThat(block.firstSequence()).isEqualTo(ITEMS);
      assertThat(block.redelivery()).isTrue();
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().delivered()).isEqualTo(Map.of(SINK, 10L));
    }
  }

  @Test
  void open_appendMarkLost_findsTheEndInTheSegments() throws Exception {
    fill();
    Files.delete(laneDirectory(directory).resolve("appended"));

    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      assertThat(lane.ledger().routed()).isEqualTo(120);
      store(lane, content(BLOCKS), ITEMS);
      assertThat(pollAll(lane)).hasSize(BLOCKS + 1);
      assertBalanced(lane.ledger());
    }
  }

  /** A crash between a record and the mark after it: the record is found, whatever its length. */
  @ParameterizedTest
  @ValueSource(ints = {1000, 1001, 1002, 1003})
  void open_appendMarkOneRecordBehind_goesOnAfterThatRecord(int length) throws Exception {
    byte[] behind;
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      store(lane, bytes(length, 1), ITEMS);
      behind = Files.readAllBytes(laneDirectory(directory).resolve("appended"));
      store(lane, bytes(length, 2), ITEMS);
      crashCopy(directory, elsewhere);
    }
    Files.write(laneDirectory(elsewhere).resolve("appended"), behind);
    Files.deleteIfExists(laneDirectory(elsewhere).resolve("checkpoint"));

    try (Buffer buffer = Buffer.open(config(elsewhere), clock)) {
      Lane lane = open(buffer);
      assertThat(lane.ledger().routed()).isEqualTo(2 * ITEMS);
      store(lane, bytes(length, 3), ITEMS);

      assertThat(pollAll(lane)).hasSize(3);
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void open_metadataJunkAndHalfMadeSegment_opensAtOnce() throws Exception {
    fill();
    Files.write(laneDirectory(directory).resolve("metadata.cq4t"), bytes(5000, 1));
    Files.write(laneDirectory(directory).resolve("19700101-000009R.cq4"), new byte[4096]);
    Files.write(laneDirectory(directory).resolve("19700101-000010R.precreated"), new byte[4096]);

    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      assertThat(lane.refusal(1000)).isNull();
      store(lane, content(BLOCKS), ITEMS);
      assertThat(pollAll(lane)).hasSize(BLOCKS + 1);
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void open_checkpointAndSegmentsGone_countsWhatTheMarkProves() throws Exception {
    fill();
    for (Path segment : segments(directory)) {
      Files.delete(segment);
    }

    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      assertThat(lane.poll(LaneFixture.NO_WAIT)).isNull();
      assertThat(lane.ledger().dropped()).isEqualTo(Map.of("corrupt", 120L));
      store(lane, content(1), 1);
      deliver(lane, poll(lane));
      assertBalanced(lane.ledger());
    }
  }

  // ---- damage

  private static void junkHeaderBody(Path file) throws IOException {
    for (int at = 24; at < 120; at += 4) {
      write(file, at, 0xdeadbeef);
    }
  }

  private static void junkIndex(Path file) throws IOException {
    long first = record(file, 0);
    for (long at = 20_000; at < first - 64; at += 8) {
      write(file, at, 0x01020304);
    }
  }
}
