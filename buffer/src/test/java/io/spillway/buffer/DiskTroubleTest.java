package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.append;
import static io.spillway.buffer.LaneFixture.assertBalanced;
import static io.spillway.buffer.LaneFixture.bytes;
import static io.spillway.buffer.LaneFixture.config;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.LaneFixture.laneDirectory;
import static io.spillway.buffer.LaneFixture.open;
import static io.spillway.buffer.LaneFixture.segments;
import static io.spillway.buffer.LaneFixture.store;
import static io.spillway.buffer.LaneFixture.sum;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.spillway.buffer.ReceivedCounts.Kind;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.LaneLedger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files that go away under an open buffer, and directories that cannot be used. */
@Timeout(120)
class DiskTroubleTest {
  private static final int ITEMS = 10;

  @TempDir Path parent;

  private Buffer openBuffer(Path directory) throws IOException {
    return Buffer.open(config(directory), InstantSource.system());
  }

  @Test
  void append_bufferDirectoryDeleted_isMadeAnewAndWhatIsGoneIsCounted() throws Exception {
    Path directory = parent.resolve("buffer");
    try (Buffer buffer = openBuffer(directory)) {
      Lane lane = open(buffer);
      fill(lane, 4);
      deliver(lane, LaneFixture.poll(lane));
      Block inFlight = LaneFixture.poll(lane);
      buffer.received().add(Signal.TRACES, Kind.ACCEPTED, 40);

      delete(directory);
      deliver(lane, inFlight);
      awaitMadeAnew(lane, directory);
      storeSoon(lane);

      assertDelivered(lane, 3 * ITEMS);
      assertThat(lane.ledger().dropped()).containsEntry("corrupt", 2L * ITEMS);
    }
    try (Buffer buffer = openBuffer(directory)) {
      assertBalanced(open(buffer).ledger());
      assertThat(open(buffer).ledger().routed()).isEqualTo(5 * ITEMS);
      assertThat(buffer.received().get(Signal.TRACES, Kind.ACCEPTED)).isEqualTo(40);
    }
  }

  @Test
  void append_laneDirectoryDeleted_isMadeAnewAndOthersGoOn() throws Exception {
    Path directory = parent.resolve("buffer");
    try (Buffer buffer = openBuffer(directory)) {
      Lane lane = open(buffer);
      Lane other = buffer.lane(new LaneId("other", Signal.LOGS), Codec.NONE);
      fill(lane, 3);

      delete(laneDirectory(directory));
      store(other, bytes(100, 1), ITEMS);
      awaitMadeAnew(lane, laneDirectory(directory));
      storeSoon(lane);

      assertDelivered(lane, ITEMS);
      assertThat(lane.ledger().dropped()).containsEntry("corrupt", 3L * ITEMS);
      assertDelivered(other, ITEMS);
    }
  }

  @Test
  void poll_oneSegmentDeleted_countsItsItemsAndDeliversTheRest() throws Exception {
    Path directory = parent.resolve("buffer");
    try (Buffer buffer = openBuffer(directory)) {
      Lane lane = open(buffer);
      fill(lane, 9);
      Path second = segments(directory).get(1);

      Files.delete(second);
      await().until(() -> lane.refusal(1) == null && segments(directory).size() >= 2);
      await()
          .untilAsserted(
              () -> {
                for (Block b = lane.poll(LaneFixture.NO_WAIT);
                    b != null;
                    b = lane.poll(LaneFixture.NO_WAIT)) {
                  deliver(lane, b);
                }
                assertThat(lane.ledger().buffered()).isZero();
              });

      LaneLedger ledger = lane.ledger();
      assertBalanced(ledger);
      long corrupt = ledger.dropped().getOrDefault("corrupt", 0L);
      assertThat(corrupt).isPositive().isLessThan(9 * ITEMS);
      assertThat(sum(ledger.delivered().values()) + corrupt).isEqualTo(9 * ITEMS);
    }
  }

