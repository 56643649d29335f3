package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.ID;
import static io.spillway.buffer.LaneFixture.NO_WAIT;
import static io.spillway.buffer.LaneFixture.SINK;
import static io.spillway.buffer.LaneFixture.assertBalanced;
import static io.spillway.buffer.LaneFixture.bytes;
import static io.spillway.buffer.LaneFixture.config;
import static io.spillway.buffer.LaneFixture.crashCopy;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.LaneFixture.open;
import static io.spillway.buffer.LaneFixture.segments;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneLedger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A lane of which a part was set aside as backlog. Every block here holds one item. */
@Timeout(60)
class LaneBacklogTest {
  private static final int BIG = 400_000;

  @TempDir Path directory;
  private final FakeClock clock = new FakeClock();

  @Test
  void setAside_unreadBlocks_pollHandsOutWhatComesLater() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      store(lane, 0, 4);
      Block inFlight = take(lane);

      assertThat(lane.setAside()).isTrue();
      store(lane, 4, 6);

      assertThat(numbers(live(lane))).containsExactly(4L, 5L);
      assertThat(lane.hasBacklog()).isTrue();
      assertThat(numbers(backlog(lane))).containsExactly(1L, 2L, 3L);
      assertThat(lane.hasBacklog()).isFalse();
      assertThat(lane.status().backlogItems()).isEqualTo(4);
      deliver(lane, inFlight);
      assertThat(lane.status().backlogItems()).isEqualTo(3);
    }
  }

  @Test
  void setAside_nothingUnread_saysSo() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      store(lane, 0, 2);
      live(lane);

      assertThat(lane.setAside()).isFalse();
      assertThat(lane.pollBacklog()).isNull();
    }
  }

  @Test
  void setAside_moreOftenThanTheBound_saysSoAndGoesOnInOrder() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      for (int i = 1; i < LaneAccount.MAX_STRETCHES; i++) {
        store(lane, i - 1, i);
        assertThat(lane.setAside()).isTrue();
      }
      store(lane, 7, 8);

      assertThat(lane.setAside()).isFalse();
      assertThat(numbers(live(lane))).containsExactly(7L);
      assertThat(numbers(backlog(lane))).containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L);
    }
  }

  @Test
  void settle_liveBeforeBacklog_isCountedAtOnceAndBalances() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      store(lane, 0, 3);
      lane.setAside();
      store(lane, 3, 5);

      live(lane).forEach(block -> deliver(lane, block));

      LaneLedger between = lane.ledger();
      assertThat(between.delivered()).containsEntry(SINK, 2L);
      assertThat(between.buffered()).isEqualTo(3);
      assertBalanced(between);
      backlog(lane).forEach(block -> deliver(lane, block));
      assertThat(lane.ledger().buffered()).isZero();
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void crash_liveSettledAndBacklogNot_onlyTheBacklogComesAgain() throws Exception {
    Path copy = directory.resolve("copy");
    try (Buffer buffer = Buffer.open(config(directory.resolve("first")), clock)) {
      Lane lane = open(buffer);
      store(lane, 0, 3);
      lane.setAside();
      store(lane, 3, 6);
      List<Block> live = live(lane);
      deliver(lane, live.get(0));
      deliver(lane, live.get(1));
      assertThat(lane.pollBacklog()).isNotNull();
      crashCopy(directory.resolve("first"), copy);
    }
    try (Buffer buffer = Buffer.open(config(copy), clock)) {
      Lane lane = open(buffer);
      List<Block> live = live(lane);
      List<Block> backlog = backlog(lane);

      assertThat(numbers(live)).containsExactly(5L);
      assertThat(numbers(backlog)).containsExactly(0L, 1L, 2L);
      assertThat(live.getFirst().redelivery()).isTrue();
      assertThat(backlog).extracting(Block::redelivery).containsExactly(true, false, false);
      live.forEach(block -> deliver(lane, block));
      backlog.forEach(block -> deliver(lane, block));
      assertThat(lane.ledger().delivered()).containsEntry(SINK, 6L);
      assertBalanced(lane.ledger());
    }
  }

  /** Else the live data of a long drain would fill the disk. */
  @Test
  void settle_liveSegmentsBehindBacklog_areDeleted() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      storeBig(lane, 6);
      lane.setAside();
      int before = segments(directory).size();
      deliverLive(lane, 30);

      assertThat(segments(directory)).hasSizeLessThan(before + 5);
      backlog(lane).forEach(block -> deliver(lane, block));
      assertThat(lane.ledger().buffered()).isZero();
      assertThat(lane.ledger().dropped()).isEmpty();
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void check_liveSegmentsDeletedBehindBacklog_findsNothing() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      storeBig(lane, 6);
      lane.setAside();
      deliverLive(lane, 20);
      storeBig(lane, 1);
    }
    LaneReader reader = BufferReader.open(directory, null).lane(ID);
    List<Finding> findings = new ArrayList<>();

    LaneReport report = reader.check(LaneReport.Depth.HEADERS, findings::add);

    assertThat(findings).isEmpty();
    assertThat(report.waiting()).isEqualTo(7);
    assertThat(reader.snapshot().items()).isEqualTo(7);
  }

  @Test
  void restart_liveSegmentsDeletedBehindBacklog_losesNothing() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      storeBig(lane, 6);
      lane.setAside();
      deliverLive(lane, 20);
      storeBig(lane, 2);
    }
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);

      assertThat(numbers(backlog(lane))).containsExactly(0L, 1L, 2L, 3L, 4L, 5L);
      assertThat(numbers(live(lane))).containsExactly(26L, 27L);
      assertThat(lane.ledger().dropped()).isEmpty();
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void expire_backlog_isCountedAndLiveStays() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      store(lane, 0, 3);
      lane.setAside();
      clock.advance(Duration.ofHours(71));
      store(lane, 3, 4);
      clock.advance(Duration.ofHours(2));

      assertThat(lane.pollBacklog()).isNull();
      assertThat(numbers(live(lane))).containsExactly(3L);
      assertThat(lane.ledger().dropped()).containsEntry(DropReason.EXPIRED.label(), 3L);
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void restart_backlogSegmentGone_isCountedAndLiveStays() throws Exception {
    List<Path> gone;
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      storeBig(lane, 6);
      gone = segments(directory).subList(0, 2);
      lane.setAside();
      storeBig(lane, 3);
      live(lane);
    }
    for (Path segment : gone) {
      Files.delete(segment);
    }
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = open(buffer);
      List<Block> backlog = backlog(lane);
      List<Block> live = live(lane);

      assertThat(numbers(live)).containsExactly(6L, 7L, 8L);
      assertThat(lane.ledger().dropped())
          .containsEntry(DropReason.CORRUPT.label(), 6L - backlog.size());
      assertBalanced(lane.ledger());
    }
  }

  // ---- what the tests are made of

  private static void store(Lane lane, long from, long to) {
    for (long number = from; number < to; number++) {
      LaneFixture.store(lane, bytes(100, number), 1);
    }
  }

  private static void storeBig(Lane lane, int count) {
    for (int i = 0; i < count; i++) {
      LaneFixture.store(lane, bytes(BIG, i), 1);
    }
  }

  /** So many blocks that come in and are settled, one after the other. */
  private static void deliverLive(Lane lane, int count) throws InterruptedException {
    for (int i = 0; i < count; i++) {
      storeBig(lane, 1);
      live(lane).forEach(block -> deliver(lane, block));
    }
  }

  private static Block take(Lane lane) throws InterruptedException {
    return LaneFixture.poll(lane);
  }

  private static List<Block> live(Lane lane) throws InterruptedException {
    List<Block> blocks = new ArrayList<>();
    for (Block block = lane.poll(NO_WAIT); block != null; block = lane.poll(NO_WAIT)) {
      blocks.add(block);
    }
    return blocks;
  }

  private static List<Block> backlog(Lane lane) {
    List<Block> blocks = new ArrayList<>();
    for (Block block = lane.pollBacklog(); block != null; block = lane.pollBacklog()) {
      blocks.add(block);
    }
    return blocks;
  }

  private static List<Long> numbers(List<Block> blocks) {
    return blocks.stream().map(Block::firstSequence).toList();
  }
}
