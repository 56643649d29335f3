package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.SINK;
import static io.spillway.buffer.LaneFixture.assertBalanced;
import static io.spillway.buffer.LaneFixture.bytes;
import static io.spillway.buffer.LaneFixture.crashCopy;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.LaneFixture.open;
import static io.spillway.buffer.LaneFixture.poll;
import static io.spillway.buffer.LaneFixture.pollAll;
import static io.spillway.buffer.LaneFixture.segments;
import static io.spillway.buffer.LaneFixture.store;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A lane with a key file: nothing readable on disk, and no key is ever a reason to lose data. */
@Timeout(60)
class EncryptedLaneTest {
  private static final String TEXT = "a secret that nobody else should read";

  @TempDir Path directory;
  @TempDir Path elsewhere;
  @TempDir Path secrets;
  private final FakeClock clock = new FakeClock();
  private Path keys;

  @BeforeEach
  void writeKeys() throws Exception {
    keys = secrets.resolve("keys");
    Files.writeString(keys, "one:" + BlockCipherTest.key(1));
  }

  private BufferConfig config(Path at) {
    BufferConfig plain = LaneFixture.config(at);
    return new BufferConfig(
        at, plain.maxBytes(), plain.minFree(), plain.segmentBytes(), plain.lanes(), keys);
  }

  private static byte[] content(int i) {
    return (TEXT + i).getBytes(StandardCharsets.UTF_8);
  }

  private void fillAndCrash(int blocks) throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      for (int i = 0; i < blocks; i++) {
        store(lane, content(i), 10);
      }
      crashCopy(directory, elsewhere);
    }
  }

  private static void assertHoldsAllBlocks(Lane lane, int blocks) throws Exception {
    List<Block> read = pollAll(lane);
    assertThat(read).hasSize(blocks);
    for (int i = 0; i < blocks; i++) {
      assertThat(read.get(i).payload().toByteArray()).isEqualTo(content(i));
      deliver(lane, read.get(i));
    }
    assertBalanced(lane.ledger());
    assertThat(lane.ledger().delivered()).isEqualTo(Map.of(SINK, 10L * blocks));
    assertThat(lane.ledger().dropped()).isEmpty();
    assertThat(lane.status().held()).isNull();
  }

  @Test
  void poll_afterCrash_givesWhatWasStoredAndTheDiskShowsNothingOfIt() throws Exception {
    fillAndCrash(3);
    for (Path segment : segments(elsewhere)) {
      assertThat(new String(Files.readAllBytes(segment), StandardCharsets.ISO_8859_1))
          .doesNotContain("secret");
    }

    try (Buffer buffer = Buffer.open(config(elsewhere), clock)) {
      assertHoldsAllBlocks(open(buffer), 3);
    }
  }

  @Test
  void poll_keyMissing_holdsEverythingUntilItIsBack() throws Exception {
    fillAndCrash(3);
    Files.writeString(keys, "two:" + BlockCipherTest.key(2));

    try (Buffer buffer = Buffer.open(config(elsewhere), clock)) {
      Lane lane = open(buffer);
      assertThat(pollAll(lane)).isEmpty();
      assertThat(lane.status().held()).isEqualTo("key \"one\" is not in " + keys);
      assertThat(lane.status().full()).isNull();
      assertThat(lane.ledger().buffered()).isEqualTo(30);
      store(lane, content(3), 10);
      assertThat(pollAll(lane)).isEmpty();

      Files.writeString(
          keys, "two:" + BlockCipherTest.key(2) + "\none:" + BlockCipherTest.key(1) + "\n");
      Block first = poll(lane);
      assertThat(first.payload().toByteArray()).isEqualTo(content(0));
      deliver(lane, first);
      for (int i = 1; i < 4; i++) {
        Block next = poll(lane);
        assertThat(next.payload().toByteArray()).isEqualTo(content(i));
        deliver(lane, next);
      }
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().dropped()).isEmpty();
    }
  }

  @Test
  void poll_wrongKeyOrNone_holdsAndAfterARestartWithTheRightOneAllIsThere() throws Exception {
    fillAndCrash(2);
    Files.writeString(keys, "one:" + BlockCipherTest.key(9));
    try (Buffer buffer = Buffer.open(config(elsewhere), clock)) {
      Lane lane = open(buffer);
      assertThat(pollAll(lane)).isEmpty();
      assertThat(lane.status().held())
          .isEqualTo("key \"one\" in " + keys + " is not the one a block was encrypted with");
    }
    try (Buffer buffer = Buffer.open(LaneFixture.config(elsewhere), clock)) {
      Lane lane = open(buffer);
      assertThat(pollAll(lane)).isEmpty();
      assertThat(lane.status().held())
          .isEqualTo("blocks are encrypted with key \"one\", and no key_file is configured");
    }
    Files.writeString(keys, "one:" + BlockCipherTest.key(1));

    try (Buffer buffer = Buffer.open(config(elsewhere), clock)) {
      assertHoldsAllBlocks(open(buffer), 2);
    }
  }

  @Test
  void poll_encryptedBlockDamaged_isCorruptAndNotHeld() throws Exception {
    fillAndCrash(3);
    Path segment = segments(elsewhere).getFirst();
    try (SegmentScan scan = SegmentScan.open(segment, 0);
        RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
      scan.next(Long.MAX_VALUE);
      file.seek(scan.end() - 5);
      file.write(bytes(4, 1));
    }

    try (Buffer buffer = Buffer.open(config(elsewhere), clock)) {
      Lane lane = open(buffer);
      assertThat(pollAll(lane)).hasSize(2);
      assertThat(lane.ledger().dropped()).isEqualTo(Map.of("corrupt", 10L));
      assertThat(lane.status().held()).isNull();
    }
  }

  @Test
  void poll_storedBeforeEncryptionWasOn_isStillRead() throws Exception {
    try (Buffer buffer = Buffer.open(LaneFixture.config(directory), clock)) {
      store(open(buffer), content(0), 10);
    }
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      store(lane, content(1), 10);
      assertHoldsAllBlocks(lane, 2);
    }
  }
}
