package io.spillway.buffer;

import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.NavigableSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The segment files of one lane, seen as files: their names, what becomes of them before a queue is
 * opened beside them, and their removal.
 *
 * <p>Chronicle only ever sees the segments that it makes itself: what an earlier queue left is
 * renamed before the next one opens. For Chronicle waits many seconds for a segment that a killed
 * process was making, refuses every append beside a segment with a damaged header, and writes end
 * marks over what it takes for the end of an old one. Nothing of that is needed to read: see {@link
 * SegmentScan}.
 *
 * <p>A segment whose header is damaged is read like all others, as far as there are records in it;
 * once they are settled it goes to the {@link Quarantine} instead of being deleted.
 */
final class SegmentFiles {
  private static final Logger log = LoggerFactory.getLogger(SegmentFiles.class);

  static final String SUFFIX = ".cq4";
  static final String PRECREATED = ".precreated";

  /** A segment of an earlier queue. */
  static final String EARLIER = ".segment";

  /** A mapping makes even a segment of one record this long; larger files are about full. */
  private static final long TRIMMED_BYTES = 32L * 1024 * 1024;

  private static final String METADATA = "metadata.cq4t";
  private static final int METADATA_BYTES = 128 * 1024;
  private static final int HEADER_BYTES = 24;

  private final LaneId lane;
  private final Path directory;
  private final Quarantine quarantine;
  private final DiskSpace space;
  private final Set<Integer> earlier = ConcurrentHashMap.newKeySet();
  private final Set<Integer> damaged = ConcurrentHashMap.newKeySet();

  SegmentFiles(LaneId lane, Path directory, Quarantine quarantine, DiskSpace space) {
    this.lane = lane;
    this.space = space;
    this.directory = directory;
    this.quarantine = quarantine;
  }

  Path directory() {
    return directory;
  }

  Path segment(int cycle) {
    return directory.resolve(SegmentNames.of(cycle) + (earlier.contains(cycle) ? EARLIER : SUFFIX));
  }

  /** The name under which Chronicle picks up a file of ours when it makes this segment. */
  Path precreated(int cycle) {
    return directory.resolve(SegmentNames.of(cycle) + PRECREATED);
  }

  /** The numbers of all segments. */
  NavigableSet<Integer> cycles() throws IOException {
    return SegmentNames.in(directory);
  }

  /** The highest segment number in use; 0 if there is none. */
  int newestNumber() throws IOException {
    NavigableSet<Integer> all = cycles();
    return all.isEmpty() ? 0 : all.last();
  }

  /** Makes the directory safe for Chronicle to open. Only while no queue has it open. */
  void repair() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        String name = String.valueOf(file.getFileName());
        if (name.endsWith(PRECREATED) || name.endsWith(".discard")) {
          Files.delete(file);
        }
      }
    }
    for (int cycle : SegmentNames.in(directory, SUFFIX)) {
      Path file = directory.resolve(SegmentNames.of(cycle) + SUFFIX);
      if (wasBeingMade(firstBytes(file)) && SegmentScan.first(file) == null) {
        Files.delete(file);
      } else {
        Files.move(file, directory.resolve(SegmentNames.of(cycle) + EARLIER));
        trim(directory.resolve(SegmentNames.of(cycle) + EARLIER));
      }
    }
    earlier.addAll(SegmentNames.in(directory, EARLIER));
    for (int cycle : earlier) {
      if (!looksFinished(firstBytes(segment(cycle))) && damaged.add(cycle)) {
        log.error(
            "buffer {}: {}: the file header is damaged. The records in it are still delivered; what"
                + " cannot be read is counted as dropped{reason=\"corrupt\"}. Look with {}.",
            lane,
            segment(cycle),
            quarantine.commands(lane));
      }
    }
    resetMetadata();
  }

  private static void trim(Path file) throws IOException {
    if (Files.size(file) <= TRIMMED_BYTES) {
      long end = SegmentScan.scan(file, 0).endPosition();
      if (end > 0) {
        truncate(file, end + SegmentQueue.SLACK_BYTES);
      }
    }
  }

  /** Gives back blocks beyond {@code length}. Only while no queue has the segment open. */
  void truncate(int cycle, long length) throws IOException {
    truncate(segment(cycle), length);
  }

  private static void truncate(Path file, long length) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      if (channel.size() > length) {
        channel.truncate(length);
      }
    }
  }

  /** Deletes a segment; a damaged one goes into quarantine. */
  void delete(int cycle) throws IOException {
    Path file = segment(cycle);
    if (damaged.contains(cycle)) {
      Path kept = quarantine.segment(lane, cycle, file);
      log.info(
          "buffer {}: damaged segment {} is drained; {}",
          lane,
          cycle,
          kept == null ? "it is not kept" : "kept as " + kept);
    } else {
      Files.deleteIfExists(file);
    }
    earlier.remove(cycle);
    damaged.remove(cycle);
  }

  /** Writes the segment's pages, and its name, through to the device. */
  void force(int cycle, boolean isNew) throws IOException {
    try (FileChannel channel = FileChannel.open(segment(cycle), StandardOpenOption.WRITE)) {
      space.force(channel, segment(cycle));
    } catch (NoSuchFileException e) {
      return; // drained and deleted meanwhile: nothing in it is owed any more
    }
    if (isNew) {
      forceDirectories();
    }
  }

  /** A name lasts once its directory is forced: the segment's, and the lane's above it. */
  private void forceDirectories() throws IOException {
    Path at = directory;
    for (int level = 0; level <= LanePaths.DEPTH && at != null; level++) {
      try (FileChannel channel = FileChannel.open(at, StandardOpenOption.READ)) {
        channel.force(true);
      }
      at = at.getParent();
    }
  }

  /**
   * Chronicle keeps locks and listings in the metadata file, among them a write lock that names a
   * process id. In a container the next process has the same id and would wait for itself for ever.
   * Nothing of ours is in there, so zeros, written in place, make it new.
   */
  private void resetMetadata() throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            directory.resolve(METADATA), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      ByteBuffer zeros = ByteBuffer.allocate(METADATA_BYTES);
      long at = 0;
      while (zeros.hasRemaining()) {
        at += channel.write(zeros, at);
      }
      if (channel.size() > METADATA_BYTES) {
        channel.truncate(METADATA_BYTES);
      }
    }
  }

  /** The first word of a segment is zero, or says "not complete", until its header is written. */
  private static boolean wasBeingMade(byte[] header) {
    return header.length < Integer.BYTES
        || ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt() <= 0;
  }

  private static boolean looksFinished(byte[] header) {
    String text = new String(header, StandardCharsets.ISO_8859_1);
    return header.length == HEADER_BYTES
        && (header[3] & 0xC0) == 0x40
        && text.contains("header")
        && text.contains("SCQSto");
  }

  private static byte[] firstBytes(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      return in.readNBytes(HEADER_BYTES);
    }
  }
}
