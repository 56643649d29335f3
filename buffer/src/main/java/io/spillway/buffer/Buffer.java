package io.spillway.buffer;

import io.spillway.otlp.Codec;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The buffer directory of one relay, with its lanes. Safe on any thread.
 *
 * <pre>
 *   spillway.lock              locked while a relay runs; holds its process id
 *   received                   counters of what receivers took
 *   clock                      how far the clock that ages are judged by is beside the wall clock
 *   lanes/ROUTE/SIGNAL/        one lane
 *     checkpoint               cursor and counts
 *     appended                 how far the writer got
 *     19700101-HHMMSSR.cq4     segments that are being written, by number
 *     19700101-HHMMSSR.segment segments of an earlier start
 *     metadata.cq4t            Chronicle's; made anew at every open
 *     dead-letters/            what sinks refused for good; see {@link DeadLetterBox}
 *   quarantine/                what was damaged, set aside; see {@link Quarantine}
 * </pre>
 */
public final class Buffer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Buffer.class);
  private static final Duration CHECKPOINT_INTERVAL = Duration.ofSeconds(1);

  /** An idle disk is written to only so often, to learn whether it still can be. */
  private static final int ROUNDS_PER_WRITE = 10;

  /** Dead letters are looked after only so often. */
  private static final int ROUNDS_PER_LOOK = 5;

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  /**
   * Copy-on-write file systems need new blocks to overwrite old ones, so reserving blocks ahead
   * protects nothing there.
   */
  private static final Set<String> UNSAFE_FILE_SYSTEMS = Set.of("btrfs", "zfs");

  private final BufferConfig config;
  private final InstantSource clock;
  private final @Nullable ClockFile clockFile;
  private final BufferDirectory home;
  private final DiskBudget budget;
  private final Quarantine quarantine;
  private final @Nullable BlockCipher cipher;
  private final LanePaths paths;
  private final ReceivedCounts received;
  private final ScheduledExecutorService housekeeper;
  private final Map<LaneId, DiskLane> lanes = new HashMap<>();

  /** See {@link RecentBlocks}. */
  private final AtomicLong recentBytes = new AtomicLong();

  private boolean closed;

  /** The housekeeper's. */
  private int rounds;

  private Buffer(
      BufferConfig config,
      InstantSource clock,
      @Nullable ClockFile clockFile,
      DiskSpace space,
      BufferDirectory home,
      @Nullable BlockCipher cipher) {
    this.config = config;
    this.clock = clock;
    this.clockFile = clockFile;
    this.home = home;
    this.cipher = cipher;
    Path directory = config.directory();
    this.budget =
        new DiskBudget(
            directory,
            config.maxBytes(),
            config.minFree(),
            config.segmentBytes() + SegmentQueue.SLACK_BYTES,
            space);
    this.quarantine = new Quarantine(directory, config.maxBytes(), budget, clock);
    this.paths = new LanePaths(directory);
    this.received = ReceivedCounts.open(directory.resolve("received"));
    this.housekeeper =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("buffer checkpoint").factory());
    long interval = CHECKPOINT_INTERVAL.toMillis();
    var _ =
        housekeeper.scheduleWithFixedDelay(
            this::housekeep, interval, interval, TimeUnit.MILLISECONDS);
  }

  /**
   * Opens or creates the directory. Ages of blocks are judged by a clock that does not jump with
   * {@code wall}; see {@link #clock}.
   *
   * @param nanoTime monotonic nanoseconds since the machine came up, as {@link System#nanoTime}
   * @throws BufferInUseException if another process has it open
   * @throws IOException if it cannot be used; the message says why and what to do
   */
  public static Buffer open(BufferConfig config, InstantSource wall, LongSupplier nanoTime)
      throws IOException {
    BufferDirectory home = hold(config);
    try {
      ClockFile clockFile = ClockFile.open(config.directory(), wall, nanoTime);
      DiskSpace space = guardable(config.directory());
      return new Buffer(
          config, clockFile.clock(), clockFile, space, home, cipher(config.keyFile()));
    } catch (IOException | RuntimeException e) {
      home.close();
      throw e;
    }
  }

  /** As above, with a clock that is believed whatever it says. */
  public static Buffer open(BufferConfig config, InstantSource clock) throws IOException {
    BufferDirectory home = hold(config);
    try {
      return new Buffer(
          config, clock, null, guardable(config.directory()), home, cipher(config.keyFile()));
    } catch (IOException | RuntimeException e) {
      home.close();
      throw e;
    }
  }

  static Buffer open(BufferConfig config, InstantSource clock, DiskSpace space) throws IOException {
    BufferDirectory home = hold(config);
    try {
      return new Buffer(config, clock, null, space, home, cipher(config.keyFile()));
    } catch (IOException | RuntimeException e) {
      home.close();
      throw e;
    }
  }

  private static BufferDirectory hold(BufferConfig config) throws IOException {
    ChronicleSettings.apply();
    ChronicleSettings.checkJvmFlags();
    return BufferDirectory.open(config.directory());
  }

  private static DiskSpace guardable(Path directory) throws IOException {
    String type = Files.getFileStore(directory).type();
    if (UNSAFE_FILE_SYSTEMS.contains(type)) {
      throw new IOException(
          "buffer::directory: "
              + directory
              + " is on "
              + type
              + ", where a full disk cannot be guarded against (expected ext4, xfs or tmpfs)."
              + " Choose a directory on another file system.");
    }
    return DiskSpace.of(directory);
  }

  private static @Nullable BlockCipher cipher(@Nullable Path keyFile) throws IOException {
    return keyFile == null
        ? null
        : new BlockCipher(KeyRing.open(keyFile, System::nanoTime), new SecureRandom());
  }

  /** The clock that ages of blocks are to be judged by. */
  public InstantSource clock() {
    return clock;
  }

  /**
   * Says that every lane on disk is open, before anything is appended. If none holds anything, the
   * wall clock is believed again, whatever it did before.
   */
  public synchronized void lanesOpened() {
    boolean empty = lanes.values().stream().allMatch(lane -> lane.isKnownEmpty());
    if (clockFile != null && empty) {
      clockFile.forgetSkew();
    }
  }

  /**
   * The lane of this id, opened or created, with the settings of a lane whose route says nothing.
   */
  public Lane lane(LaneId id, Codec codec) {
    return lane(id, codec, config.lanes());
  }

  /**
   * The lane of this id, opened or created. A lane that cannot be opened now refuses appends, and
   * tries again by itself.
   *
   * @param codec what new blocks are compressed with; also of a lane that is open already
   * @param settings also of a lane that is open already
   */
  public synchronized Lane lane(LaneId id, Codec codec, LaneSettings settings) {
    if (closed) {
      throw new IllegalStateException("buffer: already closed");
    }
    DiskLane lane = lanes.get(id);
    if (lane == null) {
      lane =
          new DiskLane(
              id,
              paths.of(id),
              codec,
              settings,
              config.segmentBytes(),
              budget,
              quarantine,
              cipher,
              new DeadLetterBox(
                  id, paths.of(id), config.deadLetters(), cipher, budget, home, clock),
              home,
              recentBytes,
              clock);
      lane.start();
      lanes.put(id, lane);
    }
    lane.codec(codec);
    lane.settings(settings);
    return lane;
  }

  /**
   * Gives up everything that a lane holds, counted as dropped by an operator.
   *
   * @return how many items; completes within about a second
   * @throws IllegalArgumentException if the lane is not open
   */
  public synchronized CompletableFuture<Long> drop(LaneId id) {
    DiskLane lane = lanes.get(id);
    if (lane == null) {
      throw new IllegalArgumentException("lane " + id + " is not open");
    }
    return lane.drop();
  }

  /**
   * All lanes that exist on disk, also those whose route is gone.
   *
   * @throws IOException if the directory cannot be read
   */
  public List<LaneId> onDisk() throws IOException {
    return paths.onDisk();
  }

  public ReceivedCounts received() {
    return received;
  }

  public DiskStatus disk() {
    return budget.status();
  }

  /**
   * Writes what lanes were handed, forces all checkpoints, and gives up the directory. Safe to call
   * twice.
   */
  @Override
  public void close() throws IOException {
    List<DiskLane> open;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      open = new ArrayList<>(lanes.values());
    }
    housekeeper.shutdown();
    try {
      open.forEach(lane -> lane.close(CLOSE_TIMEOUT));
      received.force();
      if (clockFile != null && home.trouble() == null) {
        clockFile.save();
      }
    } finally {
      received.detach();
      home.close();
    }
  }

  /** Whatever goes wrong, it is tried again: an exception would end the schedule. */
  @SuppressWarnings("CatchThrowable")
  private void housekeep() {
    try {
      List<DiskLane> open;
      synchronized (this) {
        open = new ArrayList<>(lanes.values());
      }
      lookAfterDisk(open);
      open.forEach(DiskLane::checkpoint);
      if (rounds % ROUNDS_PER_LOOK == 1) {
        open.forEach(DiskLane::lookAfterLetters);
      }
      received.force();
      if (clockFile != null && home.trouble() == null) {
        clockFile.tick();
      }
    } catch (Throwable e) {
      log.error("buffer: housekeeping failed; it is tried again", e);
    }
  }

  /** Takes the directory back as soon as nothing is open in what it was. */
  private void lookAfterDisk(List<DiskLane> open) {
    boolean due = ++rounds % ROUNDS_PER_WRITE == 0;
    boolean write = due || home.trouble() != null || !received.isAttached();
    if ((write ? home.check() : home.look()) != null) {
      received.detach();
      open.forEach(DiskLane::lookAround);
      if (open.stream().allMatch(DiskLane::hasLetGo)) {
        var _ = home.reclaim();
      }
    }
    if (home.trouble() == null && !received.isAttached()) {
      received.attach();
    }
  }
}
