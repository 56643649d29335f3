package io.spillway.otlp.codec;

import io.spillway.otlp.Codec;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Slice;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * Decompresses with a limit; several gzip members or zstd frames in a row are one stream. Safe on
 * any thread.
 */
public final class Decompression {

  private Decompression() {}

  /** Asked before memory for a result is allocated. */
  @FunctionalInterface
  public interface Room {
    /** As much as the result may take. */
    Room ENDLESS = bytes -> true;

    /**
     * @param bytes of the result's array, and of the one before it while it grows
     * @return false to give up
     */
    boolean take(long bytes);
  }

  /**
   * The decompressed bytes; {@code NONE} returns the argument.
   *
   * @param maxBytes limit on the result; memory use stays near it whatever the input claims
   * @throws MalformedRequestException if the stream is empty, damaged, truncated, followed by junk,
   *     or fails its checksum
   * @throws PayloadTooLargeException if the result would exceed {@code maxBytes}
   */
  public static Slice decompress(Codec codec, Slice bytes, int maxBytes)
      throws MalformedRequestException, PayloadTooLargeException {
    return decompress(
        switch (codec) {
          case NONE -> Encoding.IDENTITY;
          case GZIP -> Encoding.GZIP;
          case ZSTD -> Encoding.ZSTD;
        },
        bytes,
        maxBytes);
  }

  /** As {@link #decompress(Codec, Slice, int)}, for all encodings that requests come in. */
  public static Slice decompress(Encoding encoding, Slice bytes, int maxBytes)
      throws MalformedRequestException, PayloadTooLargeException {
    return decompress(encoding, bytes, maxBytes, Room.ENDLESS);
  }

  /**
   * As above, as long as there is room.
   *
   * @throws NoRoomException if there is not
   */
  public static Slice decompress(Encoding encoding, Slice bytes, int maxBytes, Room room)
      throws MalformedRequestException, PayloadTooLargeException {
    if (maxBytes < 0) {
      throw new IllegalArgumentException("maxBytes: " + maxBytes + " (expected >= 0)");
    }
    return switch (encoding) {
      case IDENTITY -> identity(bytes, maxBytes);
      case GZIP -> new GzipStream(bytes, maxBytes, room).decompress();
      case ZSTD -> new ZstdStream(bytes, maxBytes, room).decompress();
      case ZLIB -> new ZlibStream(bytes, maxBytes, room).decompress();
      case SNAPPY -> new SnappyStream(bytes, maxBytes, room).decompress();
      case LZ4 -> new Lz4Stream(bytes, maxBytes, room).decompress();
    };
  }

  /**
   * As above, with the compressed bytes beside them where a lane may store these as they are: one
   * gzip member, with nothing in its header that a reader may stumble over, and about as short as
   * if it was compressed here.
   */
  public static RequestBytes request(Encoding encoding, Slice bytes, int maxBytes, Room room)
      throws MalformedRequestException, PayloadTooLargeException {
    return encoding == Encoding.GZIP
        ? new GzipStream(bytes, maxBytes, room).decompressKeeping()
        : RequestBytes.of(decompress(encoding, bytes, maxBytes, room));
  }

  /**
   * The decompressed bytes of a stream of members or frames, in constant memory. Reading throws
   * {@link java.io.EOFException} if it ends within one, and another exception if it is damaged. For
   * one thread.
   *
   * @param in closed with the result
   */
  public static InputStream stream(Codec codec, InputStream in) throws IOException {
    return switch (codec) {
      case NONE -> in;
      case GZIP -> new GzipInput(in);
      case ZSTD -> new ZstdInput(in);
    };
  }

  private static Slice identity(Slice bytes, int maxBytes) throws PayloadTooLargeException {
    if (bytes.length() > maxBytes) {
      throw new PayloadTooLargeException(
          "request: %d bytes (expected at most %d)".formatted(bytes.length(), maxBytes));
    }
    return bytes;
  }

  /** The first bytes of a buffer, copied only if that frees a good part of it. */
  static Slice trimmed(byte[] out, int length) {
    boolean copy = length < out.length - out.length / 8;
    return copy ? Slice.of(Arrays.copyOf(out, length)) : new Slice(out, 0, length);
  }

  static void require(Room room, long bytes) {
    if (!room.take(bytes)) {
      throw new NoRoomException(bytes);
    }
  }

  static PayloadTooLargeException tooLarge(String codec, int maxBytes) {
    return new PayloadTooLargeException(
        "request: its %s body decompresses to more than %d bytes (expected at most that)"
            .formatted(codec, maxBytes));
  }

  static MalformedRequestException malformed(String codec, String what) {
    return new MalformedRequestException("request: bad %s body: %s".formatted(codec, what));
  }
}
