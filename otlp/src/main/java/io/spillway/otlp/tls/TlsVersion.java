package io.spillway.otlp.tls;

import org.jspecify.annotations.Nullable;

/** A version of TLS. */
public enum TlsVersion {
  TLS_1_2("1.2", "TLSv1.3", "TLSv1.2"),
  TLS_1_3("1.3", "TLSv1.3");

  private final String text;
  private final String names;

  TlsVersion(String text, String... names) {
    this.text = text;
    this.names = String.join(",", names);
  }

  /** The version that is written so in the configuration; null if it is none. */
  public static @Nullable TlsVersion parse(String text) {
    for (TlsVersion version : values()) {
      if (version.text.equals(text)) {
        return version;
      }
    }
    return null;
  }

  /** As it is written in the configuration. */
  public String text() {
    return text;
  }

  /** What is spoken if this is the oldest, in the JDK's names, best first. */
  public String[] protocols() {
    return names.split(",", -1);
  }
}
