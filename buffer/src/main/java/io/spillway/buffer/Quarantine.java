package io.spillway.buffer;

import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where what is damaged in any lane is kept for a person to look at: {@code quarantine/} in the
 * buffer's directory. Never read again by Spillway. Counted against the disk budget, bounded in
 * files and bytes; the oldest goes first. That it fails, as on a full disk, never hinders a lane.
 *
 * <pre>
 *   ROUTE-SIGNAL-segment-N.cq4              a segment whose header was damaged, after its
 *                                           readable records were taken
 *   ROUTE-SIGNAL-segment-N-at-P-item-I.record   bytes of segment N from position P on, which
 *                                           should have held item I
 * </pre>
 *
 * <p>Safe on any thread.
 */
final class Quarantine {
  private static final Logger log = LoggerFactory.getLogger(Quarantine.class);

  static final String DIRECTORY = "quarantine";
  static final int MAX_FILES = 64;
  private static final long MAX_BYTES = 256L * 1024 * 1024;

  /** Of the disk that the buffer may use, the quarantine takes one part in this many. */
  private static final int PARTS = 8;

  private final Path buffer;
  private final Path directory;
  private final long maxBytes;
  private final DiskBudget budget;
  private final InstantSource clock;
  private final List<Kept> kept = new ArrayList<>();
  private long bytes;

  private record Kept(Path file, long bytes, FileTime since) {}

  /**
   * @param maxBufferBytes what all lanes together may use
   */
  Quarantine(Path buffer, long maxBufferBytes, DiskBudget budget, InstantSource clock) {
    this.buffer = buffer;
    this.directory = buffer.resolve(DIRECTORY);
    this.maxBytes = Math.min(MAX_BYTES, maxBufferBytes / PARTS);
    this.budget = budget;
    this.clock = clock;
    try {
      find();
    } catch (IOException e) {
      log.warn("buffer: {}: cannot be listed; what is in it is not bounded", directory, e);
    }
  }

  private void find() throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        kept.add(new Kept(file, Files.size(file), Files.getLastModifiedTime(file)));
      }
    }
    kept.sort(Comparator.comparing(Kept::since).thenComparing(Kept::file));
    kept.forEach(k -> count(k.bytes));
    bound();
  }

  /** What is set aside of one lane in a buffer's directory. */
  static List<Path> files(Path buffer, LaneId lane) throws IOException {
    Path directory = buffer.resolve(DIRECTORY);
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> String.valueOf(file.getFileName()).startsWith(prefix(lane)))
          .toList();
    }
  }

  /** Bytes that are set aside. */
  synchronized long bytes() {
    return bytes;
  }

  /**
   * Moves a segment here, which needs no space.
   *
   * @return where it is now; null if it could not be kept, and then it is gone
   */
  synchronized @Nullable Path segment(LaneId lane, int cycle, Path segment) throws IOException {
    Path to = directory.resolve(prefix(lane, cycle) + ".cq4");
    try {
      if (Files.size(segment) > 0 && Files.size(segment) <= maxBytes) {
        Files.createDirectories(directory);
        Files.move(segment, to, StandardCopyOption.REPLACE_EXISTING);
        return keep(to, Files.size(to));
      }
    } catch (IOException e) {
      log.warn("buffer {}: cannot set {} aside; it is deleted", lane, segment, e);
    }
    Files.deleteIfExists(segment);
    return null;
  }

  /**
   * Writes a copy of damaged bytes.
   *
   * @param firstItem the number of the item that should have begun there
   * @return where they are; null if they could not be kept
   */
  synchronized @Nullable Path record(
      LaneId lane, int cycle, long position, long firstItem, Slice damaged) {
    if (damaged.length() > maxBytes) {
      return null;
    }
    String name = prefix(lane, cycle) + "-at-" + position + "-item-" + firstItem + ".record";
    Path to = directory.resolve(name);
    try {
      Files.createDirectories(directory);
      Files.write(to, damaged.toByteArray());
      return keep(to, damaged.length());
    } catch (IOException e) {
      log.warn("buffer {}: cannot keep a copy of the damaged bytes as {}", lane, to, e);
      deleteQuietly(to);
      return null;
    }
  }

  /** What a person types to look into a lane. */
  String commands(LaneId lane) {
    return "spillway buffer verify --directory "
        + buffer
        + ", then spillway buffer cat --directory "
        + buffer
        + " "
        + lane;
  }

  private @Nullable Path keep(Path file, long size) throws IOException {
    FileTime now = FileTime.from(clock.instant());
    Files.setLastModifiedTime(file, now);
    kept.removeIf(
        k -> {
          boolean same = k.file.equals(file);
          count(same ? -k.bytes : 0);
          return same;
        });
    kept.add(new Kept(file, size, now));
    count(size);
    bound();
    return file;
  }

  private void bound() {
    while (!kept.isEmpty() && (kept.size() > MAX_FILES || bytes > maxBytes)) {
      Kept oldest = kept.removeFirst();
      deleteQuietly(oldest.file);
      count(-oldest.bytes);
    }
  }

  private void count(long change) {
    bytes += change;
    budget.found(change);
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      log.warn("buffer: cannot delete {}", file, e);
    }
  }

  private static String prefix(LaneId lane, int cycle) {
    return prefix(lane) + cycle;
  }

  private static String prefix(LaneId lane) {
    return LanePaths.encode(lane.route()) + "-" + lane.signal().label() + "-segment-";
  }
}
