package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.MIB;
import static io.spillway.buffer.LaneFixture.bytes;
import static io.spillway.buffer.LaneFixture.open;
import static io.spillway.buffer.LaneFixture.store;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.BufferConfig.Durability;
import io.spillway.buffer.BufferConfig.WhenFull;
import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class SteadyClockTest {
  private static final Duration YEAR = Duration.ofDays(365);
  private static final Duration MAX_AGE = Duration.ofHours(2);
  private static final long BOOT = 7;

  @TempDir Path directory;

  /** A machine: its wall clock can be set, its monotonic time cannot. */
  private final FakeClock wall = new FakeClock();

  private long nanos = Duration.ofDays(3).toNanos();

  private void pass(Duration time) {
    wall.advance(time);
    nanos += time.toNanos();
  }

  private SteadyClock clock() {
    return new SteadyClock(wall, () -> nanos);
  }

  private Buffer openBuffer() throws Exception {
    BufferConfig config =
        new BufferConfig(
            directory,
            1024 * MIB,
            0,
            MIB,
            new LaneSettings(
                1024 * MIB, MAX_AGE, WhenFull.REFUSE, Durability.PROCESS, Duration.ZERO));
    return Buffer.open(config, wall, () -> nanos);
  }

  @Test
  void instant_timePasses_followsTheWallClock() {
    SteadyClock clock = clock();
    pass(Duration.ofHours(5));

    assertThat(clock.instant()).isEqualTo(wall.instant());
    assertThat(clock.skew()).isZero();
  }

  @Test
  void instant_smallStep_followsTheWallClock() {
    SteadyClock clock = clock();
    wall.advance(Duration.ofSeconds(-20));

    assertThat(clock.instant()).isEqualTo(wall.instant());
    assertThat(clock.skew()).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {3650, -3650})
  void instant_wallClockJumps_goesOn(long days) {
    SteadyClock clock = clock();
    Instant before = clock.instant();
    pass(Duration.ofMinutes(1));
    wall.advance(Duration.ofDays(days));

    assertThat(clock.instant()).isEqualTo(before.plus(Duration.ofMinutes(1)));
    assertThat(clock.skew()).isEqualTo(Duration.ofDays(-days));

    pass(Duration.ofMinutes(1));
    assertThat(clock.instant()).isEqualTo(before.plus(Duration.ofMinutes(2)));
  }

  @Test
  void instant_wallClockJumpsAndIsSetRight_isTheWallClockAgain() {
    SteadyClock clock = clock();
    wall.advance(YEAR);
    clock.look();
    wall.advance(YEAR.negated());

    assertThat(clock.instant()).isEqualTo(wall.instant());
    assertThat(clock.skew()).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {3650, -3650})
  void poll_wallClockJumpsWhileRunning_nothingExpiresEarlyOrLate(long days) throws Exception {
    try (Buffer buffer = openBuffer()) {
      Lane lane = open(buffer);
      store(lane, bytes(100, 1), 5);
      wall.advance(Duration.ofDays(days));
      pass(Duration.ofMinutes(110));

      Block block = LaneFixture.poll(lane);
      assertThat(Duration.between(block.firstAccepted(), buffer.clock().instant()))
          .isEqualTo(Duration.ofMinutes(110));
    }
    pass(Duration.ofMinutes(5));
    try (Buffer buffer = openBuffer()) {
      Lane lane = open(buffer);
      buffer.lanesOpened();
      assertThat(LaneFixture.poll(lane).items()).as("115 minutes old").isEqualTo(5);
    }
    pass(Duration.ofMinutes(10));
    try (Buffer buffer = openBuffer()) {
      Lane lane = open(buffer);
      buffer.lanesOpened();
      assertThat(lane.poll(LaneFixture.NO_WAIT)).isNull();
      assertThat(lane.ledger().dropped()).containsEntry("expired", 5L);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {3650, -3650})
  void poll_wallClockJumpsWhileStopped_nothingExpiresEarlyOrLate(long days) throws Exception {
    try (Buffer buffer = openBuffer()) {
      store(open(buffer), bytes(100, 1), 5);
    }
    wall.advance(Duration.ofDays(days));
    pass(Duration.ofMinutes(110));
    try (Buffer buffer = openBuffer()) {
      assertThat(LaneFixture.poll(open(buffer)).items()).isEqualTo(5);
    }
    pass(Duration.ofMinutes(20));
    try (Buffer buffer = openBuffer()) {
      Lane lane = open(buffer);
      assertThat(lane.poll(LaneFixture.NO_WAIT)).isNull();
      assertThat(lane.ledger().dropped()).containsEntry("expired", 5L);
    }
  }

  @Test
  void lanesOpened_nothingStored_believesTheWallClockAgain() throws Exception {
    try (Buffer buffer = openBuffer()) {
      Lane lane = open(buffer);
      store(lane, bytes(100, 1), 5);
      wall.advance(YEAR);
      LaneFixture.deliver(lane, LaneFixture.poll(lane));
    }
    try (Buffer buffer = openBuffer()) {
      assertThat(buffer.clock().instant()).isEqualTo(wall.instant().minus(YEAR));
      open(buffer);
      buffer.lanesOpened();
      assertThat(buffer.clock().instant()).isEqualTo(wall.instant());
    }
  }

  /** Another boot: monotonic time starts again, and only the wall clock knows how long it took. */
  @Test
  void open_afterReboot_goesByTheWallClockAndTheSkew() {
    ClockFile before = ClockFile.open(directory, wall, () -> nanos, BOOT);
    wall.advance(YEAR);
    before.tick();
    nanos = 0;
    wall.advance(Duration.ofHours(1));

    ClockFile after = ClockFile.open(directory, wall, () -> nanos, BOOT + 1);

    assertThat(after.clock().instant()).isEqualTo(wall.instant().minus(YEAR));
  }

  /** A machine without a battery comes up in the past, and is set right later. */
  @Test
  void open_afterRebootIntoThePast_neverGoesBack() {
    ClockFile before = ClockFile.open(directory, wall, () -> nanos, BOOT);
    before.tick();
    Instant stopped = wall.instant();
    nanos = 0;
    wall.advance(YEAR.multipliedBy(-10));

    ClockFile after = ClockFile.open(directory, wall, () -> nanos, BOOT + 1);
    assertThat(after.clock().instant()).isEqualTo(stopped);

    wall.advance(YEAR.multipliedBy(10));
    assertThat(after.clock().instant()).isEqualTo(stopped);
  }

  @Test
  void open_fileDamaged_goesByTheWallClock() throws Exception {
    java.nio.file.Files.write(directory.resolve("clock"), bytes(200, 1));

    assertThat(ClockFile.open(directory, wall, () -> nanos, BOOT).clock().instant())
        .isEqualTo(wall.instant());
  }
}
