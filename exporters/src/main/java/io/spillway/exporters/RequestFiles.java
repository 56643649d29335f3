package io.spillway.exporters;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/**
 * The files of one signal: {@code <signal>-<UTC time of its first request>-<n>.otlp}. A start
 * begins a new file, and so does a failed write. Belongs to one thread.
 */
final class RequestFiles {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

  /** Files that may have the same time in their names. */
  private static final int MAX_NUMBER = 100_000;

  private final Path directory;
  private final Signal signal;
  private final InstantSource clock;
  private final long rotateBytes;
  private @Nullable RequestFile current;

  RequestFiles(Path directory, Signal signal, InstantSource clock, long rotateBytes) {
    this.directory = directory;
    this.signal = signal;
    this.clock = clock;
    this.rotateBytes = rotateBytes;
  }

  /** Returns once the request is on the disk. */
  void append(Slice request) throws IOException {
    RequestFile file = current;
    if (file == null || file.length() >= rotateBytes) {
      close();
      file = create();
      current = file;
    }
    try {
      file.append(request);
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  private RequestFile create() throws IOException {
    Files.createDirectories(directory);
    String time = TIME.format(clock.instant());
    for (int number = 0; number < MAX_NUMBER; number++) {
      Path file = directory.resolve(signal.label() + "-" + time + "-" + number + ".otlp");
      try {
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        forceDirectory();
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

  void close() {
    RequestFile file = current;
    current = null;
    if (file != null) {
      file.close();
    }
  }
}
