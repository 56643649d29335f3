package io.spillway.buffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries a {@link SteadyClock} from one process to the next, in the file {@code clock} beside the
 * lanes: which boot of the machine it was, monotonic time, the steady time, and the skew.
 *
 * <p>In the same boot, monotonic time says how long nobody looked. After another boot only the wall
 * clock can say; with the skew of before, and never earlier than the steady time had been: a clock
 * that came up in the past must not make stored data young again.
 *
 * <p>For one thread.
 */
final class ClockFile {
  private static final Logger log = LoggerFactory.getLogger(ClockFile.class);
  private static final int SLOT_BYTES = 64;
  private static final int VERSION = 1;
  private static final long NANOS_PER_MILLI = 1_000_000;

  /** Written at least this often, and whenever the skew changes. */
  private static final long SAVE_NANOS = Duration.ofSeconds(10).toNanos();

  private final Path file;
  private final SteadyClock clock;
  private final LongSupplier nanoTime;
  private final long boot;
  private final ByteBuffer scratch = ByteBuffer.allocate(SLOT_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private Duration savedSkew;
  private long savedNanos;

  private ClockFile(Path file, InstantSource wall, LongSupplier nanoTime, long boot) {
    this.file = file;
    this.nanoTime = nanoTime;
    this.boot = boot;
    this.clock = new SteadyClock(wall, nanoTime);
    resume(wall);
    this.savedSkew = clock.skew();
    this.savedNanos = nanoTime.getAsLong() - SAVE_NANOS;
  }

  /** Goes on with the clock that an earlier process left in {@code directory}. */
  static ClockFile open(Path directory, InstantSource wall, LongSupplier nanoTime) {
    return open(directory, wall, nanoTime, bootId());
  }

  /**
   * As above.
   *
   * @param boot names the boot of the machine that {@code nanoTime} counts from; 0 if unknown
   */
  static ClockFile open(Path directory, InstantSource wall, LongSupplier nanoTime, long boot) {
    return new ClockFile(directory.resolve("clock"), wall, nanoTime, boot);
  }

  SteadyClock clock() {
    return clock;
  }

  private void resume(InstantSource wall) {
    ByteBuffer found = read();
    if (found == null || found.remaining() < 36 || found.getInt() != VERSION) {
      return;
    }
    long bootThen = found.getLong();
    long nanosThen = found.getLong();
    long steadyThen = found.getLong();
    long skewThen = found.getLong();
    long passed = (nanoTime.getAsLong() - nanosThen) / NANOS_PER_MILLI;
    boolean sameBoot = boot != 0 && boot == bootThen && passed >= 0;
    long believed = wall.millis() + skewThen;
    long now = sameBoot ? steadyThen + passed : Math.max(steadyThen, believed);
    // Below this the wall clock is followed, as it is while the process runs.
    boolean follows = Math.abs(now - believed) <= SteadyClock.MAX_STEP.toMillis();
    clock.set(Instant.ofEpochMilli(follows ? believed : now));
    if (!clock.skew().isZero()) {
      log.warn(
          "clock: ages of stored data are judged by a clock {} s beside the wall clock, which"
              + " jumped before or while Spillway was stopped",
          clock.skew().toSeconds());
    }
  }

  /** Believes the wall clock again; for a buffer that holds nothing. */
  void forgetSkew() {
    clock.forgetSkew();
    save();
  }

  /** Looks at the clocks, and keeps what the next process needs to know. */
  void tick() {
    long now = nanoTime.getAsLong();
    clock.look();
    if (!clock.skew().equals(savedSkew) || now - savedNanos >= SAVE_NANOS) {
      save();
    }
  }

  /** Opened for each write, so that nothing is held open on a disk in trouble. */
  void save() {
    savedNanos = nanoTime.getAsLong();
    savedSkew = clock.skew();
    scratch.clear().putInt(VERSION).putLong(boot).putLong(savedNanos);
    scratch.putLong(clock.millis()).putLong(savedSkew.toMillis());
    try (SlotFile slots = SlotFile.open(file, SLOT_BYTES)) {
      slots.write(scratch);
    } catch (IOException e) {
      log.warn(
          "clock: cannot write {}: {}. Trying again; should the clock jump before that works, ages"
              + " after a restart are judged by the wall clock.",
          file,
          DiskErrors.text(e));
    }
  }

  private @Nullable ByteBuffer read() {
    if (!Files.exists(file)) {
      return null;
    }
    try (SlotFile slots = SlotFile.open(file, SLOT_BYTES)) {
      return slots.found();
    } catch (IOException e) {
      log.warn("clock: cannot read {}: {}. Going by the wall clock.", file, DiskErrors.text(e));
      return null;
    }
  }

  /** Of Linux; a number made of its text. 0 where there is none. */
  private static long bootId() {
    try {
      CRC32C crc = new CRC32C();
      crc.update(
          Files.readString(Path.of("/proc/sys/kernel/random/boot_id"))
              .getBytes(StandardCharsets.US_ASCII));
      return crc.getValue();
    } catch (IOException e) {
      return 0;
    }
  }
}
