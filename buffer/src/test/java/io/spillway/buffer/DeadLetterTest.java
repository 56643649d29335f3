package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.ID;
import static io.spillway.buffer.LaneFixture.MIB;
import static io.spillway.buffer.LaneFixture.bytes;
import static io.spillway.buffer.LaneFixture.crashCopy;
import static io.spillway.buffer.LaneFixture.open;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.buffer.BufferConfig.Durability;
import io.spillway.buffer.BufferConfig.WhenFull;
import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.DeadLetter;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.Lane;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What sinks refuse for good is kept, found again, bounded, and never lost without a word. */
@Timeout(60)
class DeadLetterTest {
  private static final String WORDS = "invalid UTF-8 in field 3: \u00e9\u00e8";

  @TempDir Path directory;
  @TempDir Path elsewhere;
  private final FakeClock clock = new FakeClock();
  private long maxBytes = 64 * MIB;
  private Duration maxAge = Duration.ofDays(30);
  private @Nullable Path keys;

  /** A disk that does not write letters through to the device. */
  private static final class BrokenDisk implements DiskSpace {
    private final DiskSpace real;

    BrokenDisk(Path directory) throws IOException {
      real = DiskSpace.of(directory);
    }

    @Override
    public long usableBytes() throws IOException {
      return real.usableBytes();
    }

    @Override
    public void fillWithZeros(Path file, long from, long to) throws IOException {
      real.fillWithZeros(file, from, to);
    }

    @Override
    public void force(FileChannel channel, Path file) throws IOException {
      if (file.toString().contains(DeadLetterNames.DIRECTORY)) {
        throw new IOException("No space left on device");
      }
      real.force(channel, file);
    }
  }

  private BufferConfig config(Path at) {
    BufferConfig plain =
        LaneFixture.config(at, 1024 * MIB, 0, MIB, WhenFull.REFUSE, Durability.PROCESS);
    return new BufferConfig(
        at,
        plain.maxBytes(),
        plain.minFree(),
        plain.segmentBytes(),
        plain.lanes(),
        keys,
        new DeadLetterConfig(maxBytes, maxAge));
  }

  private static DeadLetter letter(byte[] request, int items) {
    return new DeadLetter(
        "otlp_grpc/primary", DropReason.BAD_DATA, WORDS, Slice.of(request), items);
  }

  private DeadLetters letters(Path at) throws IOException {
    return BufferReader.open(at, keys).deadLetters(ID);
  }

  private static List<Long> items(DeadLetters letters) throws IOException {
    return letters.list().stream().map(LetterEntry::items).toList();
  }

  @Test
  void keep_processDies_letterIsThereWithItsFacts() throws Exception {
    byte[] request = bytes(5_000, 1);
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      assertThat(open(buffer).keep(letter(request, 7))).isTrue();

      crashCopy(directory, elsewhere);
    }

