package io.spillway.otlp.rpc;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import java.math.BigDecimal;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The {@code google.rpc.RetryInfo} detail of a status. Delays are kept within what {@code
 * google.protobuf.Duration} allows, and not below 0.
 */
final class RetryInfo {

  static final String TYPE_URL = "type.googleapis.com/google.rpc.RetryInfo";

  private static final String TYPE_SUFFIX = "/google.rpc.RetryInfo";
  private static final int RETRY_DELAY = 0x0a;
  private static final int SECONDS = 0x08;
  private static final int NANOS = 0x10;

  /** About 10 000 years: google/protobuf/duration.proto. */
  private static final long MAX_SECONDS = 315_576_000_000L;

  private static final int MAX_NANOS = 999_999_999;
  private static final int MAX_JSON_CHARS = 64;

  private RetryInfo() {}

  /** The part behind the last slash names the type; what is before it is free. */
  static boolean isType(String typeUrl) {
    return typeUrl.endsWith(TYPE_SUFFIX);
  }

  static byte[] toProtobuf(Duration delay) {
    Duration valid = clamp(delay);
    byte[] duration =
        new FieldWriter()
            .varint(SECONDS, valid.toSeconds())
            .varint(NANOS, valid.toNanosPart())
            .toByteArray();
    return new FieldWriter().message(RETRY_DELAY, duration).toByteArray();
  }

  static Duration parse(Slice protobuf) throws MalformedRequestException {
    long seconds = 0;
    long nanos = 0;
    FieldReader info = new FieldReader(protobuf);
    while (info.next()) {
      if (info.tag() != RETRY_DELAY) {
        info.skip();
        continue;
      }
      FieldReader duration = new FieldReader(info.bytes());
      while (duration.next()) {
        switch (duration.tag()) {
          case SECONDS -> seconds = duration.varint();
          case NANOS -> nanos = (int) duration.varint();
          default -> duration.skip();
        }
      }
    }
    return of(seconds, nanos);
  }

  /** Seconds with 0, 3, 6 or 9 decimals and an {@code s}: {@code 1.500s}. */
  static String toJson(Duration delay) {
    Duration valid = clamp(delay);
    int nanos = valid.toNanosPart();
    String seconds = Long.toString(valid.toSeconds());
    if (nanos == 0) {
      return seconds + "s";
    }
    if (nanos % 1_000_000 == 0) {
      return "%s.%03ds".formatted(seconds, nanos / 1_000_000);
    }
    return nanos % 1000 == 0
        ? "%s.%06ds".formatted(seconds, nanos / 1000)
        : "%s.%09ds".formatted(seconds, nanos);
  }

  /** Null if it is no duration. */
  static @Nullable Duration parseJson(String text) {
    if (!text.endsWith("s") || text.length() > MAX_JSON_CHARS) {
      return null;
    }
    try {
      BigDecimal seconds = new BigDecimal(text.substring(0, text.length() - 1));
      if (seconds.compareTo(BigDecimal.valueOf(MAX_SECONDS)) > 0) {
        return Duration.ofSeconds(MAX_SECONDS);
      }
      if (seconds.signum() <= 0 || seconds.scale() > MAX_JSON_CHARS) {
        return Duration.ZERO;
      }
      long whole = seconds.longValue();
      BigDecimal fraction = seconds.subtract(BigDecimal.valueOf(whole));
      return of(whole, fraction.movePointRight(9).longValue());
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static Duration of(long seconds, long nanos) {
    if (seconds < 0) {
      return Duration.ZERO;
    }
    long validNanos = Math.clamp(nanos, 0, MAX_NANOS);
    return clamp(Duration.ofSeconds(Math.min(seconds, MAX_SECONDS), validNanos));
  }

  private static Duration clamp(Duration delay) {
    if (delay.isNegative()) {
      return Duration.ZERO;
    }
    return delay.toSeconds() >= MAX_SECONDS ? Duration.ofSeconds(MAX_SECONDS) : delay;
  }
}
