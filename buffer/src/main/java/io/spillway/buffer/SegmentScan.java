package io.spillway.buffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Reads the headers of a segment straight from the file, to learn how far the lane had got. Unlike
 * Chronicle it looks beyond damage: after anything that is not a record it searches the rest of the
 * file for the next header that proves itself.
 *
 * <p>A Chronicle document is a little-endian word and its bytes, padded to 4: 30 bits of length,
 * bit 30 for metadata, bit 31 for "not complete".
 */
final class SegmentScan {
  private static final int WINDOW_BYTES = 64 * 1024;
  private static final int LENGTH_MASK = 0x3FFF_FFFF;
  private static final int METADATA = 0x4000_0000;
  private static final int WORD = 4;

  private final FileChannel channel;
  private final ByteBuffer window =
      ByteBuffer.allocate(WINDOW_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private long windowAt;

  private @Nullable BlockHeader first;
  private Totals end = Totals.ZERO;
  private long endPosition;

  private SegmentScan(FileChannel channel) {
    this.channel = channel;
    window.limit(0);
  }

  /**
   * What a scan found.
   *
   * @param first the first record; null if there is none
   * @param end the lane's totals after the last record; zero if there is none
   * @param endPosition where the last record ends in the file; 0 if there is none
   */
  record Found(@Nullable BlockHeader first, Totals end, long endPosition) {}

  /**
   * Reads all headers from the end of a record on.
   *
   * @param from where the record's bytes end; the next document starts at the next multiple of 4
   */
  static Found scan(Path segment, long from) throws IOException {
    try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.READ)) {
      SegmentScan scan = new SegmentScan(channel);
      scan.walk(padded(from), Long.MAX_VALUE);
      return new Found(scan.first, scan.end, scan.endPosition);
    }
  }

  /** The first record of a segment; null if it holds none. */
  static @Nullable BlockHeader first(Path segment) throws IOException {
    try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.READ)) {
      SegmentScan scan = new SegmentScan(channel);
      scan.walk(0, 1);
      return scan.first;
    }
  }

  private void walk(long from, long maxRecords) throws IOException {
    long at = from;
    for (long records = 0; records < maxRecords; ) {
      if (!fetch(at, WORD)) {
        return;
      }
      int word = window.getInt((int) (at - windowAt));
      int length = word & LENGTH_MASK;
      if (word > 0 && (word & METADATA) != 0) {
        at = next(at, length);
        continue;
      }
      BlockHeader header = word > 0 ? header(at + WORD) : null;
      if (header == null || !header.fits(length)) {
        at = search(at + WORD);
        if (at < 0) {
          return;
        }
        continue;
      }
      at = next(at, length);
      found(header, at);
      records++;
    }
  }

  private void found(BlockHeader header, long position) {
    if (first == null) {
      first = header;
    }
    end = end.max(header.end());
    endPosition = position;
  }

  /** Where the next document that is a good record starts; -1 if there is none. */
  private long search(long from) throws IOException {
    for (long at = from; fetch(at, WORD + BlockHeader.FIXED_LENGTH); at += WORD) {
      int offset = (int) (at - windowAt);
      if (window.getInt(offset + WORD) == BlockHeader.MAGIC) {
        BlockHeader header = header(at + WORD);
        if (header != null
            && fetch(at, WORD)
            && header.fits(window.getInt((int) (at - windowAt)))) {
          return at;
        }
      }
    }
    return -1;
  }

  private @Nullable BlockHeader header(long at) throws IOException {
    if (!fetch(at, BlockHeader.FIXED_LENGTH)) {
      return null;
    }
    int offset = (int) (at - windowAt);
    int length = BlockHeader.claimedLength(window.array(), offset, window.limit() - offset);
    if (length < 0 || !fetch(at, length)) {
      return null;
    }
    return BlockHeader.decode(window.array(), (int) (at - windowAt), length);
  }

  /** Makes {@code [at, at + length)} lie in the window; false if the file ends before. */
  private boolean fetch(long at, int length) throws IOException {
    if (at >= windowAt && at + length <= windowAt + window.limit()) {
      return true;
    }
    windowAt = at;
    window.clear();
    while (window.hasRemaining()) {
      if (channel.read(window, at + window.position()) < 0) {
        break;
      }
    }
    window.flip();
    return window.limit() >= length;
  }

  private static long next(long at, int length) {
    return at + WORD + padded(length);
  }

  private static long padded(long length) {
    return (length + WORD - 1) & -WORD;
  }
}
