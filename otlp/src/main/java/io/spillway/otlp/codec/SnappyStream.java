package io.spillway.otlp.codec;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression.Room;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Reads Snappy: one block (format_description.txt of Snappy), or chunks of blocks in the framing
 * format (framing_format.txt), which begin with a stream identifier. For one use, on one thread.
 *
 * <pre>
 *   block:  length of the content (varint)  elements
 *   element, by the low two bits of its first byte:
 *     0  literal        length - 1 in six bits, or in the 1 to 4 bytes that follow (60 to 63)
 *     1  copy           length - 4 in three bits; offset: three bits above one byte
 *     2  copy           length - 1 in six bits; offset: two bytes
 *     3  copy           length - 1 in six bits; offset: four bytes
 *   chunk:  type (1 byte)  length (3 bytes)  masked CRC32C of the content (4 bytes)  block or content
 * </pre>
 */
final class SnappyStream {
  private static final String NAME = "snappy";
  private static final byte[] IDENTIFIER = {
    (byte) 0xff, 6, 0, 0, 's', 'N', 'a', 'P', 'p', 'Y',
  };

  private static final int COMPRESSED = 0x00;
  private static final int UNCOMPRESSED = 0x01;
  private static final int FIRST_SKIPPABLE = 0x80;
  private static final int STREAM_IDENTIFIER = 0xff;
  private static final int MAX_CHUNK_BYTES = 65_536;
  private static final int MASK_DELTA = 0xa282_ead8;

  /** Literal lengths above this are in that many bytes more. */
  private static final int MAX_SHORT_LITERAL = 59;

  private static final int MAX_VARINT_SHIFT = 28;

  private final ByteReader in;
  private final BoundedOutput out;
  private final int maxBytes;

  SnappyStream(Slice bytes, int maxBytes, Room room) {
    this.in = new ByteReader(NAME, bytes);
    this.out = BoundedOutput.of(NAME, bytes, maxBytes, room);
    this.maxBytes = maxBytes;
  }

  Slice decompress() throws MalformedRequestException, PayloadTooLargeException {
    if (isFramed()) {
      while (!in.isAtEnd()) {
        chunk();
      }
    } else {
      long length = contentLength(in);
      if (length > maxBytes) {
        throw Decompression.tooLarge(NAME, maxBytes);
      }
      block(in, (int) length);
    }
    return out.finish();
  }

  private boolean isFramed() {
    int from = in.position();
    return in.remaining() >= IDENTIFIER.length
        && Arrays.equals(
            in.array(), from, from + IDENTIFIER.length, IDENTIFIER, 0, IDENTIFIER.length);
  }

  private void chunk() throws MalformedRequestException, PayloadTooLargeException {
    int type = in.u8();
    ByteReader chunk = in.part(in.u24());
    switch (type) {
      case COMPRESSED -> checked(chunk, true);
      case UNCOMPRESSED -> checked(chunk, false);
      case STREAM_IDENTIFIER -> identifier(chunk);
      default -> {
        if (type < FIRST_SKIPPABLE) {
          throw malformed("a chunk of the reserved type " + type);
        }
      }
    }
  }

  private static void identifier(ByteReader chunk) throws MalformedRequestException {
    int from = chunk.position();
    int header = IDENTIFIER.length - 6;
    if (!Arrays.equals(
        chunk.array(), from, from + chunk.remaining(), IDENTIFIER, header, IDENTIFIER.length)) {
      throw malformed("damaged stream identifier");
    }
  }

  private void checked(ByteReader chunk, boolean compressed)
      throws MalformedRequestException, PayloadTooLargeException {
    int expected = chunk.i32();
    int start = out.length();
    long length = compressed ? contentLength(chunk) : chunk.remaining();
    if (length > MAX_CHUNK_BYTES) {
      throw malformed(
          "a chunk of %d bytes (expected at most %d)".formatted(length, MAX_CHUNK_BYTES));
    }
    if (compressed) {
      block(chunk, (int) length);
    } else {
      out.append(chunk.array(), chunk.position(), chunk.remaining());
    }
    CRC32C crc = new CRC32C();
    crc.update(out.array(), start, out.length() - start);
    if (mask((int) crc.getValue()) != expected) {
      throw malformed("checksum does not match");
    }
  }

  private static int mask(int crc) {
    return Integer.rotateRight(crc, 15) + MASK_DELTA;
  }

  /** Reads the elements of a block to the end of its input. */
  private void block(ByteReader block, int length)
      throws MalformedRequestException, PayloadTooLargeException {
    int start = out.length();
    // Beyond int only where the limit on the output strikes first.
    long end = (long) start + length;
    while (!block.isAtEnd()) {
      element(block, start, end);
    }
    if (out.length() != end) {
      throw malformed("a block of %d bytes says it has %d".formatted(out.length() - start, length));
    }
  }

  private static long contentLength(ByteReader block) throws MalformedRequestException {
    long length = 0;
    for (int shift = 0; shift <= MAX_VARINT_SHIFT; shift += 7) {
      int next = block.u8();
      length |= (long) (next & 0x7f) << shift;
      if (next < 0x80) {
        return length;
      }
    }
    throw malformed("damaged length");
  }

  private void element(ByteReader block, int start, long end)
      throws MalformedRequestException, PayloadTooLargeException {
    int tag = block.u8();
    switch (tag & 3) {
      case 0 -> literal(block, tag >> 2, end);
      case 1 -> copy((tag >> 5) << 8 | block.u8(), (tag >> 2 & 7) + 4, start, end);
      case 2 -> copy(block.u16(), (tag >> 2) + 1, start, end);
      default -> copy(block.i32(), (tag >> 2) + 1, start, end);
    }
  }

  private void literal(ByteReader block, int code, long end)
      throws MalformedRequestException, PayloadTooLargeException {
    long length =
        1
            + switch (code - MAX_SHORT_LITERAL) {
              case 1 -> (long) block.u8();
              case 2 -> (long) block.u16();
              case 3 -> (long) block.u24();
              case 4 -> block.u32();
              default -> (long) code;
            };
    requireWithin(length, end);
    int from = block.position();
    block.skip(length);
    out.append(block.array(), from, (int) length);
  }

  private void copy(int distance, int length, int start, long end)
      throws MalformedRequestException, PayloadTooLargeException {
    requireWithin(length, end);
    out.repeat(distance, length, start);
  }

  private void requireWithin(long length, long end) throws MalformedRequestException {
    if (length > end - out.length()) {
      throw malformed("a block holds more than it says");
    }
  }

  private static MalformedRequestException malformed(String what) {
    return Decompression.malformed(NAME, what);
  }
}
