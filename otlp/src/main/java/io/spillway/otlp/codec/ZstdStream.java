package io.spillway.otlp.codec;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression.Room;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Reads one run of zstd frames (RFC 8878). For one use, on one thread.
 *
 * <p>A first walk over frame and block headers finds how many bytes the frames can yield at most,
 * whatever they claim; then all frames are decoded in one call into one array. That call needs no
 * window of its own, so the window a frame asks for costs nothing.
 */
final class ZstdStream {

  private static final VarHandle INT_LE =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG_LE =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final NativePool<ZstdDecompressCtx> CONTEXTS =
      new NativePool<>(ZstdDecompressCtx::new, ZstdDecompressCtx::close);

  private static final int MAGIC = 0xfd2f_b528;
  private static final int SKIPPABLE_MAGIC = 0x184d_2a50;
  private static final int SKIPPABLE_MASK = 0xffff_fff0;
  private static final int CHECKSUM_BYTES = 4;
  private static final int BLOCK_HEADER_BYTES = 3;
  private static final int MAX_BLOCK_BYTES = 128 * 1024;
  private static final int[] DICTIONARY_ID_BYTES = {0, 1, 2, 4};
  private static final int[] CONTENT_SIZE_BYTES = {0, 2, 4, 8};
  private static final long UNKNOWN = -1;

  private final Slice bytes;
  private final byte[] in;
  private final int inEnd;
  private final int maxBytes;
  private final Room room;
  private int pos;

  ZstdStream(Slice bytes, int maxBytes, Room room) {
    this.bytes = bytes;
    this.in = bytes.array();
    this.pos = bytes.offset();
    this.inEnd = bytes.offset() + bytes.length();
    this.maxBytes = maxBytes;
    this.room = room;
  }

  Slice decompress() throws MalformedRequestException, PayloadTooLargeException {
    long most = 0;
    do {
      most += frame();
    } while (pos < inEnd);
    int expected = (int) Math.min(most, maxBytes);
    Decompression.require(room, expected);
    byte[] out = new byte[expected];
    ZstdDecompressCtx context = CONTEXTS.take();
    try {
      int length =
          context.decompressByteArray(
              out, 0, out.length, bytes.array(), bytes.offset(), bytes.length());
      return Decompression.trimmed(out, length);
    } catch (ZstdException e) {
      if (most > maxBytes && e.getErrorCode() == Zstd.errDstSizeTooSmall()) {
        throw Decompression.tooLarge("zstd", maxBytes);
      }
      throw malformed("damaged: " + e.getMessage());
    } finally {
      CONTEXTS.give(context);
    }
  }

  /** Steps over one frame; returns how many bytes it can yield at most. */
  private long frame() throws MalformedRequestException, PayloadTooLargeException {
    require(8);
    int magic = (int) INT_LE.get(in, pos);
    if ((magic & SKIPPABLE_MASK) == SKIPPABLE_MAGIC) {
      long size = (int) INT_LE.get(in, pos + 4) & 0xffff_ffffL;
      pos += 8;
      require(size);
      pos += (int) size;
      return 0;
    }
    if (magic != MAGIC) {
      throw malformed(pos == bytes.offset() ? "not zstd" : "junk after the last frame");
    }
    int descriptor = in[pos + 4];
    pos += 5;
    long claimed = contentSize(descriptor);
    if (claimed > maxBytes) {
      throw Decompression.tooLarge("zstd", maxBytes);
    }
    long most = blocks();
    if ((descriptor & 4) != 0) {
      require(CHECKSUM_BYTES);
      pos += CHECKSUM_BYTES;
    }
    return claimed == UNKNOWN ? most : Math.min(claimed, most);
  }

  /** Reads the frame header behind the descriptor; the size it claims, or {@link #UNKNOWN}. */
  private long contentSize(int descriptor) throws MalformedRequestException {
    boolean singleSegment = (descriptor & 0x20) != 0;
    if ((descriptor & 8) != 0) {
      throw malformed("a reserved bit is set");
    }
    int window = singleSegment ? 0 : 1;
    int dictionary = DICTIONARY_ID_BYTES[descriptor & 3];
    int sizeFlag = (descriptor >> 6) & 3;
    int size = sizeFlag == 0 && singleSegment ? 1 : CONTENT_SIZE_BYTES[sizeFlag];
    require(window + dictionary + size);
    pos += window;
    for (int i = 0; i < dictionary; i++) {
      if (in[pos++] != 0) {
        throw malformed("needs a dictionary (expected none)");
      }
    }
    int at = pos;
    pos += size;
    return switch (size) {
      case 0 -> UNKNOWN;
      case 1 -> in[at] & 0xff;
      case 2 -> ((in[at] & 0xff) | (in[at + 1] & 0xff) << 8) + 256;
      case 4 -> (int) INT_LE.get(in, at) & 0xffff_ffffL;
      default -> {
        long unsigned = (long) LONG_LE.get(in, at);
        yield unsigned < 0 ? Long.MAX_VALUE : unsigned;
      }
    };
  }

  private long blocks() throws MalformedRequestException {
    long most = 0;
    boolean last;
    do {
      require(BLOCK_HEADER_BYTES);
      int header = (in[pos] & 0xff) | (in[pos + 1] & 0xff) << 8 | (in[pos + 2] & 0xff) << 16;
      pos += BLOCK_HEADER_BYTES;
      last = (header & 1) != 0;
      int size = header >> 3;
      if (size > MAX_BLOCK_BYTES) {
        throw malformed(
            "a block of %d bytes (expected at most %d)".formatted(size, MAX_BLOCK_BYTES));
      }
      int stored =
          switch ((header >> 1) & 3) {
            case 0 -> size; // raw
            case 1 -> 1; // one byte, repeated
            case 2 -> size; // compressed
            default -> throw malformed("a block of the reserved type");
          };
      most += ((header >> 1) & 3) == 2 ? MAX_BLOCK_BYTES : size;
      require(stored);
      pos += stored;
    } while (!last);
    return most;
  }

  private void require(long bytes) throws MalformedRequestException {
    if (inEnd - pos < bytes) {
      throw malformed("truncated");
    }
  }

  private static MalformedRequestException malformed(String what) {
    return Decompression.malformed("zstd", what);
  }
}
