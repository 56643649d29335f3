package io.spillway.otlp.codec;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import java.util.Arrays;

/**
 * What a decoder has made so far: one array that grows with what is really there, up to a limit.
 * For one thread.
 */
final class BoundedOutput {
  /** How far beyond the input the first array reaches; an output seldom is smaller. */
  private static final int FIRST_RATIO = 4;

  private static final int FIRST_BYTES = 1024;

  private final String encoding;
  private final int maxBytes;
  private byte[] bytes;
  private int length;

  BoundedOutput(String encoding, int inputBytes, int maxBytes) {
    this.encoding = encoding;
    this.maxBytes = maxBytes;
    long first = Math.max(FIRST_BYTES, (long) inputBytes * FIRST_RATIO);
    this.bytes = new byte[(int) Math.min(maxBytes, first)];
  }

  int length() {
    return length;
  }

  /** The array; what lies behind {@link #length} may be written up to what was made room for. */
  byte[] array() {
    return bytes;
  }

  /** Makes room for more bytes behind the end. */
  void require(int more) throws PayloadTooLargeException {
    if (more > maxBytes - length) {
      throw Decompression.tooLarge(encoding, maxBytes);
    }
    if (more > bytes.length - length) {
      long doubled = 2L * bytes.length;
      bytes = Arrays.copyOf(bytes, (int) Math.min(maxBytes, Math.max(doubled, length + more)));
    }
  }

  /** Makes room for at least one byte; returns for how many there is. */
  int room() throws PayloadTooLargeException {
    require(1);
    return bytes.length - length;
  }

  boolean isFull() {
    return length == maxBytes;
  }

  /** Bytes were written behind the end. */
  void advance(int written) {
    length += written;
  }

  void append(byte[] from, int offset, int count) throws PayloadTooLargeException {
    require(count);
    System.arraycopy(from, offset, bytes, length, count);
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