  @Test
  void lane_fileWhereItsDirectoryShouldBe_refusesUntilItIsGone() throws Exception {
    Path directory = parent.resolve("buffer");
    Path lanePath = laneDirectory(directory);
    Files.createDirectories(lanePath.getParent());
    Files.createFile(lanePath);
    try (Buffer buffer = openBuffer(directory)) {
      Lane lane = open(buffer);
      Lane other = buffer.lane(new LaneId("other", Signal.LOGS), Codec.NONE);

      Lane.Refusal refusal = lane.refusal(1);
      assertThat(refusal).isNotNull();
      assertThat(refusal.reason()).contains(lanePath + ": is a file (expected a directory)");
      assertThat(refusal.retryAfter()).isPositive();
      store(other, bytes(100, 1), 1);

      Files.delete(lanePath);
      storeSoon(lane);
      assertBalanced(lane.ledger());
    }
  }

  @Test
  void open_fileWhereTheDirectoryShouldBe_saysWhoseItIsAndWhatToDo() throws Exception {
    Path file = Files.createFile(parent.resolve("buffer"));

    assertThatThrownBy(() -> openBuffer(file))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(
            "buffer::directory: "
                + file
                + " cannot be used: "
                + file
                + ": is a file (expected a directory) ("
                + file
                + " is owned by "
                + Files.getOwner(file).getName())
        .hasMessageContaining("Spillway runs as uid ")
        .hasMessageEndingWith("see docs/operations/disk-trouble.md.");
  }

  @Test
  void reclaim_usedByAnotherRelayMeanwhile_refuses() throws Exception {
    Path directory = parent.resolve("buffer");
    try (BufferDirectory home = BufferDirectory.open(directory)) {
      Files.move(directory, parent.resolve("moved"));
      BufferDirectory.open(directory).close();

      assertThat(home.look()).isNotNull();
      BufferDirectory.Trouble trouble = home.reclaim();

      assertThat(trouble).isNotNull();
      assertThat(trouble.gone()).isTrue();
      assertThat(trouble.reason()).contains("is of another relay").contains("Restart Spillway");

      delete(directory);
      Files.move(parent.resolve("moved"), directory);
      assertThat(home.reclaim()).isNull();
      assertThat(home.isSound()).isTrue();
    }
  }

  @Test
  void received_fileGone_countsInMemoryAndWritesAllLater() throws Exception {
    Path file = parent.resolve("received");
    ReceivedCounts counts = ReceivedCounts.open(file);
    counts.add(Signal.LOGS, Kind.ACCEPTED, 1);
    counts.detach();
    Files.delete(file);
    counts.add(Signal.LOGS, Kind.ACCEPTED, 2);
    assertThat(counts.get(Signal.LOGS, Kind.ACCEPTED)).isEqualTo(3);

    counts.attach();
    counts.add(Signal.LOGS, Kind.ACCEPTED, 4);

    assertThat(ReceivedCounts.open(file).get(Signal.LOGS, Kind.ACCEPTED)).isEqualTo(7);
    counts.detach();
  }

  // ---- shared

  private static void fill(Lane lane, int blocks) {
    for (int i = 0; i < blocks; i++) {
      store(lane, bytes(300_000, i), ITEMS);
    }
  }

  /** The lane has opened its new files, and counted what it cannot read any more. */
  private static void awaitMadeAnew(Lane lane, Path directory) {
    await().until(() -> Files.isDirectory(directory) && lane.refusal(1) == null);
    await()
        .until(
            () -> {
              assertThat(lane.poll(Duration.ofMillis(100))).isNull();
              return lane.ledger().dropped().containsKey("corrupt");
            });
  }

  /** Appends until it is taken: the lane may just be opening again. */
  private static void storeSoon(Lane lane) {
    await().until(() -> LaneFixture.await(append(lane, bytes(100, 9), ITEMS, 0)) == null);
  }

  private static void assertDelivered(Lane lane, long items) throws InterruptedException {
    List<Block> blocks = LaneFixture.pollAll(lane);
    blocks.forEach(block -> deliver(lane, block));
    assertThat(sum(lane.ledger().delivered().values())).isEqualTo(items);
    assertThat(lane.ledger().buffered()).isZero();
    assertBalanced(lane.ledger());
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
