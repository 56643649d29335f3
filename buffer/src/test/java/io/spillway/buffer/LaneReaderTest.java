package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.ID;
import static io.spillway.buffer.LaneFixture.config;
import static io.spillway.buffer.LaneFixture.crashCopy;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.LaneFixture.laneDirectory;
import static io.spillway.buffer.LaneFixture.open;
import static io.spillway.buffer.LaneFixture.poll;
import static io.spillway.buffer.LaneFixture.segments;
import static io.spillway.buffer.LaneFixture.store;
import static io.spillway.buffer.SegmentDamage.lastByte;
import static io.spillway.buffer.SegmentDamage.record;
import static io.spillway.buffer.SegmentDamage.truncate;
import static io.spillway.buffer.SegmentDamage.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.buffer.Finding.Kind;
import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.buffer.LaneReport.Depth;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.stage.Lane;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Lanes that a real buffer wrote, looked at from outside. */
@Timeout(60)
class LaneReaderTest {
  private static final int BLOCKS = 12;
  private static final int ITEMS = 10;

  @TempDir Path directory;
  @TempDir Path elsewhere;
  private final FakeClock clock = new FakeClock();
  private final List<Finding> findings = new ArrayList<>();

  @Test
  void blocks_ofStoppedRelay_areWhatWasAppended() throws Exception {
    fill(directory, Codec.NONE);

    List<StoredBlock> blocks = new ArrayList<>();
    try (LaneBlocks all = reader(directory).blocks(Selection.ALL, findings::add)) {
      for (StoredBlock b = all.next(); b != null; b = all.next()) {
        blocks.add(b);
        assertThat(all.content()).isInstanceOf(Content.Payload.class);
        Slice payload = ((Content.Payload) all.content()).bytes();
        assertThat(payload.toByteArray()).isEqualTo(content(blocks.size() - 1));
        assertThat(b.with(payload).items()).isEqualTo(ITEMS);
      }
    }

    assertThat(blocks).hasSize(BLOCKS).allMatch(b -> b.items() == ITEMS);
    assertThat(blocks).extracting(StoredBlock::number).isSorted().doesNotHaveDuplicates();
    assertThat(blocks).extracting(StoredBlock::segment).doesNotContainNull();
    assertThat(blocks.get(7).firstItem()).isEqualTo(70);
    assertThat(blocks.get(7).requests()).hasSize(1);
    assertThat(blocks.getFirst().firstAccepted()).isEqualTo(clock.instant());
    assertThat(findings).isEmpty();
  }

  @Test
  void blocks_compressed_decompressToWhatWasAppended() throws Exception {
    fill(directory, Codec.ZSTD);

    try (LaneBlocks all = reader(directory).blocks(Selection.ALL, findings::add)) {
      StoredBlock block = all.next();
      assertThat(block).isNotNull();
      Slice payload = ((Content.Payload) all.content()).bytes();
      assertThat(payload.length()).isEqualTo(block.storedLength());
      assertThat(
              Decompression.decompress(Codec.ZSTD, payload, block.uncompressedLength())
                  .toByteArray())
          .isEqualTo(content(0));
    }
    assertThat(reader(directory).check(Depth.PAYLOADS, findings::add).isClean()).isTrue();
  }

  @Test
  void blocks_fromItem_startAtTheBlockThatHoldsIt() throws Exception {
    fill(directory, Codec.NONE);

    List<StoredBlock> blocks = all(reader(directory), Selection.ALL.fromItem(85));

    assertThat(blocks).extracting(StoredBlock::firstItem).containsExactly(80L, 90L, 100L, 110L);
    assertThat(findings).isEmpty();
  }

  @Test
  void blocks_ofTimeRange_areThoseAcceptedInIt() throws Exception {
    Instant start = clock.instant();
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = buffer.lane(ID, Codec.NONE);
      for (int i = 0; i < BLOCKS; i++) {
        store(lane, content(i), ITEMS);
        clock.advance(Duration.ofMinutes(1));
      }
    }
    Selection range =
        Selection.between(start.plus(Duration.ofMinutes(3)), start.plus(Duration.ofMinutes(5)));

