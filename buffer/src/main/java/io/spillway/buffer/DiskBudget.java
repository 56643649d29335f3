package io.spillway.buffer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The disk that all lanes share: at most {@code max_bytes} reserved, and {@code min_free} left to
 * everybody else. Counts reserved blocks, never file lengths, which are sparse. Safe on any thread.
 */
final class DiskBudget {
  private final Path directory;
  private final long maxBytes;
  private final long minFree;
  private final DiskSpace space;
  private final AtomicLong reserved = new AtomicLong();

  DiskBudget(Path directory, long maxBytes, long minFree, DiskSpace space) {
    this.directory = directory;
    this.maxBytes = maxBytes;
    this.minFree = minFree;
    this.space = space;
  }

  long reservedBytes() {
    return reserved.get();
  }

  /** Counts blocks that were found on disk. */
  void found(long bytes) {
    reserved.addAndGet(bytes);
  }

  /** Gives back what {@link #reserve} or {@link #found} took. */
  void release(long bytes) {
    reserved.addAndGet(-bytes);
  }

  DiskStatus status() {
    long free;
    try {
      free = space.usableBytes();
    } catch (IOException e) {
      free = -1;
    }
    return new DiskStatus(free, reserved.get(), maxBytes, minFree);
  }

  /** Why {@code bytes} more would not be reserved right now; null if they probably would be. */
  @Nullable String refusal(long bytes) {
    long total = reserved.get() + bytes;
    if (total > maxBytes) {
      return size(reserved.get()) + " reserved in " + directory + ", max_bytes " + size(maxBytes);
    }
    long free;
    try {
      free = space.usableBytes();
    } catch (IOException e) {
      return "free space of " + directory + " is unknown: " + e.getMessage();
    }
    if (free - bytes < minFree) {
      return size(free) + " free on " + directory + ", below min_free " + size(minFree);
    }
    return null;
  }

  /**
   * Reserves {@code [from, to)} of a file.
   *
   * @throws DiskFullException if a limit or the file system stands in the way
   */
  void reserve(Path file, long from, long to) throws DiskFullException {
    long bytes = to - from;
    String refusal = refusal(bytes);
    if (refusal != null) {
      throw new DiskFullException(refusal);
    }
    long before = reserved.getAndAdd(bytes);
    if (before + bytes > maxBytes) {
      reserved.addAndGet(-bytes);
      throw new DiskFullException(
          size(before) + " reserved in " + directory + ", max_bytes " + size(maxBytes));
    }
    try {
      space.fillWithZeros(file, from, to);
    } catch (IOException e) {
      reserved.addAndGet(-bytes);
      throw new DiskFullException(
          "cannot reserve " + size(bytes) + " in " + directory + ": " + e.getMessage(), e);
    }
  }

  /** {@code 310 MiB}: the largest unit that leaves at least 1, rounded down. */
  static String size(long bytes) {
    if (bytes < 1 << 10) {
      return bytes + " B";
    }
    if (bytes < 1 << 20) {
      return (bytes >> 10) + " KiB";
    }
    return bytes < 10L << 30 ? (bytes >> 20) + " MiB" : (bytes >> 30) + " GiB";
  }
}
