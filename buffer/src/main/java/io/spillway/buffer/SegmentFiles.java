package io.spillway.buffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The segment files of one lane, seen as files: their names, what is wrong with them before
 * Chronicle may open them, and their removal.
 *
 * <p>Chronicle waits many seconds for a segment that a killed process was making, and one segment
 * with a damaged header blocks every append. So the first is deleted, since it cannot hold a
 * record, and the second is set aside under another name; the numbers of the items that were in it
 * show what was lost.
 */
final class SegmentFiles {
  private static final Logger log = LoggerFactory.getLogger(SegmentFiles.class);

  static final String SUFFIX = ".cq4";
  static final String PRECREATED = ".precreated";
  static final String CORRUPT = ".corrupt";

  /** Damaged segments kept for a person to look at; the oldest goes first. */
  static final int MAX_QUARANTINED = 4;

  private static final DateTimeFormatter NAME = DateTimeFormatter.ofPattern(SizeRollCycle.FORMAT);
  private static final String METADATA = "metadata.cq4t";
  private static final int METADATA_BYTES = 128 * 1024;
  private static final int HEADER_BYTES = 24;

  private final Path directory;

  SegmentFiles(Path directory) {
    this.directory = directory;
  }

  Path directory() {
    return directory;
  }

  Path segment(int cycle) {
    return directory.resolve(name(cycle) + SUFFIX);
  }

  /** The name under which Chronicle picks up a file of ours when it makes this segment. */
  Path precreated(int cycle) {
    return directory.resolve(name(cycle) + PRECREATED);
  }

  NavigableSet<Integer> cycles() throws IOException {
    return cycles(SUFFIX);
  }

  /** The highest segment number in use, damaged segments included; 0 if there is none. */
  int newestNumber() throws IOException {
    NavigableSet<Integer> all = cycles();
    all.addAll(cycles(SUFFIX + CORRUPT));
    return all.isEmpty() ? 0 : all.last();
  }

  /**
   * Bytes held by damaged segments that were set aside.
   *
   * @param most what one segment holds at most; its length can be anything
   */
  long quarantinedBytes(long most) throws IOException {
    long bytes = 0;
    for (int cycle : cycles(SUFFIX + CORRUPT)) {
      bytes += Math.min(most, Files.size(corrupt(cycle)));
    }
    return bytes;
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
    NavigableSet<Integer> cycles = cycles();
    for (int cycle : cycles) {
      Path file = segment(cycle);
      byte[] header = firstBytes(file);
      if (cycle == cycles.last() && wasBeingMade(header)) {
        Files.delete(file);
      } else if (!looksFinished(header)) {
        quarantine(cycle, "its header is damaged");
      }
    }
    resetMetadata();
  }

  /** Sets a damaged segment aside. */
  void quarantine(int cycle, String reason) throws IOException {
    Path file = segment(cycle);
    Files.move(file, corrupt(cycle), StandardCopyOption.REPLACE_EXISTING);
    log.error(
        "buffer: {}: {}. Kept as {}; its items are counted as corrupt.", file, reason, CORRUPT);
    NavigableSet<Integer> quarantined = cycles(SUFFIX + CORRUPT);
    while (quarantined.size() > MAX_QUARANTINED) {
      Files.deleteIfExists(corrupt(quarantined.removeFirst()));
    }
  }

  /** Gives back blocks beyond {@code length}. Only while no queue has the segment open. */
  void truncate(int cycle, long length) throws IOException {
    try (FileChannel channel = FileChannel.open(segment(cycle), StandardOpenOption.WRITE)) {
      if (channel.size() > length) {
        channel.truncate(length);
      }
    }
  }

  void delete(int cycle) throws IOException {
    Files.deleteIfExists(segment(cycle));
  }

  /** Writes the segment's pages, and its name, through to the device. */
  void force(int cycle, boolean isNew) throws IOException {
    try (FileChannel channel = FileChannel.open(segment(cycle), StandardOpenOption.WRITE)) {
      channel.force(false);
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

  private NavigableSet<Integer> cycles(String suffix) throws IOException {
    NavigableSet<Integer> cycles = new TreeSet<>();
    List<String> names;
    try (Stream<Path> files = Files.list(directory)) {
      names = files.map(f -> String.valueOf(f.getFileName())).toList();
    }
    for (String name : names) {
      if (name.endsWith("R" + suffix)) {
        try {
          String date = name.substring(0, name.length() - suffix.length());
          cycles.add((int) LocalDateTime.parse(date, NAME).toEpochSecond(ZoneOffset.UTC));
        } catch (DateTimeException e) {
          log.warn("buffer: {}: not a segment of Spillway's; left alone", directory.resolve(name));
        }
      }
    }
    return cycles;
  }

  private Path corrupt(int cycle) {
    return directory.resolve(name(cycle) + SUFFIX + CORRUPT);
  }

  private static String name(int cycle) {
    return LocalDateTime.ofEpochSecond(cycle, 0, ZoneOffset.UTC).format(NAME);
  }
}