    assertThat(all(reader(directory), range))
        .extracting(StoredBlock::firstItem)
        .containsExactly(30L, 40L);
  }

  /** Reads and checks all the time while a buffer appends, settles and deletes. */
  @Test
  void check_besideBufferThatAppendsAndDrains_findsNothing() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      CompletableFuture<Integer> reading =
          CompletableFuture.supplyAsync(() -> checkUntil(done), Thread::startVirtualThread);
      for (int i = 0; i < 120; i++) {
        store(lane, content(i), ITEMS);
        if (i % 3 == 2) {
          deliver(lane, poll(lane));
          deliver(lane, poll(lane));
        }
        if (i == 60) {
          while (lane.status().items() > 0) {
            deliver(lane, poll(lane)); // drained: the next append starts anew
          }
        }
      }
      done.set(true);

      assertThat(reading.orTimeout(30, TimeUnit.SECONDS).join()).isPositive();
    }
    assertThat(findings).isEmpty();
  }

  private int checkUntil(AtomicBoolean done) {
    int rounds = 0;
    do {
      try {
        LaneReader lane = reader(directory);
        LaneReport report = lane.check(Depth.PAYLOADS, findings::add);
        // Less, if a segment was settled and deleted on the way.
        assertThat(report.items()).isBetween(0L, report.endItem() - report.firstItem());
        LaneSnapshot snapshot = lane.snapshot();
        assertThat(snapshot.cursorItem()).isLessThanOrEqualTo(snapshot.appendedItem());
        rounds++;
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    } while (!done.get());
    return rounds;
  }

  @Test
  void blocks_segmentDeletedMeanwhile_isPassedWithoutAFinding() throws Exception {
    fill(directory, Codec.NONE);
    try (LaneBlocks all = reader(directory).blocks(Selection.ALL, findings::add)) {
      StoredBlock first = all.next();
      assertThat(first).isNotNull();
      Files.delete(segments(directory).get(0));
      Files.delete(segments(directory).get(0));

      List<StoredBlock> rest = new ArrayList<>();
      for (StoredBlock b = all.next(); b != null; b = all.next()) {
        assertThat(all.content()).isInstanceOf(Content.Payload.class);
        rest.add(b);
      }

      assertThat(rest).hasSizeBetween(3, BLOCKS - 2);
      assertThat(rest.getLast().endItem()).isEqualTo(BLOCKS * ITEMS);
    }
    assertThat(findings).isEmpty();
  }

  @Test
  void snapshot_someSettled_showsCursorAndWhatWaits() throws Exception {
    Instant start = clock.instant();
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      for (int i = 0; i < BLOCKS; i++) {
        store(lane, content(i), ITEMS);
        clock.advance(Duration.ofSeconds(1));
      }
      for (int i = 0; i < 7; i++) {
        deliver(lane, poll(lane));
      }

      LaneSnapshot beside = reader(directory).snapshot();

      assertThat(beside.cursorItem()).isEqualTo(70);
      assertThat(beside.appendedItem()).isEqualTo(120);
      assertThat(beside.items()).isEqualTo(50);
      assertThat(beside.blocks()).isEqualTo(5);
      assertThat(beside.bytes()).isEqualTo(lane.status().bytes());
      assertThat(beside.firstItem()).isEqualTo(50);
      assertThat(beside.segments()).isEqualTo(segments(directory).size());
      assertThat(beside.oldest()).isEqualTo(start.plusSeconds(7));
      assertThat(beside.newest()).isEqualTo(start.plusSeconds(11));
      assertThat(beside.ledger()).isEqualTo(lane.ledger());
      assertThat(beside.diskBytes())
          .isBetween(7 * 200_000L, lane.status().diskBytes() + SegmentQueue.SLACK_BYTES);
      assertThat(beside.hasCheckpoint()).isTrue();
      assertThat(beside.quarantined()).isZero();
    }
    assertThat(reader(directory).snapshot().items()).isEqualTo(50);
  }

  @Test
  void check_copyOfACrash_isClean() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      for (int i = 0; i < BLOCKS; i++) {
        store(lane, content(i), ITEMS);
      }
      deliver(lane, poll(lane));
      crashCopy(directory, elsewhere);
    }

    LaneReport report = reader(elsewhere).check(Depth.PAYLOADS, findings::add);

    assertThat(findings).isEmpty();
    assertThat(report.items()).isEqualTo(120);
    assertThat(report.waiting()).isEqualTo(110);
    assertThat(report.appendedItem()).isEqualTo(120);
  }

  @Test
  void check_emptyAndDrainedLanes_areClean() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      assertThat(reader(directory).check(Depth.PAYLOADS, findings::add).blocks()).isZero();
      store(lane, content(0), ITEMS);
      deliver(lane, poll(lane));
      assertThat(reader(directory).check(Depth.PAYLOADS, findings::add).waiting()).isZero();
    }
    for (Path segment : segments(directory)) {
      Files.delete(segment);
    }
    assertThat(reader(directory).check(Depth.PAYLOADS, findings::add).items()).isZero();
    assertThat(findings).isEmpty();
  }

  // ---- damage

  interface Damage {
    void to(Path lane, Path segment) throws IOException;
  }

  /**
   * @param depth the least at which it shows
   * @param missing items that are in no block any more
   */
  record Case(String name, Damage damage, Depth depth, Kind kind, long missing) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Case> damages() {
    return List.of(
        new Case(
            "payload flipped",
            (lane, file) -> write(file, record(file, 1) + 150_000, 0x5a),
            Depth.PAYLOADS,
            Kind.BAD_PAYLOAD,
            0),
        new Case(
            "block header flipped",
            (lane, file) -> write(file, record(file, 1) + 40, 0x5a),
            Depth.HEADERS,
            Kind.MISSING,
            ITEMS),
        new Case(
            "last record cut off",
            (lane, file) -> truncate(file, record(file, 1) - 4),
            Depth.HEADERS,
            Kind.MISSING,
            4 * ITEMS),
        new Case(
            "segment deleted",
            (lane, file) -> Files.delete(file),
            Depth.HEADERS,
            Kind.MISSING,
            5 * ITEMS),
        new Case(
            "segment emptied",
            (lane, file) -> truncate(file, 0),
            Depth.HEADERS,
            Kind.MISSING,
            5 * ITEMS),
        new Case(
            "header of the segment junk",
            (lane, file) -> write(file, 0, 0x12345678),
            Depth.HEADERS,
            Kind.STRAY_BYTES,
            0));
  }

  /** A relay delivers such a record too. */
  @ParameterizedTest
  @ValueSource(ints = {0x3fffffff, 0x7fffffff, 0x80000000, 0x40000010, 0})
  void check_wordOfRecordDamaged_findsNothing(int word) throws Exception {
    fill(directory, Codec.NONE);
    Path segment = segments(directory).get(1);
    write(segment, record(segment, 1) - 4, word);

    LaneReport report = reader(directory).check(Depth.PAYLOADS, findings::add);

    assertThat(findings).isEmpty();
    assertThat(report.items()).isEqualTo(BLOCKS * ITEMS);
  }

  /** The second of three segments: blocks before and after it show what is missing. */
  @ParameterizedTest
  @MethodSource("damages")
  void check_damage_isFoundAndPlaced(Case damaged) throws Exception {
    fill(directory, Codec.NONE);
    Path segment = segments(directory).get(1);
    damaged.damage.to(laneDirectory(directory), segment);

    LaneReport report = reader(directory).check(damaged.depth, findings::add);

    // Junk in front of the first block of a segment comes with the block after it.
    boolean stray = damaged.kind == Kind.STRAY_BYTES;
    assertThat(findings).as("%s", findings).hasSize(1);
    assertThat(findings.getFirst().kind()).isEqualTo(damaged.kind);
    assertThat(report.missing()).isEqualTo(damaged.missing);
    assertThat(report.unreadable()).isEqualTo(damaged.kind == Kind.BAD_PAYLOAD ? ITEMS : 0);
    assertThat(report.items()).isEqualTo(BLOCKS * ITEMS - damaged.missing);
    if (damaged.depth == Depth.PAYLOADS || stray) {
      assertThat(findings.getFirst().segment()).isEqualTo(String.valueOf(segment.getFileName()));
    }
    assertThat(all(reader(directory), Selection.ALL)).hasSize((int) (report.items() / ITEMS));
  }

  @Test
  void check_tornTail_isNoDamage() throws Exception {
    fill(directory, Codec.NONE);
    Path newest = segments(directory).getLast();
    write(newest, (lastByte(newest) + 4) & ~3L, 0x80000000 | 996);
    write(newest, ((lastByte(newest) + 4) & ~3L) + 8, 0x12345678);

    assertThat(reader(directory).check(Depth.PAYLOADS, findings::add).items()).isEqualTo(120);
    assertThat(findings).isEmpty();
  }

  @Test
  void check_lastBlockGone_isMissingByTheMark() throws Exception {
    fill(directory, Codec.NONE);
    Path newest = segments(directory).getLast();
    truncate(newest, record(newest, 1) - 4);

    LaneReport report = reader(directory).check(Depth.HEADERS, findings::add);

    assertThat(report.missing()).isEqualTo(ITEMS);
    assertThat(findings)
        .extracting(Finding::toString)
        .containsExactly("items 110 to 119: not there, after the last block on disk");
  }

  @Test
  void check_firstSegmentGone_isMissingByTheCheckpoint() throws Exception {
    fill(directory, Codec.NONE);
    Files.delete(segments(directory).getFirst());

    assertThat(reader(directory).check(Depth.HEADERS, findings::add).missing()).isEqualTo(50);
    assertThat(findings)
        .extracting(Finding::toString)
        .containsExactly("items 0 to 49: not there, before the first block on disk");
  }

  @Test
  void check_checkpointLost_saysWhatARelayWillDo() throws Exception {
    fill(directory, Codec.NONE);
    Files.delete(laneDirectory(directory).resolve("checkpoint"));

    LaneReport report = reader(directory).check(Depth.HEADERS, findings::add);

    assertThat(report.waiting()).isEqualTo(120);
    assertThat(findings).extracting(Finding::kind).containsExactly(Kind.BOOKS);
    assertThat(reader(directory).snapshot().hasCheckpoint()).isFalse();
  }

  /** The books of a later day with the segments of today. */
  @Test
  void check_checkpointFromTheFuture_isFound() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      store(lane, content(0), ITEMS);
      crashCopy(directory, elsewhere);
      for (int i = 1; i < 4; i++) {
        store(lane, content(i), ITEMS);
        deliver(lane, poll(lane));
      }
    }
    Files.copy(
        laneDirectory(directory).resolve("checkpoint"),
        laneDirectory(elsewhere).resolve("checkpoint"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);

    reader(elsewhere).check(Depth.HEADERS, findings::add);

    assertThat(findings)
        .extracting(Finding::what)
        .containsExactly("the cursor is at item 30, beyond the last item 10");
  }

  @Test
  void check_contentOtherThanItsHeader_isFound() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      store(lane, content(0), ITEMS + 1);
      store(lane, new byte[] {0x0a, 5, 1}, 1);
    }

    assertThat(reader(directory).check(Depth.HEADERS, findings::add).isClean()).isTrue();
    reader(directory).check(Depth.PAYLOADS, findings::add);

    assertThat(findings)
        .extracting(Finding::what)
        .containsExactly(
            "the request at byte 0 of its content holds 10 items (expected 11)",
            "the request at byte 0 of its content is malformed: traces request, byte 0: field 1 of"
                + " ExportTraceServiceRequest takes 5 bytes (expected at most 1)");
  }

  @Test
  void check_payloadsThatCannotBeOpened_areCountedAndNoDamage() throws Exception {
    fill(directory, Codec.NONE);
    LaneReader lane =
        new LaneReader(
            ID, laneDirectory(directory), (header, stored) -> new Content.Locked("no key"));

    LaneReport report = lane.check(Depth.PAYLOADS, findings::add);

    assertThat(report.locked()).isEqualTo(BLOCKS);
    assertThat(report.items()).isEqualTo(BLOCKS * ITEMS);
    assertThat(findings).isEmpty();
  }

  @Test
  void owner_openAndClosed_isTheProcessThatHoldsTheLock() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      assertThat(buffer.onDisk()).isEmpty();
      assertThat(BufferReader.open(directory).owner()).hasValue(ProcessHandle.current().pid());
    }
    assertThat(BufferReader.open(directory).owner()).isEmpty();
    assertThat(BufferReader.open(elsewhere).owner()).isEmpty();
  }

  @Test
  void owner_lineOfProcLocks_isFoundByDeviceAndInode() {
    String locks =
        """
        1: FLOCK  ADVISORY  WRITE 11 fe:00:42 0 EOF
        2: POSIX  ADVISORY  READ  12 fe:00:42 0 EOF
        3: POSIX  ADVISORY  WRITE 13 fe:01:42 0 EOF
        3: -> POSIX  ADVISORY  WRITE 14 fe:00:42 0 EOF
        4: POSIX  ADVISORY  WRITE 15 fe:00:42 0 EOF
        """;

    assertThat(HeldLocks.owner(locks, 0xfe00, 42)).hasValue(15);
    assertThat(HeldLocks.owner(locks, 0xfe02, 42)).isEmpty();
  }

  @Test
  void open_noDirectory_saysWhich() {
    Path nowhere = directory.resolve("nowhere");

    assertThatThrownBy(() -> BufferReader.open(nowhere))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessage(nowhere.toString());
  }

  @Test
  void reader_ofReadOnlyCopy_changesNothing() throws Exception {
    fill(directory, Codec.GZIP);
    Map<Path, Instant> before = times();

    BufferReader buffer = BufferReader.open(directory);
    assertThat(buffer.lanes()).containsExactly(ID);
    buffer.lane(ID).snapshot();
    buffer.lane(ID).check(Depth.PAYLOADS, findings::add);

    assertThat(times()).isEqualTo(before);
  }

  private Map<Path, Instant> times() throws IOException {
    try (var files = Files.walk(directory)) {
      Map<Path, Instant> times = new java.util.TreeMap<>();
      for (Path file : files.toList()) {
        times.put(file, Files.getLastModifiedTime(file).toInstant());
      }
      return times;
    }
  }

  // ---- making lanes

  private void fill(Path to, Codec codec) throws Exception {
    try (Buffer buffer = Buffer.open(config(to), clock)) {
      Lane lane = buffer.lane(ID, codec);
      for (int i = 0; i < BLOCKS; i++) {
        store(lane, content(i), ITEMS);
      }
    }
  }

  /** A traces request of 250 kB with {@link #ITEMS} empty spans and a long schema URL. */
  private static byte[] content(int seed) {
    Random random = new Random(seed);
    ByteArrayOutputStream scope = new ByteArrayOutputStream();
    for (int i = 0; i < ITEMS; i++) {
      scope.writeBytes(new byte[] {0x12, 0});
    }
    byte[] url = new byte[250_000];
    for (int i = 0; i < url.length; i++) {
      url[i] = (byte) ('a' + random.nextInt(26));
    }
    scope.writeBytes(field((byte) 0x1a, url));
    return field((byte) 0x0a, field((byte) 0x12, scope.toByteArray()));
  }

  private static byte[] field(byte tag, byte[] body) {
    ByteArrayOutputStream field = new ByteArrayOutputStream();
    field.write(tag);
    int rest = body.length;
    for (; rest > 0x7f; rest >>>= 7) {
      field.write(rest | 0x80);
    }
    field.write(rest);
    field.writeBytes(body);
    return field.toByteArray();
  }

  private static LaneReader reader(Path directory) throws IOException {
    return BufferReader.open(directory).lane(ID);
  }

  private List<StoredBlock> all(LaneReader lane, Selection selection) throws IOException {
    List<StoredBlock> blocks = new ArrayList<>();
    try (LaneBlocks all = lane.blocks(selection, findings::add)) {
      for (StoredBlock b = all.next(); b != null; b = all.next()) {
        blocks.add(b);
      }
    }
    return blocks;
  }
}
