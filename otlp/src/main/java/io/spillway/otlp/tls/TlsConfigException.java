package io.spillway.otlp.tls;

import java.io.Serial;

/** Says which key of {@code tls} cannot be used, and why. */
public final class TlsConfigException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  private final String key;
  private final String text;

  /**
   * @param key a key of {@code tls}; empty if the trouble lies between several
   */
  public TlsConfigException(String key, String message) {
    super(message);
    this.key = key;
    this.text = message;
  }

  public String key() {
    return key;
  }

  /** The message. */
  public String text() {
    return text;
  }
}
