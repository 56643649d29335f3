package io.spillway.otlp.codec;

import io.spillway.otlp.PayloadTooLargeException;

/**
 * Reads raw deflate streams (RFC 1951) by ISA-L, through native buffers of a fixed size. It only
 * says yes: what it does not accept is for the JDK's reader to judge, and to find words for. For
 * one thread at a time; whichever closes it.
 *
 * <p>Offsets are those of {@code struct inflate_state} in igzip_lib.h:
 *
 * <pre>
 *    0 next_out    8 avail_out    16 next_in    32 avail_in    36 read_in_length    21160 block_state
 * </pre>
 */
final class IsaLInflater implements AutoCloseable {
  /** The stream was not accepted. */
  static final int REFUSED = -1;

  private static final int NEXT_OUT = 0;
  private static final int AVAIL_OUT = 8;
  private static final int NEXT_IN = 16;
  private static final int AVAIL_IN = 32;

  /** In bits: what was taken from the input and not used yet. */
  private static final int READ_IN_LENGTH = 36;

  private static final int BLOCK_STATE = 21_160;

  /** {@code ISAL_BLOCK_FINISH}. */
  private static final int FINISHED = 5;

  private final IsaL library;
  private final IsaLBuffers buffers = new IsaLBuffers();

  IsaLInflater(IsaL library) {
    this.library = library;
  }

  /**
   * Appends what one stream holds.
   *
   * @param to where the input ends, of which the stream may be the beginning
   * @return where the stream ends; {@link #REFUSED} if it is damaged, cut short, or holds more than
   *     the target takes, which then may have got a part of it
   */
  int inflate(byte[] bytes, int from, int to, BoundedOutput target)
      throws PayloadTooLargeException {
    library.inflateInit(buffers.struct);
    int at = from;
    while (true) {
      at += buffers.feed(bytes, at, to, NEXT_IN, AVAIL_IN);
      if (!drain(target)) {
        return REFUSED;
      }
      if (buffers.fields.getInt(BLOCK_STATE) == FINISHED) {
        int unused = buffers.fields.getInt(AVAIL_IN) + buffers.fields.getInt(READ_IN_LENGTH) / 8;
        return at - unused;
      }
      if (at == to) {
        return REFUSED;
      }
    }
  }

  /** Inflates what is in the input buffer. False if it cannot be. */
  private boolean drain(BoundedOutput target) throws PayloadTooLargeException {
    int made;
    do {
      buffers.empty(NEXT_OUT, AVAIL_OUT);
      int code = library.inflate(buffers.struct);
      made = buffers.made(AVAIL_OUT);
      if (code != IsaL.OK || made > target.left()) {
        return false;
      }
      target.append(buffers.outBytes, made);
      // A full buffer may not be all.
    } while (made == IsaLBuffers.BYTES);
    return true;
  }

  @Override
  public void close() {
    buffers.close();
  }
}
