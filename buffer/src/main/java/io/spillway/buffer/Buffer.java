package io.spillway.buffer;

import io.spillway.otlp.Codec;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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
import org.jspecify.annotations.Nullable;

/**
 * The buffer directory of one relay, with its lanes. Safe on any thread.
 *
 * <pre>
 *   spillway.lock              locked while a relay runs; holds its process id
 *   received                   counters of what receivers took
 *   lanes/ROUTE/SIGNAL/        one lane
 *     checkpoint               cursor and counts
 *     appended                 how far the writer got
 *     19700101-HHMMSSR.cq4     segments that are being written, by number
 *     19700101-HHMMSSR.segment segments of an earlier start
 *     metadata.cq4t            Chronicle's; made anew at every open
 *   quarantine/                what was damaged, set aside; see {@link Quarantine}
 * </pre>
 */
public final class Buffer implements AutoCloseable {
  private static final Duration CHECKPOINT_INTERVAL = Duration.ofSeconds(1);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  /**
   * Copy-on-write file systems need new blocks to overwrite old ones, so reserving blocks ahead
   * protects nothing there.
   */
  private static final Set<String> UNSAFE_FILE_SYSTEMS = Set.of("btrfs", "zfs");

  private final BufferConfig config;
  private final InstantSource clock;
  private final FileChannel lockFile;
  private final FileLock lock;
  private final DiskBudget budget;
  private final Quarantine quarantine;
  private final @Nullable BlockCipher cipher;
  private final LanePaths paths;
  private final ReceivedCounts received;
  private final ScheduledExecutorService housekeeper;
  private final Map<LaneId, DiskLane> lanes = new HashMap<>();
  private boolean closed;

  private Buffer(
      BufferConfig config,
      InstantSource clock,
      DiskSpace space,
      FileChannel lockFile,
      FileLock lock,
      @Nullable BlockCipher cipher) {
    this.config = config;
    this.clock = clock;
    this.lockFile = lockFile;
    this.lock = lock;
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
            this::checkpoint, interval, interval, TimeUnit.MILLISECONDS);
  }

  /**
   * Opens or creates the directory.
   *
   * @throws BufferInUseException if another process has it open
   * @throws IOException if it cannot be used; the message says why and what to do
   */
  public static Buffer open(BufferConfig config, InstantSource clock) throws IOException {
    Files.createDirectories(config.directory());
    String type = Files.getFileStore(config.directory()).type();
    if (UNSAFE_FILE_SYSTEMS.contains(type)) {
      throw new IOException(
          "buffer::directory: "
              + config.directory()
              + " is on "
              + type
              + ", where a full disk cannot be guarded against (expected ext4, xfs or tmpfs)."
              + " Choose a directory on another file system.");
    }
    return open(config, clock, DiskSpace.of(config.directory()));
  }

  static Buffer open(BufferConfig config, InstantSource clock, DiskSpace space) throws IOException {
    ChronicleSettings.apply();
    ChronicleSettings.checkJvmFlags();
    BlockCipher cipher = config.keyFile() == null ? null : cipher(config.keyFile());
    Files.createDirectories(config.directory());
    Path file = config.directory().resolve("spillway.lock");
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    FileLock lock = tryLock(channel);
    if (lock == null) {
      String owner = readOwner(channel);
      channel.close();
      throw new BufferInUseException(
          "buffer::directory: "
              + config.directory()
              + " is in use by process "
              + owner
              + ". Stop it, or choose another directory.");
    }
    writeOwner(channel);
    return new Buffer(config, clock, space, channel, lock, cipher);
  }

  private static BlockCipher cipher(Path keyFile) throws IOException {
    return new BlockCipher(KeyRing.open(keyFile, System::nanoTime), new SecureRandom());
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
    } finally {
      lock.release();
      lockFile.close();
    }
  }

  private void checkpoint() {
    List<DiskLane> open;
    synchronized (this) {
      open = new ArrayList<>(lanes.values());
    }
    open.forEach(DiskLane::checkpoint);
    received.force();
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null; // another buffer of this process
    }
  }

  private static String readOwner(FileChannel channel) throws IOException {
    ByteBuffer text = ByteBuffer.allocate(32);
    channel.read(text, 0);
    return new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII).trim();
  }

  /** The id only informs; on a full disk the lock works without it. */
  private static void writeOwner(FileChannel channel) {
    byte[] pid = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
    try {
      channel.write(ByteBuffer.wrap(pid), 0);
      channel.truncate(pid.length);
    } catch (IOException e) {
      org.slf4j.LoggerFactory.getLogger(Buffer.class)
          .warn("buffer: cannot write the process id into spillway.lock: {}", e.getMessage());
    }
  }
}
