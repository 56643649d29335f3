package io.spillway.exporters;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of one signal: {@code <signal>-<UTC time of its first request>-<n>.otlp}, or with
 * another ending; see {@link RequestFormat}. A start begins a new file, and so does a failed write.
 * Belongs to one thread.
 */
final class RequestFiles {
  private static final Logger log = LoggerFactory.getLogger(RequestFiles.class);
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

  /** Files that may have the same time in their names. */
  private static final int MAX_NUMBER = 100_000;

  private final Path directory;
  private final Signal signal;
  private final InstantSource clock;
  private final Rotation rotation;
  private final Retention retention;
  private final String suffix;
  private @Nullable RequestFile current;
  private @Nullable Path path;
  private Instant begun = Instant.MIN;
  private String lastTime = "";
  private int lastNumber;

  RequestFiles(FileConfig config, Signal signal, InstantSource clock) {
    this.directory = config.directory();
    this.signal = signal;
    this.clock = clock;
    this.rotation = config.rotation();
    this.retention = new Retention(directory, signal, rotation);
    Codec compression = config.compression();
    this.suffix = config.format().of(signal).suffix(compression);
  }

  /** The file to write the next records to. All that was written before must have been forced. */
  RequestFile next() throws IOException {
    RequestFile file = current;
    if (file == null || file.length() >= rotation.maxBytes() || isOld()) {
      close();
      Instant now = clock.instant();
      file = create(now);
      begun = now;
      current = file;
    }
    return file;
  }

  private boolean isOld() {
    return !clock.instant().isBefore(begun.plus(rotation.every()));
  }

  private RequestFile create(Instant now) throws IOException {
    Files.createDirectories(directory);
    retention.apply(now);
    String time = TIME.format(now);
    int first = time.equals(lastTime) ? lastNumber + 1 : 0; // also where old ones were removed
    for (int number = first; number < MAX_NUMBER; number++) {
      Path file = directory.resolve(signal.label() + "-" + time + "-" + number + suffix);
      try {
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        forceDirectory();
        path = file;
        lastTime = time;
        lastNumber = number;
        return new RequestFile(channel);
      } catch (FileAlreadyExistsException e) {
        // Another start within the same second, or another exporter of the same directory.
      }
    }
    throw new IOException("no free file name for " + time + " in " + directory);
  }

  /** A file is not there after a power cut unless its directory was forced too. */
  private void forceDirectory() throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** A file that nothing was written to goes: a full disk would leave one with each attempt. */
  void close() {
    RequestFile file = current;
    current = null;
    if (file != null) {
      file.close();
      if (file.isEmpty()) {
        remove(path);
      }
    }
  }

  private static void remove(@Nullable Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      log.warn("file exporter: an empty file stays at {} ({})", file, e.toString());
    }
  }
}
