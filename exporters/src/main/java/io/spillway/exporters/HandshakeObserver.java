package io.spillway.exporters;

import java.security.cert.X509Certificate;

/** Hears of the certificates that are shown in handshakes, on the thread of the connection. */
interface HandshakeObserver {
  /** For contexts that nobody connects with. */
  HandshakeObserver NONE = (place, leaf) -> {};

  /**
   * The other side showed a certificate, not yet judged.
   *
   * @param place {@code host:port} as verified
   */
  void shown(String place, X509Certificate leaf);
}
