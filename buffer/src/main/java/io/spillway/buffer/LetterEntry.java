package io.spillway.buffer;

import java.time.Instant;

/**
 * A dead letter, as a listing shows it.
 *
 * @param id its name; sorts by time
 * @param when the sink refused it
 * @param items in it
 * @param bytes of its file
 */
public record LetterEntry(String id, Instant when, long items, long bytes) {
  private static final long DISK_BLOCK = 4096;

  /** What it takes on disk. */
  long diskBytes() {
    return diskBytes(bytes);
  }

  static long diskBytes(long length) {
    return (length + DISK_BLOCK - 1) / DISK_BLOCK * DISK_BLOCK;
  }
}
