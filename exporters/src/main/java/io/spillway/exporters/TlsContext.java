package io.spillway.exporters;

import io.netty.handler.ssl.SslContext;
import java.security.cert.X509Certificate;
import org.jspecify.annotations.Nullable;

/**
 * What connections are encrypted with.
 *
 * @param own the exporter's own certificate; null if it has none
 */
record TlsContext(SslContext context, @Nullable X509Certificate own) {

  /** What is spoken inside. */
  enum Use {
    /** HTTP/1.1. */
    HTTP,
    /** HTTP/2, which is negotiated. */
    GRPC
  }
}
