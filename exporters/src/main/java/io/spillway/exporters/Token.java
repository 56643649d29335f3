package io.spillway.exporters;

import java.util.Objects;

/**
 * A bearer token. The value is a secret: it is never printed.
 *
 * @param lifetimeNanos from when it was given; {@link #ENDLESS} if the server did not say
 */
record Token(String value, long lifetimeNanos) {
  /** 36 years: sums with it do not overflow. */
  static final long ENDLESS = Long.MAX_VALUE / 8;

  Token {
    Objects.requireNonNull(value);
  }

  @Override
  public String toString() {
    return "Token[REDACTED]";
  }
}
