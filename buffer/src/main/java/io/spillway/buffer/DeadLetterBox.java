package io.spillway.buffer;

import io.spillway.buffer.BufferDirectory.Trouble;
import io.spillway.otlp.stage.DeadLetter;
import io.spillway.otlp.stage.DeadLetterStatus;
import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a lane keeps what sinks refused for good: {@code dead-letters/} in the lane's directory, a
 * file for each letter ({@link DeadLetterFile}), so that a command in another process can remove
 * one while the relay runs.
 *
 * <p>Bounded in bytes and age; the oldest goes first. What is kept counts in the disk budget, but
 * is written also below {@code min_free}: it takes the place of data that was acknowledged. No file
 * stays open, so the file system can be unmounted. After a crash between the writing of a letter
 * and the settlement of its block, the same data can become a second letter.
 *
 * <p>Safe on any thread; {@link #keep} waits for the device.
 */
final class DeadLetterBox {
  private static final Logger log = LoggerFactory.getLogger(DeadLetterBox.class);

  private final LaneId lane;
  private final Path directory;
  private final DeadLetterConfig bounds;
  private final @Nullable BlockCipher cipher;
  private final DiskBudget budget;
  private final BufferDirectory home;
  private final InstantSource clock;
  private final LogLimit failures;
  private final LogLimit discards;

  // Guarded by this.
  private final TreeMap<String, LetterEntry> kept = new TreeMap<>();
  private boolean listed;
  private @Nullable Object listedVersion;
  private long bytes;
  private long items;
  private long discarded;
  private long notKept;

  private volatile DeadLetterStatus status = new DeadLetterStatus(0, 0, 0, 0, 0);

  DeadLetterBox(
      LaneId lane,
      Path laneDirectory,
      DeadLetterConfig bounds,
      @Nullable BlockCipher cipher,
      DiskBudget budget,
      BufferDirectory home,
      InstantSource clock) {
    this.lane = lane;
    this.directory = laneDirectory.resolve(DeadLetterNames.DIRECTORY);
    this.bounds = bounds;
    this.cipher = cipher;
    this.budget = budget;
    this.home = home;
    this.clock = clock;
    this.failures = new LogLimit(clock);
    this.discards = new LogLimit(clock);
  }

  DeadLetterStatus status() {
    return status;
  }

  /** Writes a letter through to the device; false, and the reason logged, if that fails. */
  synchronized boolean keep(DeadLetter letter) {
    try {
      Trouble trouble = home.look();
      if (trouble != null) {
        throw new IOException(trouble.reason());
      }
      list();
      store(letter, clock.instant());
      return true;
    } catch (IOException | GeneralSecurityException e) {
      notKept += letter.items();
      long more = failures.permit();
      if (more >= 0) {
        log.error(
            "buffer {}: a dead letter of {} items, refused by {}, cannot be kept: {}. They are"
                + " lost, and counted as dropped. ({} like it were not logged)",
            lane,
            letter.items(),
            letter.exporter(),
            DiskErrors.text(e),
            more);
      }
      return false;
    } finally {
      show();
    }
  }

  /**
   * Notices what was removed from outside, and deletes what is too old. Called now and then; cheap
   * when nothing changed.
   */
  synchronized void lookAfter() {
    if (home.trouble() != null) {
      return;
    }
    try {
      if (!listed || !version().equals(listedVersion)) {
        listed = false;
        list();
      }
      Instant limit = clock.instant().minus(bounds.maxAge());
      while (!kept.isEmpty() && kept.firstEntry().getValue().when().isBefore(limit)) {
        discard(kept.firstEntry().getValue(), "older than max_age");
      }
    } catch (IOException e) {
      log.warn("buffer {}: {} cannot be listed: {}", lane, directory, DiskErrors.text(e));
    } finally {
      show();
    }
  }

  /** Changes whenever a name in the directory does. */
  private Object version() throws IOException {
    return Files.isDirectory(directory) ? Files.getLastModifiedTime(directory) : "none";
  }

  private void list() throws IOException {
    if (listed) {
      return;
    }
    boolean first = listedVersion == null;
    listedVersion = version();
    List<LetterEntry> found = DeadLetterNames.list(directory);
    if (first) {
      deleteParts();
    }
    List.copyOf(kept.values()).forEach(this::forget);
    found.forEach(this::count);
    listed = true;
  }

  /** What a relay that was killed was writing. */
  private void deleteParts() throws IOException {
    if (Files.isDirectory(directory)) {
      try (Stream<Path> files = Files.list(directory)) {
        for (Path part : files.filter(f -> f.toString().endsWith(DeadLetterNames.PART)).toList()) {
          Files.deleteIfExists(part);
        }
      }
    }
  }

  private void store(DeadLetter letter, Instant now) throws IOException, GeneralSecurityException {
    byte[] file = DeadLetterFile.encode(lane, letter, now, cipher);
    long disk = LetterEntry.diskBytes(file.length);
    if (disk > bounds.maxBytes()) {
      throw new IOException(
          "it takes %s, above buffer::dead_letters::max_bytes %s"
              .formatted(DiskBudget.size(disk), DiskBudget.size(bounds.maxBytes())));
    }
    while (bytes + disk > bounds.maxBytes()) {
      discard(kept.firstEntry().getValue(), "no room within max_bytes");
    }
    Instant when = now;
    String id = DeadLetterNames.id(when, letter.items(), crc(file));
    while (kept.containsKey(id)) {
      when = when.plusMillis(1);
      id = DeadLetterNames.id(when, letter.items(), crc(file));
    }
    write(id, file);
    count(new LetterEntry(id, when, letter.items(), file.length));
  }

  private void write(String id, byte[] file) throws IOException {
    boolean isNew = Files.notExists(directory);
    Files.createDirectories(directory);
    Path part = directory.resolve(id + DeadLetterNames.PART);
    try {
      try (FileChannel channel =
          FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        ByteBuffer left = ByteBuffer.wrap(file);
        while (left.hasRemaining()) {
          channel.write(left);
        }
        budget.space().force(channel, part);
      }
      Files.move(
          part, directory.resolve(DeadLetterNames.fileName(id)), StandardCopyOption.ATOMIC_MOVE);
      force(directory);
      if (isNew && directory.getParent() != null) {
        force(directory.getParent());
      }
    } catch (IOException e) {
      Files.deleteIfExists(part);
      throw e;
    }
  }

  private static void force(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private void discard(LetterEntry letter, String why) throws IOException {
    boolean deleted =
        Files.deleteIfExists(directory.resolve(DeadLetterNames.fileName(letter.id())));
    forget(letter);
    if (!deleted) {
      return; // an operator has removed it
    }
    discarded += letter.items();
    long more = discards.permit();
    if (more >= 0) {
      log.error(
          "buffer {}: dead letter {} with {} items is deleted: {}. Resend or remove letters with"
              + " spillway buffer dead-letters, or raise buffer::dead_letters. ({} like it were not"
              + " logged)",
          lane,
          letter.id(),
          letter.items(),
          why,
          more);
    }
  }

  private void count(LetterEntry letter) {
    if (kept.put(letter.id(), letter) == null) {
      add(letter.diskBytes(), letter.items());
    }
  }

  private void forget(LetterEntry letter) {
    if (kept.remove(letter.id()) != null) {
      add(-letter.diskBytes(), -letter.items());
    }
  }

  private void add(long moreBytes, long moreItems) {
    bytes += moreBytes;
    items += moreItems;
    budget.found(moreBytes);
  }

  private void show() {
    status = new DeadLetterStatus(kept.size(), items, bytes, discarded, notKept);
  }

  private static int crc(byte[] file) {
    CRC32C crc = new CRC32C();
    crc.update(file, 0, file.length);
    return (int) crc.getValue();
  }
}
