package io.spillway.otlp.codec;

import io.spillway.otlp.Codec;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;

/**
 * Decompresses with a limit; several gzip members or zstd frames in a row are one stream. Safe on
 * any thread.
 */
public final class Decompression {

  private Decompression() {}

  /**
   * @param maxBytes limit on the result; memory use stays near it whatever the input claims
   * @throws MalformedRequestException if the stream is damaged, truncated, followed by junk, or
   *     fails its checksum
   * @throws PayloadTooLargeException if the result would exceed {@code maxBytes}
   */
  public static Slice decompress(Codec codec, Slice bytes, int maxBytes)
      throws MalformedRequestException, PayloadTooLargeException {
    throw new UnsupportedOperationException();
  }
}
