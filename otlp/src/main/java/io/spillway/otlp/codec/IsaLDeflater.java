package io.spillway.otlp.codec;

import io.spillway.otlp.Slice;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Makes raw deflate streams (RFC 1951) by ISA-L, through native buffers of a fixed size that stay
 * in the processor's cache. For one thread at a time; whichever closes it.
 *
 * <p>Offsets are those of {@code struct isal_zstream} in igzip_lib.h:
 *
 * <pre>
 *    0 next_in         8 avail_in    16 next_out       24 avail_out
 *   40 level          44 level_buf_size                48 level_buf
 *   56 end_of_stream (16 bits)       58 flush, 60 gzip_flag, 62 hist_bits: as init leaves them
 * </pre>
 */
final class IsaLDeflater implements AutoCloseable {
  private static final int NEXT_IN = 0;
  private static final int AVAIL_IN = 8;
  private static final int NEXT_OUT = 16;
  private static final int AVAIL_OUT = 24;
  private static final int LEVEL = 40;
  private static final int LEVEL_BUF_SIZE = 44;
  private static final int LEVEL_BUF = 48;
  private static final int END_OF_STREAM = 56;

  private static final int FASTEST_LEVEL = 1;

  /** {@code ISAL_DEF_LVL1_DEFAULT}. */
  private static final int LEVEL_BUFFER_BYTES = 282_624;

  private final IsaL library;
  private final IsaLBuffers buffers = new IsaLBuffers();
  private final MemorySegment level = buffers.allocate(LEVEL_BUFFER_BYTES);

  IsaLDeflater(IsaL library) {
    this.library = library;
  }

  /** Takes what was deflated. */
  @FunctionalInterface
  interface Target {
    /**
     * @param bytes the first count bytes, valid during the call
     */
    void append(ByteBuffer bytes, int count);
  }

  /** Appends one whole stream to the target. */
  void deflate(Slice bytes, Target target) {
    library.deflateInit(buffers.struct);
    buffers.fields.putInt(LEVEL, FASTEST_LEVEL);
    buffers.fields.putInt(LEVEL_BUF_SIZE, LEVEL_BUFFER_BYTES);
    buffers.fields.putLong(LEVEL_BUF, level.address());
    int at = bytes.offset();
    int end = at + bytes.length();
    do {
      at += buffers.feed(bytes.array(), at, end, NEXT_IN, AVAIL_IN);
      buffers.fields.putShort(END_OF_STREAM, (short) (at == end ? 1 : 0));
      drain(target);
    } while (at < end);
  }

  /** Deflates what is in the input buffer. */
  private void drain(Target target) {
    int made;
    do {
      buffers.empty(NEXT_OUT, AVAIL_OUT);
      int code = library.deflate(buffers.struct);
      if (code != IsaL.OK) {
        throw new IllegalStateException("isal_deflate: code " + code);
      }
      made = buffers.made(AVAIL_OUT);
      target.append(buffers.outBytes, made);
      // A full buffer may not be all.
    } while (made == IsaLBuffers.BYTES);
  }

  @Override
  public void close() {
    buffers.close();
  }
}
