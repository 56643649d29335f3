package io.spillway.otlp;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A compression, named as in {@code Content-Encoding}, {@code grpc-encoding} and the configuration.
 */
public enum Codec {
  NONE("identity"),
  GZIP("gzip"),
  ZSTD("zstd");

  private final String encoding;

  Codec(String encoding) {
    this.encoding = encoding;
  }

  /** The token on the wire: {@code identity}, {@code gzip} or {@code zstd}. */
  public String encoding() {
    return encoding;
  }

  /**
   * The codec of a wire token in any case; absent and empty mean {@code identity}; null if unknown.
   */
  public static @Nullable Codec ofEncoding(@Nullable String token) {
    if (token == null || token.isBlank()) {
      return NONE;
    }
    return switch (token.trim().toLowerCase(Locale.ROOT)) {
      case "identity" -> NONE;
      case "gzip" -> GZIP;
      case "zstd" -> ZSTD;
      default -> null;
    };
  }
}
