package io.spillway.otlp.codec;

import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression.Room;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** What an ISA-L must get right before it is trusted: a known text, both ways, against the JDK. */
final class IsaLCheck {
  /** More than one native buffer, both of input and of output. */
  private static final int TEXT_BYTES = 80_000;

  private static final int NOISE_BYTES = 70_000;
  private static final byte[] WORDS =
      "GET /orders/{id}/items 200; POST /cart 503; ".getBytes(StandardCharsets.US_ASCII);

  /** Stands for what follows a stream. */
  private static final int BEHIND_BYTES = 8;

  private IsaLCheck() {}

  /**
   * @throws IllegalStateException if it fails, naming what
   */
  static void run(IsaL isaL) throws DataFormatException, PayloadTooLargeException {
    byte[] plain = plain();
    try (IsaLDeflater deflater = new IsaLDeflater(isaL);
        IsaLInflater inflater = new IsaLInflater(isaL)) {
      require(
          Arrays.equals(plain, inflate(deflate(deflater, plain), plain.length)),
          "the JDK does not read back what it deflates");
      byte[] deflated = deflate(plain);
      int end = deflated.length - BEHIND_BYTES;
      BoundedOutput out = new BoundedOutput("gzip", 0, plain.length, Room.ENDLESS);
      require(
          inflater.inflate(deflated, 0, deflated.length, out) == end
              && Arrays.equals(plain, out.finish().toByteArray()),
          "it does not read what the JDK deflates");
      BoundedOutput part = new BoundedOutput("gzip", 0, plain.length, Room.ENDLESS);
      require(
          inflater.inflate(deflated, 0, end - 1, part) == IsaLInflater.REFUSED,
          "it takes a part for the whole");
    }
  }

  private static byte[] plain() {
    byte[] plain = new byte[TEXT_BYTES + NOISE_BYTES];
    for (int i = 0; i < TEXT_BYTES; i++) {
      plain[i] = WORDS[(i + i / 999) % WORDS.length];
    }
    byte[] noise = new byte[NOISE_BYTES];
    new SplittableRandom(1).nextBytes(noise);
    System.arraycopy(noise, 0, plain, TEXT_BYTES, NOISE_BYTES);
    return plain;
  }

  private static byte[] deflate(IsaLDeflater deflater, byte[] plain) {
    ByteArrayOutputStream deflated = new ByteArrayOutputStream(plain.length);
    deflater.deflate(
        Slice.of(plain),
        (bytes, count) -> {
          byte[] copy = new byte[count];
          bytes.get(0, copy);
          deflated.writeBytes(copy);
        });
    return deflated.toByteArray();
  }

  private static byte[] deflate(byte[] plain) {
    try (Deflater deflater = new Deflater(1, true)) {
      byte[] deflated = new byte[plain.length + 1024];
      deflater.setInput(plain);
      deflater.finish();
      return Arrays.copyOf(deflated, deflater.deflate(deflated) + BEHIND_BYTES);
    }
  }

  private static byte[] inflate(byte[] deflated, int length) throws DataFormatException {
    try (Inflater inflater = new Inflater(true)) {
      byte[] plain = new byte[length + 1];
      inflater.setInput(deflated);
      return Arrays.copyOf(plain, inflater.inflate(plain));
    }
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new IllegalStateException(what);
    }
  }
}
