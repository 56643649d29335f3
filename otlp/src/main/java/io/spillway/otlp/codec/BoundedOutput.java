package io.spillway.otlp.codec;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression.Room;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * What a decoder has made so far: one array that grows with what is really there, up to a limit.
 * For one thread.
 */
final class BoundedOutput {
  /** How far beyond the input the first array reaches; an output seldom is smaller. */
  private static final int USUAL_RATIO = 4;

  private static final int FIRST_BYTES = 1024;

  private final String encoding;
  private final int maxBytes;
  private final Room room;
  private byte[] bytes;
  private int length;

  /**
   * @param expected bytes for which there is room at first, within the limit
   */
  BoundedOutput(String encoding, long expected, int maxBytes, Room room) {
    this.encoding = encoding;
    this.maxBytes = maxBytes;
    this.room = room;
    int first = (int) Math.min(maxBytes, Math.max(FIRST_BYTES, expected));
    Decompression.require(room, first);
    this.bytes = new byte[first];
  }

  /** Has room at first for what an input usually becomes. */
  static BoundedOutput of(String encoding, Slice input, int maxBytes, Room room) {
    return new BoundedOutput(encoding, (long) input.length() * USUAL_RATIO, maxBytes, room);
  }

  int length() {
    return length;
  }

  /** How many bytes more it takes at most. */
  int left() {
    return maxBytes - length;
  }

  /** Forgets what is behind a length it had before. */
  void cut(int shorter) {
    length = shorter;
  }

  /** The array, of which {@link #length} bytes count. */
  byte[] array() {
    return bytes;
  }

  /** Makes room for more bytes behind the end. */
  void require(int more) throws PayloadTooLargeException {
    if (more > maxBytes - length) {
      throw Decompression.tooLarge(encoding, maxBytes);
    }
    if (more > bytes.length - length) {
      int larger = (int) Math.min(maxBytes, Math.max(2L * bytes.length, (long) length + more));
      Decompression.require(room, (long) bytes.length + larger);
      bytes = Arrays.copyOf(bytes, larger);
    }
  }

  /** Appends what an inflater makes of the rest of its input, up to the end of its stream. */
  void inflate(Inflater inflater) throws MalformedRequestException, PayloadTooLargeException {
    try {
      while (!inflater.finished()) {
        int n;
        if (length == maxBytes) {
          // Only the end of the stream may follow.
          n = inflater.inflate(new byte[1]);
          require(n);
        } else {
          require(1);
          n = inflater.inflate(bytes, length, bytes.length - length);
          length += n;
        }
        if (n == 0 && !inflater.finished()) {
          throw Decompression.malformed(
              encoding,
              inflater.needsDictionary() ? "needs a dictionary (expected none)" : "truncated");
        }
      }
    } catch (DataFormatException e) {
      throw Decompression.malformed(encoding, "damaged: " + e.getMessage());
    }
  }

  void append(byte[] from, int offset, int count) throws PayloadTooLargeException {
    require(count);
    System.arraycopy(from, offset, bytes, length, count);
    length += count;
  }

  /** Appends the first bytes of a buffer. */
  void append(ByteBuffer from, int count) throws PayloadTooLargeException {
    require(count);
    from.get(0, bytes, length, count);
    length += count;
  }

  /**
   * Repeats what stands {@code distance} bytes before the end; the two may overlap, which repeats a
   * pattern.
   *
   * @param start what lies before it may not be referred to
   */
  void repeat(int distance, int count, int start)
      throws MalformedRequestException, PayloadTooLargeException {
    if (distance <= 0 || distance > length - start) {
      throw Decompression.malformed(encoding, "damaged: refers to bytes before its start");
    }
    require(count);
    int from = length - distance;
    int done = 0;
    while (done < count) {
      // Each step may copy all that stands there by now.
      int step = Math.min(count - done, length + done - from);
      System.arraycopy(bytes, from, bytes, length + done, step);
      done += step;
    }
    length += count;
  }

  Slice finish() {
    return Decompression.trimmed(bytes, length);
  }
}
