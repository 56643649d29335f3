package io.spillway.otlp.codec;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression.Room;

/**
 * Reads LZ4 frames (LZ4 Frame Format 1.6), one after the other, as one stream. For one use, on one
 * thread.
 *
 * <pre>
 *   frame:     magic (4)  FLG (1)  BD (1)  [content size (8)]  header checksum (1)
 *              blocks  end mark 0 (4)  [content checksum (4)]
 *   block:     size (4), highest bit: stored as it is  data  [block checksum (4)]
 *   sequence:  token (1): literal length, match length - 4; 15 goes on in bytes until one is not 255
 *              literals  offset (2); the last sequence of a block ends with its literals
 * </pre>
 */
final class Lz4Stream {
  private static final String NAME = "lz4";
  private static final int MAGIC = 0x184d_2204;
  private static final int SKIPPABLE_MAGIC = 0x184d_2a50;
  private static final int SKIPPABLE_MASK = 0xffff_fff0;

  // FLG
  private static final int VERSION_MASK = 0xc0;
  private static final int VERSION = 0x40;
  private static final int INDEPENDENT = 0x20;
  private static final int BLOCK_CHECKSUM = 0x10;
  private static final int CONTENT_SIZE = 0x08;
  private static final int CONTENT_CHECKSUM = 0x04;
  private static final int RESERVED = 0x02;
  private static final int DICTIONARY = 0x01;

  // BD
  private static final int BD_RESERVED = 0x8f;
  private static final int SMALLEST_BLOCK_CODE = 4;

  private static final int STORED = 0x8000_0000;
  private static final int MIN_MATCH = 4;
  private static final int LENGTH_GOES_ON = 15;

  private final ByteReader in;
  private final BoundedOutput out;
  private final int maxBytes;

  Lz4Stream(Slice bytes, int maxBytes, Room room) {
    this.in = new ByteReader(NAME, bytes);
    this.out = BoundedOutput.of(NAME, bytes, maxBytes, room);
    this.maxBytes = maxBytes;
  }

  Slice decompress() throws MalformedRequestException, PayloadTooLargeException {
    int start = in.position();
    do {
      int magic = in.i32();
      if (magic == MAGIC) {
        frame();
      } else if ((magic & SKIPPABLE_MASK) == SKIPPABLE_MAGIC) {
        in.skip(in.u32());
      } else {
        throw malformed(
            in.position() - start == Integer.BYTES ? "not lz4" : "junk after the last frame");
      }
    } while (!in.isAtEnd());
    return out.finish();
  }

  private void frame() throws MalformedRequestException, PayloadTooLargeException {
    int descriptor = in.position();
    int flags = in.u8();
    int maxBlock = maxBlock(in.u8());
    if ((flags & VERSION_MASK) != VERSION || (flags & RESERVED) != 0) {
      throw malformed("unknown version or flags");
    }
    if ((flags & DICTIONARY) != 0) {
      throw malformed("needs a dictionary (expected none)");
    }
    long claimed = (flags & CONTENT_SIZE) == 0 ? -1 : in.i64();
    int header = in.position();
    if (in.u8() != (XxHash32.of(in.array(), descriptor, header - descriptor) >>> 8 & 0xff)) {
      throw malformed("header checksum does not match");
    }
    if (claimed > maxBytes - out.length()) {
      throw Decompression.tooLarge(NAME, maxBytes);
    }
    int start = out.length();
    for (int size = in.i32(); size != 0; size = in.i32()) {
      block(size, flags, maxBlock, start);
    }
    int length = out.length() - start;
    if ((flags & CONTENT_CHECKSUM) != 0 && in.i32() != XxHash32.of(out.array(), start, length)) {
      throw malformed("checksum does not match");
    }
    if ((flags & CONTENT_SIZE) != 0 && claimed != length) {
      throw malformed("a frame of %d bytes says it has %d".formatted(length, claimed));
    }
  }

  /** 64 KiB, 256 KiB, 1 MiB or 4 MiB. */
  private static int maxBlock(int descriptor) throws MalformedRequestException {
    int code = descriptor >> 4;
    if ((descriptor & BD_RESERVED) != 0 || code < SMALLEST_BLOCK_CODE) {
      throw malformed("unknown block size");
    }
    return 1 << (8 + 2 * code);
  }

  private void block(int size, int flags, int maxBlock, int frameStart)
      throws MalformedRequestException, PayloadTooLargeException {
    int stored = size & ~STORED;
    if (stored > maxBlock) {
      throw malformed("a block of %d bytes (expected at most %d)".formatted(stored, maxBlock));
    }
    int start = out.length();
    int from = in.position();
    ByteReader block = in.part(stored);
    if ((flags & BLOCK_CHECKSUM) != 0 && in.i32() != XxHash32.of(in.array(), from, stored)) {
      throw malformed("block checksum does not match");
    }
    if ((size & STORED) != 0) {
      out.append(block.array(), from, stored);
    } else {
      sequences(block, (long) start + maxBlock, (flags & INDEPENDENT) != 0 ? start : frameStart);
    }
  }

  private void sequences(ByteReader block, long end, int start)
      throws MalformedRequestException, PayloadTooLargeException {
    while (true) {
      int token = block.u8();
      long literals = length(block, token >> 4);
      requireWithin(literals, end);
      int from = block.position();
      block.skip(literals);
      out.append(block.array(), from, (int) literals);
      if (block.isAtEnd()) {
        return;
      }
      int distance = block.u16();
      long match = length(block, token & 15) + MIN_MATCH;
      requireWithin(match, end);
      out.repeat(distance, (int) match, start);
    }
  }

  private static long length(ByteReader block, int code) throws MalformedRequestException {
    long length = code;
    if (code == LENGTH_GOES_ON) {
      int more;
      do {
        more = block.u8();
        length += more;
      } while (more == 255);
    }
    return length;
  }

  private void requireWithin(long length, long end) throws MalformedRequestException {
    if (length > end - out.length()) {
      throw malformed("a block holds more than its frame allows");
    }
  }

  private static MalformedRequestException malformed(String what) {
    return Decompression.malformed(NAME, what);
  }
}
