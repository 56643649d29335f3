package io.spillway.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.BufferConfig.Durability;
import io.spillway.buffer.BufferConfig.WhenFull;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.LaneLedger;
import io.spillway.otlp.stage.Settlement;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the tests of lanes share: a clock, a disk that can be full, and short ways to say things.
 */
final class LaneFixture {
  static final LaneId ID = new LaneId("default", Signal.TRACES);
  static final long MIB = 1L << 20;
  static final Duration WAIT = Duration.ofSeconds(20);
  static final Duration NO_WAIT = Duration.ZERO;
  static final String SINK = "otlp_grpc/primary";

  private LaneFixture() {}

  static BufferConfig config(Path directory) {
    return config(directory, 1024 * MIB, 0, MIB, WhenFull.REFUSE, Durability.PROCESS);
  }

  static BufferConfig config(
      Path directory,
      long maxBytes,
      long minFree,
      long segmentBytes,
      WhenFull whenFull,
      Durability durability) {
    return new BufferConfig(
        directory,
        maxBytes,
        minFree,
        segmentBytes,
        new LaneSettings(maxBytes, Duration.ofDays(3), whenFull, durability, Duration.ZERO));
  }

  /** A clock that stands still until it is moved. */
  static final class FakeClock implements InstantSource {
    private final AtomicReference<Instant> now =
        new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));

    @Override
    public Instant instant() {
      return now.get();
    }

    void advance(Duration by) {
      now.updateAndGet(i -> i.plus(by));
    }
  }

  /** A disk of the real kind that can be made full. */
  static final class FakeDisk implements DiskSpace {
    private final DiskSpace real;
    private final Map<String, Long> filled = new ConcurrentHashMap<>();
    private volatile long capacity;
    volatile long usable = 1L << 40;
    volatile boolean failWrites;

    FakeDisk(Path directory) throws IOException {
      real = DiskSpace.of(Files.createDirectories(directory));
    }

    /** From now on the disk holds this much, segments included. */
    void capacity(long bytes) {
      capacity = bytes;
    }

    @Override
    public long usableBytes() {
      return capacity == 0 ? usable : capacity - segmentBytes();
    }

    /** A segment is filled under another name than the one it gets. */
    private long segmentBytes() {
      long sum = 0;
      for (Map.Entry<String, Long> e : filled.entrySet()) {
        boolean exists =
            Files.exists(Path.of(e.getKey() + SegmentFiles.SUFFIX))
                || Files.exists(Path.of(e.getKey() + SegmentFiles.EARLIER))
                || Files.exists(Path.of(e.getKey() + SegmentFiles.PRECREATED));
        sum += exists ? e.getValue() : 0;
      }
      return sum;
    }

    @Override
    public void fillWithZeros(Path file, long from, long to) throws IOException {
      if (failWrites) {
        throw new IOException("No space left on device");
      }
      real.fillWithZeros(file, from, to);
      String name = file.toString();
      filled.merge(name.substring(0, name.lastIndexOf('.')), to - from, Long::sum);
    }
  }

  /** Null when stored, else the refusal. */
  static CompletableFuture<Lane.@Nullable Refusal> append(
      Lane lane, byte[] request, int items, int sampledOut) {
    CompletableFuture<Lane.@Nullable Refusal> result = new CompletableFuture<>();
    lane.append(
        Slice.of(request),
        items,
        sampledOut,
        new Lane.AppendCallback() {
          @Override
          public void appended() {
            result.complete(null);
          }

          @Override
          public void refused(Lane.Refusal refusal) {
            result.complete(refusal);
          }
        });
    return result;
  }

  static Lane.@Nullable Refusal await(CompletableFuture<Lane.@Nullable Refusal> result) {
    return result.orTimeout(WAIT.toSeconds(), TimeUnit.SECONDS).join();
  }

  static void store(Lane lane, byte[] request, int items) {
    assertThat(await(append(lane, request, items, 0))).isNull();
  }

  static byte[] bytes(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  static Block poll(Lane lane) throws InterruptedException {
    Block block = lane.poll(WAIT);
    assertThat(block).isNotNull();
    return block;
  }

  static List<Block> pollAll(Lane lane) throws InterruptedException {
    List<Block> blocks = new ArrayList<>();
    for (Block b = lane.poll(NO_WAIT); b != null; b = lane.poll(NO_WAIT)) {
      blocks.add(b);
    }
    return blocks;
  }

  static void deliver(Lane lane, Block block) {
    lane.settle(block, Settlement.delivered(SINK, block.items()));
  }

  static void assertBalanced(LaneLedger l) {
    assertThat(l.unaccounted()).as("unaccounted in %s", l).isZero();
    assertThat(l.routed())
        .as("routed in %s", l)
        .isEqualTo(
            l.sampledOut()
                + sum(l.delivered().values())
                + sum(l.rejected().values())
                + sum(l.dropped().values())
                + l.buffered());
    assertThat(l.buffered()).as("buffered in %s", l).isNotNegative();
  }

  static long sum(Iterable<Long> counts) {
    long sum = 0;
    for (long count : counts) {
      sum += count;
    }
    return sum;
  }

  static Lane open(Buffer buffer) {
    return buffer.lane(ID, Codec.NONE);
  }

  static Path laneDirectory(Path directory) {
    return new LanePaths(directory).of(ID);
  }

  static List<Path> segments(Path directory) throws IOException {
    return segments(directory, ID);
  }

  static List<Path> segments(Path directory, LaneId lane) {
    try (Stream<Path> files = Files.list(new LanePaths(directory).of(lane))) {
      return files.filter(LaneFixture::isSegment).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static boolean isSegment(Path file) {
    String name = file.toString();
    return name.endsWith(SegmentFiles.SUFFIX) || name.endsWith(SegmentFiles.EARLIER);
  }

  /** The files in a directory, without those in directories below it; none if it is missing. */
  static List<String> names(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(f -> String.valueOf(f.getFileName())).sorted().toList();
    }
  }

  /**
   * What a killed process leaves: the files as they are, while the buffer is still open. Segments
   * first: one that is deleted before its turn is settled in the checkpoint that is copied after
   * it.
   */
  static Path crashCopy(Path directory, Path to) throws IOException {
    List<Path> files = new ArrayList<>();
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path found, BasicFileAttributes attributes)
              throws IOException {
            Files.createDirectories(to.resolve(directory.relativize(found).toString()));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            files.add(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE; // deleted since its directory was read
            }
            throw e;
          }
        });
    files.sort(Comparator.comparing(file -> !isSegment(file)));
    for (Path file : files) {
      Path target = to.resolve(directory.relativize(file).toString());
      try {
        if (isSegment(file)) {
          SparseCopy.copy(file, target);
        } else {
          Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
        }
      } catch (NoSuchFileException e) {
        // Deleted since it was found.
      }
    }
    return to;
  }
}
