package io.spillway.receivers;

import java.util.Locale;

/** Why a listener turned somebody away before there was a request to answer for. */
public enum TurnedAway {
  /** A connection over {@code max_connections}. */
  CONNECTION_LIMIT,
  /** A connection whose TLS handshake failed: no certificate, one of somebody else, no TLS. */
  HANDSHAKE,
  /** A request without credentials, or with wrong ones. */
  CREDENTIALS,
  /** A request that came while the file of credentials could not be read. */
  CREDENTIALS_UNREADABLE;

  private final String label = name().toLowerCase(Locale.ROOT);

  /** The value of the meter's tag. */
  public String label() {
    return label;
  }
}
