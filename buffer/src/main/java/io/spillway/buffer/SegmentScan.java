package io.spillway.buffer;

import io.spillway.otlp.Slice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Reads the records of one segment straight from the file, in order. Unlike Chronicle's own reader
 * it does not depend on what lies between the records: it goes from one block header that proves
 * itself to the next, so damage costs what is damaged and nothing behind it, and index pages, end
 * marks and unwritten zeros are passed in the same way.
 *
 * <pre>
 *   at             at + 4                              a multiple of 4
 *   +--------------+-----------------------------------+
 *   | word         | block header, payload, padding    |   word, little-endian: 30 bits of length,
 *   +--------------+-----------------------------------+   bit 30 metadata, bit 31 not complete
 * </pre>
 *
 * <p>A record counts if its header is good and either its word says so too, or its payload is good:
 * the first is the ordinary case; a damaged word costs nothing; and a record that a killed process
 * did not finish is left out. For one thread.
 */
final class SegmentScan implements AutoCloseable {
  /** Every record lies at a multiple of this many bytes. */
  static final int ALIGNMENT = 4;

  private static final int WORD = 4;

  /** Has to hold the largest header. */
  private static final int WINDOW_BYTES = 128 * 1024;

  /** Read at once: the JDK reads into memory of its own and copies, both within a core's cache. */
  private static final int READ_BYTES = 128 * 1024;

  private final FileChannel channel;
  private final ByteBuffer window =
      ByteBuffer.allocate(WINDOW_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private long windowAt;
  private long knownTo;

  private long at;
  private long position;
  private long end;

  private SegmentScan(FileChannel channel, long from) {
    this.channel = channel;
    this.at = aligned(from);
    this.position = at;
    this.end = at;
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

  /** Starts to read at a position, or at the first record after it. */
  static SegmentScan open(Path segment, long from) throws IOException {
    return new SegmentScan(FileChannel.open(segment, StandardOpenOption.READ), from);
  }

  /**
   * Reads all headers from the end of a record on.
   *
   * @param from where the record's bytes end; the next document starts at the next multiple of 4
   */
  static Found scan(Path segment, long from) throws IOException {
    try (SegmentScan scan = open(segment, from)) {
      BlockHeader first = null;
      Totals totals = Totals.ZERO;
      long end = 0;
      for (BlockHeader header = scan.next(Long.MAX_VALUE);
          header != null;
          header = scan.next(Long.MAX_VALUE)) {
        first = first == null ? header : first;
        totals = totals.max(header.end());
        end = scan.end();
      }
      return new Found(first, totals, end);
    }
  }

  /** The first record of a segment; null if it holds none. */
  static @Nullable BlockHeader first(Path segment) throws IOException {
    try (SegmentScan scan = open(segment, 0)) {
      return scan.next(Long.MAX_VALUE);
    }
  }

  /** The next record that starts before {@code limit}; null if there is none. */
  @Nullable BlockHeader next(long limit) throws IOException {
    forgetBeyondLimit(limit);
    for (long here = candidate(at, limit); here >= 0; here = candidate(here + ALIGNMENT, limit)) {
      BlockHeader header = header(here);
      if (header != null) {
        passed(here, header);
        return header;
      }
    }
    return null;
  }

  private void passed(long start, BlockHeader header) {
    position = start;
    end = start + WORD + header.length() + header.payloadLength();
    at = aligned(end);
  }

  /** Where the next record may start: a header's magic number is behind its word. -1 if nowhere. */
  private long candidate(long from, long limit) throws IOException {
    long here = from;
    while (here < limit && fetch(here, WORD + BlockHeader.FIXED_LENGTH)) {
      int magicAt = (int) (here - windowAt) + WORD;
      int distance = BlockHeader.distance(window.array(), magicAt, window.limit());
      if (distance == 0) {
        return here;
      }
      here += distance;
    }
    return -1;
  }

  /** The writer may have gone on since the window was filled. */
  private void forgetBeyondLimit(long limit) {
    if (limit > knownTo) {
      window.limit(Math.clamp(knownTo - windowAt, 0, window.limit()));
    }
    knownTo = limit;
  }

  /** Where the record that {@link #next} returned starts. */
  long position() {
    return position;
  }

  /** Where its bytes end. */
  long end() {
    return end;
  }

  /** The payload of the record that {@link #next} returned; null if the file ends before. */
  @Nullable Slice payload(BlockHeader header) throws IOException {
    return bytes(position + WORD + header.length(), header.payloadLength());
  }

  /** Bytes of the file; null if it ends before. */
  @Nullable Slice bytes(long from, int length) throws IOException {
    byte[] bytes = new byte[length];
    ByteBuffer to = ByteBuffer.wrap(bytes);
    if (from >= windowAt && from < windowAt + window.limit()) {
      int offset = (int) (from - windowAt);
      to.put(window.array(), offset, Math.min(length, window.limit() - offset));
    }
    while (to.position() < length) {
      to.limit(Math.min(length, to.position() + READ_BYTES));
      if (channel.read(to, from + to.position()) < 0) {
        return null;
      }
    }
    return Slice.of(bytes);
  }

  /** Bytes of the file, trailing zeros left out. */
  Slice upTo(long from, int most) throws IOException {
    int length = Math.clamp(channel.size() - from, 0, most);
    Slice bytes = bytes(from, length);
    int used = bytes == null ? 0 : length;
    while (bytes != null && used > 0 && bytes.array()[used - 1] == 0) {
      used--;
    }
    return bytes == null ? Slice.EMPTY : bytes.sub(0, used);
  }

  /** Lets {@link #next} return the same record again. */
  void back() {
    at = position;
    end = position;
  }

  /** The header of the record at {@code start}; null unless there is a whole one. */
  private @Nullable BlockHeader header(long start) throws IOException {
    int offset = (int) (start - windowAt) + WORD;
    int length = BlockHeader.claimedLength(window.array(), offset, window.limit() - offset);
    if (length < 0 || !fetch(start, WORD + length)) {
      return null;
    }
    offset = (int) (start - windowAt);
    int word = window.getInt(offset);
    BlockHeader header = BlockHeader.decode(window.array(), offset + WORD, length);
    if (header == null || header.payloadLength() > SegmentQueue.LARGEST_RECORD_BYTES) {
      return null;
    }
    boolean complete = word > 0 && header.fits(word);
    return complete || isWhole(start, header) ? header : null;
  }

  private boolean isWhole(long start, BlockHeader header) throws IOException {
    Slice payload = bytes(start + WORD + header.length(), header.payloadLength());
    return payload != null && BlockHeader.crc(payload) == header.payloadCrc();
  }

  /** Makes {@code [from, from + length)} lie in the window; false if the file ends before. */
  private boolean fetch(long from, int length) throws IOException {
    if (from >= windowAt && from + length <= windowAt + window.limit()) {
      return true;
    }
    windowAt = from;
    // Behind what is written there are zeros; a small block must not cost a window of them.
    window.clear().limit(Math.clamp(knownTo - from, length, WINDOW_BYTES));
    while (window.hasRemaining()) {
      if (channel.read(window, from + window.position()) < 0) {
        break;
      }
    }
    window.flip();
    return window.limit() >= length;
  }

  /** Goes on behind a record that is known without having been read. */
  void pass(BlockHeader header, long recordEnd) {
    passed(recordEnd - header.payloadLength() - header.length() - WORD, header);
  }

  /** Where {@link #next} looks from. */
  long at() {
    return at;
  }

  static long aligned(long position) {
    return (position + ALIGNMENT - 1) & -ALIGNMENT;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
