package io.spillway.otlp.tls;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where the files of one TLS configuration lie. Files are PEM.
 *
 * @param caKey the key of the configuration that {@code ca} stands at, for messages
 * @param ca certificates to trust
 * @param cert our own certificate chain; given together with {@code key}
 * @param key its private key, PKCS#8, not encrypted
 */
public record TlsPaths(String caKey, @Nullable Path ca, @Nullable Path cert, @Nullable Path key) {

  /** Whether there are files that may change. */
  public boolean any() {
    return ca != null || cert != null;
  }
}
