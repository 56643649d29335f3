package io.spillway.otlp.codec;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How a request comes compressed. Wider than {@link io.spillway.otlp.Codec}, which is how data is
 * stored and sent: what comes in one of the others is stored as if it had come uncompressed. The
 * set is that of the OpenTelemetry Collector's servers.
 */
public enum Encoding {
  GZIP("gzip"),
  ZSTD("zstd"),
  /** RFC 1950; {@code deflate} in HTTP means this one too (RFC 9110 §8.4.1.2). */
  ZLIB("zlib"),
  /** A block or the framing format: senders use the one name for both. */
  SNAPPY("snappy"),
  /** The frame format. */
  LZ4("lz4"),
  IDENTITY("identity");

  /** What {@code Accept-Encoding} says of all of them. */
  public static final String ACCEPTED =
      "gzip, zstd, zlib, deflate, snappy, x-snappy-framed, lz4, identity";

  private final String token;

  Encoding(String token) {
    this.token = token;
  }

  /** The name on the wire and in error messages. */
  public String token() {
    return token;
  }

  /**
   * The encoding of a wire token in any case; absent and empty mean {@code identity}; null if
   * unknown.
   */
  public static @Nullable Encoding of(@Nullable String token) {
    if (token == null || token.isBlank()) {
      return IDENTITY;
    }
    return switch (token.trim().toLowerCase(Locale.ROOT)) {
      case "identity" -> IDENTITY;
      case "gzip" -> GZIP;
      case "zstd" -> ZSTD;
      case "zlib", "deflate" -> ZLIB;
      case "snappy", "x-snappy-framed" -> SNAPPY;
      case "lz4" -> LZ4;
      default -> null;
    };
  }
}