    DeadLetters found = letters(elsewhere);
    assertThat(items(found)).containsExactly(7L);
    LetterEntry entry = found.list().getFirst();
    assertThat(entry.when()).isEqualTo(clock.instant());
    LetterContent.Intact read = (LetterContent.Intact) found.read(entry.id());
    assertThat(read.when()).isEqualTo(clock.instant());
    assertThat(read.letter().exporter()).isEqualTo("otlp_grpc/primary");
    assertThat(read.letter().reason()).isEqualTo(DropReason.BAD_DATA);
    assertThat(read.letter().words()).isEqualTo(WORDS);
    assertThat(read.letter().items()).isEqualTo(7);
    assertThat(read.letter().request().toByteArray()).isEqualTo(request);
  }

  @Test
  void keep_ofATenant_isKnownWithIt() throws Exception {
    byte[] request = bytes(100, 1);
    DeadLetter letter =
        new DeadLetter(
            "otlp_grpc/primary", DropReason.TOO_LARGE, "413", Slice.of(request), 1, "acme");
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      assertThat(open(buffer).keep(letter)).isTrue();
    }

    DeadLetters found = letters(directory);
    LetterContent.Intact read = (LetterContent.Intact) found.read(found.list().getFirst().id());
    assertThat(read.letter().tenant()).isEqualTo("acme");
    assertThat(read.letter().exporter()).isEqualTo("otlp_grpc/primary");
    assertThat(read.letter().request().toByteArray()).isEqualTo(request);
  }

  @Test
  void keep_reopened_isCountedAgainAndInTheBudget() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      assertThat(open(buffer).keep(letter(bytes(5_000, 1), 7))).isTrue();
    }
    Path part = LaneFixture.laneDirectory(directory).resolve("dead-letters").resolve("x.part");
    Files.write(part, bytes(10, 2));

    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      long before = buffer.disk().reserved();
      assertThat(lane.keep(letter(bytes(100, 3), 1))).isTrue();

      assertThat(lane.deadLetters().letters()).isEqualTo(2);
      assertThat(lane.deadLetters().items()).isEqualTo(8);
      assertThat(lane.deadLetters().bytes()).isEqualTo(3 * 4096);
      assertThat(buffer.disk().reserved() - before).isBetween(4096L, 3 * 4096L);
      assertThat(part).doesNotExist();
    }
  }

  @Test
  void keep_overMaxBytes_oldestGoesFirstAndIsCounted() throws Exception {
    maxBytes = 2 * MIB;
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      for (int i = 1; i <= 5; i++) {
        assertThat(lane.keep(letter(bytes(700_000, i), i))).isTrue();
        clock.advance(Duration.ofSeconds(1));
      }

      assertThat(items(letters(directory))).containsExactly(4L, 5L);
      assertThat(lane.deadLetters().discarded()).isEqualTo(1 + 2 + 3);
      assertThat(lane.deadLetters().bytes()).isLessThanOrEqualTo(maxBytes);
      assertThat(lane.keep(letter(bytes(3 << 20, 6), 6))).isFalse();
      assertThat(lane.deadLetters().notKept()).isEqualTo(6);
      assertThat(items(letters(directory))).containsExactly(4L, 5L);
    }
  }

  @Test
  void keep_sameMomentSameContent_bothAreKept() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);

      assertThat(lane.keep(letter(bytes(10, 1), 3))).isTrue();
      assertThat(lane.keep(letter(bytes(10, 1), 3))).isTrue();

      assertThat(items(letters(directory))).containsExactly(3L, 3L);
    }
  }

  @Test
  void keep_diskFails_saysSoAndCounts() throws Exception {
    Files.createDirectories(directory);
    try (Buffer buffer = Buffer.open(config(directory), clock, new BrokenDisk(directory))) {
      Lane lane = open(buffer);

      assertThat(lane.keep(letter(bytes(10, 1), 3))).isFalse();

      assertThat(lane.deadLetters().notKept()).isEqualTo(3);
      assertThat(lane.deadLetters().letters()).isZero();
      assertThat(LaneFixture.names(LaneFixture.laneDirectory(directory).resolve("dead-letters")))
          .isEmpty();
    }
  }

  @Test
  void lookAfter_removedFromOutsideOrTooOld_isForgotten() throws Exception {
    maxAge = Duration.ofHours(1);
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      assertThat(lane.keep(letter(bytes(10, 1), 1))).isTrue();
      clock.advance(Duration.ofMinutes(45));
      assertThat(lane.keep(letter(bytes(10, 2), 2))).isTrue();
      assertThat(lane.keep(letter(bytes(10, 3), 4))).isTrue();
      DeadLetters outside = letters(directory);
      LetterEntry second =
          outside.list().stream().filter(l -> l.items() == 2).findFirst().orElseThrow();

      assertThat(outside.remove(second.id())).isTrue();
      assertThat(outside.remove(second.id())).isFalse();
      clock.advance(Duration.ofMinutes(30));

      await()
          .atMost(LaneFixture.WAIT)
          .untilAsserted(() -> assertThat(lane.deadLetters().items()).isEqualTo(4));
      assertThat(lane.deadLetters().discarded()).isEqualTo(1);
      assertThat(items(outside)).containsExactly(4L);
    }
  }

  @Test
  void keep_keyFile_nothingReadableWithoutTheKey() throws Exception {
    Path file = Files.writeString(elsewhere.resolve("keys"), "one:" + BlockCipherTest.key(1));
    keys = file;
    byte[] request = "a secret that nobody should read".getBytes(StandardCharsets.UTF_8);
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      assertThat(open(buffer).keep(letter(request, 1))).isTrue();
    }

    String id = letters(directory).list().getFirst().id();
    Path stored =
        LaneFixture.laneDirectory(directory).resolve("dead-letters").resolve(id + ".letter");
    assertThat(new String(Files.readAllBytes(stored), StandardCharsets.ISO_8859_1))
        .doesNotContain("secret")
        .doesNotContain("UTF-8");
    LetterContent.Intact read = (LetterContent.Intact) letters(directory).read(id);
    assertThat(read.letter().request().toByteArray()).isEqualTo(request);
    keys = null;
    assertThat(letters(directory).read(id))
        .isEqualTo(
            new LetterContent.Unreadable(
                "blocks are encrypted with key \"one\", and no key_file is configured"));
  }

  @Test
  void read_anyByteFlipped_isUnreadable() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      assertThat(open(buffer).keep(letter(bytes(40, 1), 1))).isTrue();
    }
    DeadLetters found = letters(directory);
    String id = found.list().getFirst().id();
    Path stored =
        LaneFixture.laneDirectory(directory).resolve("dead-letters").resolve(id + ".letter");
    byte[] good = Files.readAllBytes(stored);

    for (int i = 0; i < good.length; i++) {
      byte[] flipped = good.clone();
      flipped[i] ^= 0x10;
      Files.write(stored, flipped);
      assertThat(found.read(id)).as("byte %d", i).isInstanceOf(LetterContent.Unreadable.class);
    }
    Files.write(stored, java.util.Arrays.copyOf(good, good.length - 1));
    assertThat(found.read(id)).isInstanceOf(LetterContent.Unreadable.class);
  }
}
