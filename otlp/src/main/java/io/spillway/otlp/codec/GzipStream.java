package io.spillway.otlp.codec;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression.Room;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.zip.CRC32;
import java.util.zip.Inflater;

/** Reads one gzip stream (RFC 1952) of any number of members. For one use, on one thread. */
final class GzipStream {

  private static final VarHandle INT_LE =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle SHORT_LE =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

  private static final NativePool<Inflater> INFLATERS =
      new NativePool<>(() -> new Inflater(true), Inflater::end);

  private static final NativePool<IsaLInflater> ISA_L_INFLATERS =
      new NativePool<>(
          () -> new IsaLInflater(Objects.requireNonNull(GzipLibrary.isaL())), IsaLInflater::close);

  private static final short MAGIC = (short) 0x8b1f;
  private static final int DEFLATE = 8;
  private static final int FHCRC = 2;
  private static final int FEXTRA = 4;
  private static final int FNAME = 8;
  private static final int FCOMMENT = 16;
  private static final int RESERVED_FLAGS = 0xe0;
  private static final int FIXED_HEADER_BYTES = 10;
  private static final int TRAILER_BYTES = 8;

  /**
   * How far the length that the last member claims is believed when the first buffer is made;
   * telemetry rarely shrinks further, and a lie must not cost much.
   */
  private static final int TRUSTED_RATIO = 32;

  /**
   * So many times as long as a member must its content be, for the member to be as good as what we
   * would make of it. Telemetry shrinks to a quarter or less; who sends more has not really
   * compressed.
   */
  private static final int GOOD_RATIO = 2;

  private static final String NAME = "gzip";

  private final Slice input;
  private final byte[] in;
  private final int inStart;
  private final int inEnd;
  private final CRC32 crc = new CRC32();
  private final BoundedOutput out;
  private int pos;
  private int members;
  private boolean hasPlainHeaders = true;

  GzipStream(Slice bytes, int maxBytes, Room room) {
    this.input = bytes;
    this.in = bytes.array();
    this.inStart = bytes.offset();
    this.pos = inStart;
    this.inEnd = inStart + bytes.length();
    this.out = new BoundedOutput(NAME, trustedBytes(bytes), maxBytes, room);
  }

  private static long trustedBytes(Slice bytes) {
    long claimed =
        bytes.length() < FIXED_HEADER_BYTES + TRAILER_BYTES
            ? 0
            : GzipMembers.lastLength(bytes) & 0xffff_ffffL;
    return Math.min(claimed, (long) bytes.length() * TRUSTED_RATIO);
  }

  /** What {@link #decompress} makes, with the input beside it if that may be stored as it is. */
  RequestBytes decompressKeeping() throws MalformedRequestException, PayloadTooLargeException {
    Slice plain = decompress();
    boolean isGood = (long) input.length() * GOOD_RATIO <= plain.length();
    return new RequestBytes(plain, members == 1 && hasPlainHeaders && isGood ? input : null);
  }

  Slice decompress() throws MalformedRequestException, PayloadTooLargeException {
    do {
      header();
      int start = out.length();
      if (GzipLibrary.isaL() == null || !inflateByIsaL()) {
        out.cut(start);
        inflate();
      }
      trailer(start);
      members++;
    } while (pos < inEnd);
    return out.finish();
  }

  /** False if the member is not accepted, or is too long; the JDK then says which and why. */
  private boolean inflateByIsaL() throws PayloadTooLargeException {
    IsaLInflater inflater = ISA_L_INFLATERS.take();
    try {
      int end = inflater.inflate(in, pos, inEnd, out);
      if (end == IsaLInflater.REFUSED) {
        return false;
      }
      pos = end;
      return true;
    } finally {
      ISA_L_INFLATERS.give(inflater);
    }
  }

  private void inflate() throws MalformedRequestException, PayloadTooLargeException {
    Inflater inflater = INFLATERS.take();
    try {
      inflater.setInput(in, pos, inEnd - pos);
      out.inflate(inflater);
      pos = inEnd - inflater.getRemaining();
    } finally {
      // Also lets go of the input array.
      inflater.reset();
      INFLATERS.give(inflater);
    }
  }

  private void header() throws MalformedRequestException {
    int start = pos;
    require(FIXED_HEADER_BYTES);
    if ((short) SHORT_LE.get(in, pos) != MAGIC) {
      throw malformed(start == inStart ? "not gzip" : "junk after the last member");
    }
    if (in[pos + 2] != DEFLATE) {
      throw malformed("unknown method " + (in[pos + 2] & 0xff) + " (expected 8, deflate)");
    }
    int flags = in[pos + 3];
    if ((flags & RESERVED_FLAGS) != 0) {
      throw malformed("reserved header flags are set");
    }
    hasPlainHeaders &= flags == 0;
    pos += FIXED_HEADER_BYTES;
    if ((flags & FEXTRA) != 0) {
      require(2);
      int extra = (short) SHORT_LE.get(in, pos) & 0xffff;
      pos += 2;
      require(extra);
      pos += extra;
    }
    if ((flags & FNAME) != 0) {
      skipText();
    }
    if ((flags & FCOMMENT) != 0) {
      skipText();
    }
    if ((flags & FHCRC) != 0) {
      headerChecksum(start);
    }
  }

  private void skipText() throws MalformedRequestException {
    do {
      require(1);
    } while (in[pos++] != 0);
  }

  private void headerChecksum(int start) throws MalformedRequestException {
    require(2);
    crc.reset();
    crc.update(in, start, pos - start);
    if ((short) SHORT_LE.get(in, pos) != (short) crc.getValue()) {
      throw malformed("header checksum does not match");
    }
    pos += 2;
  }

  private void trailer(int start) throws MalformedRequestException {
    require(TRAILER_BYTES);
    crc.reset();
    int length = out.length() - start;
    crc.update(out.array(), start, length);
    if ((int) INT_LE.get(in, pos) != (int) crc.getValue()) {
      throw malformed("checksum does not match");
    }
    int claimed = (int) INT_LE.get(in, pos + 4);
    if (claimed != length) {
      throw malformed(
          "a member of %d bytes says it has %d".formatted(length, claimed & 0xffff_ffffL));
    }
    pos += TRAILER_BYTES;
  }

  private void require(int bytes) throws MalformedRequestException {
    if (inEnd - pos < bytes) {
      throw malformed("truncated");
    }
  }

  private static MalformedRequestException malformed(String what) {
    return Decompression.malformed(NAME, what);
  }
}
