package io.spillway.buffer;

import io.spillway.otlp.Slice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Reads the blocks of one segment straight from the file, without a lock: also of one that is being
 * written, or that is deleted meanwhile. Like {@link SegmentScan}, which only wants to know how far
 * a lane got, it looks beyond damage for the next header that proves itself.
 *
 * <p>A record that is not complete, with no good one after it, is where the segment ends for now.
 * Reads a few KiB per block unless its payload is asked for. Belongs to one thread.
 */
final class SegmentReader implements AutoCloseable {
  private static final int AHEAD_BYTES = 8 * 1024;

  /** Has to hold the largest header. */
  private static final int SEARCH_BYTES = 128 * 1024;

  private static final int LENGTH_MASK = 0x3FFF_FFFF;
  private static final int METADATA = 0x4000_0000;
  private static final int WORD = 4;

  /** Chronicle's own documents, a header and index pages, are smaller than this. */
  private static final int MAX_METADATA_BYTES = SegmentQueue.SLACK_BYTES;

  private final FileChannel channel;
  private final String name;
  private final ByteBuffer window =
      ByteBuffer.allocate(SEARCH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private long windowAt;
  private long at;
  private long strayFrom = -1;
  private long strayTo = -1;

  private SegmentReader(FileChannel channel, String name) {
    this.channel = channel;
    this.name = name;
    window.limit(0);
  }

  /**
   * A block's header.
   *
   * @param position where it starts in the file
   */
  record Found(BlockHeader header, long position) {}

  /**
   * Opens a segment.
   *
   * @return null if it is no longer there
   */
  static @Nullable SegmentReader open(Path segment) throws IOException {
    try {
      FileChannel channel = FileChannel.open(segment, StandardOpenOption.READ);
      return new SegmentReader(channel, String.valueOf(segment.getFileName()));
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /** The file name. */
  String name() {
    return name;
  }

  /** Where the last block returned ends, or what comes first in the file. */
  long position() {
    return at;
  }

  /** Where bytes that are no record start in front of the last block returned; -1 if none do. */
  long strayFrom() {
    return strayFrom;
  }

  /** Where those bytes end. */
  long strayTo() {
    return strayTo;
  }

  /** The next block; null if there is none now. */
  @Nullable Found next() throws IOException {
    strayFrom = -1;
    strayTo = -1;
    boolean lookedTwice = false;
    while (fetch(at, WORD, AHEAD_BYTES)) {
      int word = window.getInt((int) (at - windowAt));
      BlockHeader header = header(at);
      if (header != null) {
        long position = at + WORD;
        at = after(at, header.length() + header.payloadLength());
        return new Found(header, position);
      }
      int length = word & LENGTH_MASK;
      if (word > 0 && (word & METADATA) != 0 && length <= MAX_METADATA_BYTES) {
        at = after(at, length);
        continue;
      }
      long next = search(at + WORD);
      if (next < 0) {
        return null;
      }
      if (!lookedTwice) {
        lookedTwice = true; // it may have been written since: a later record is complete
        window.limit(0);
        continue;
      }
      strayFrom = at;
      strayTo = next;
      at = next;
    }
    return null;
  }

  /** The payload behind a header, whatever its CRC; shorter if the file ends before. */
  Slice payload(Found found) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(found.header.payloadLength());
    long from = found.position + found.header.length();
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, from + bytes.position()) < 0) {
        break;
      }
    }
    return new Slice(bytes.array(), 0, bytes.position());
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /**
   * The header of the record at a word; null if there is none. As in {@link SegmentScan}, the word
   * may be damaged if the payload is good.
   */
  private @Nullable BlockHeader header(long start) throws IOException {
    long position = start + WORD;
    if (!fetch(start, WORD + BlockHeader.FIXED_LENGTH, AHEAD_BYTES)
        || window.getInt((int) (position - windowAt)) != BlockHeader.MAGIC) {
      return null;
    }
    int offset = (int) (position - windowAt);
    int length = BlockHeader.claimedLength(window.array(), offset, window.limit() - offset);
    if (length < 0 || !fetch(start, WORD + length, AHEAD_BYTES)) {
      return null;
    }
    offset = (int) (start - windowAt);
    int word = window.getInt(offset);
    BlockHeader header = BlockHeader.decode(window.array(), offset + WORD, length);
    if (header == null || header.payloadLength() > SegmentQueue.LARGEST_RECORD_BYTES) {
      return null;
    }
    boolean complete = word > 0 && (word & METADATA) == 0 && header.fits(word);
    return complete || isWhole(new Found(header, position)) ? header : null;
  }

  private boolean isWhole(Found found) throws IOException {
    Slice payload = payload(found);
    return payload.length() == found.header.payloadLength()
        && BlockHeader.crc(payload) == found.header.payloadCrc();
  }

  /** Where the next record with a good header starts; -1 if there is none. */
  private long search(long from) throws IOException {
    long word = from;
    while (fetch(word, WORD + BlockHeader.FIXED_LENGTH, SEARCH_BYTES)) {
      int magicAt = (int) (word - windowAt) + WORD;
      int distance = BlockHeader.distance(window.array(), magicAt, window.limit());
      if (distance == 0 && header(word) != null) {
        return word;
      }
      word += Math.max(distance, WORD);
    }
    return -1;
  }

  /**
   * Makes {@code [position, position + length)} lie in the window; false if the file ends before.
   */
  private boolean fetch(long position, int length, int ahead) throws IOException {
    if (position >= windowAt && position + length <= windowAt + window.limit()) {
      return true;
    }
    windowAt = position;
    window.clear().limit(Math.max(length, ahead));
    while (window.hasRemaining()) {
      if (channel.read(window, position + window.position()) < 0) {
        break;
      }
    }
    window.flip();
    return window.limit() >= length;
  }

  private static long after(long at, int length) {
    return at + WORD + ((length + WORD - 1) & -WORD);
  }
}
