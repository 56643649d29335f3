package io.spillway.exporters;

import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.spillway.otlp.tls.TlsConfigException;
import io.spillway.otlp.tls.TlsFiles;
import java.io.IOException;
import java.security.cert.X509Certificate;
import javax.net.ssl.X509ExtendedTrustManager;
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

  /** Makes a context of what the files of a configuration hold. */
  static TlsContext of(TlsFiles files, TlsConfig config, Use use, HandshakeObserver observer)
      throws TlsConfigException {
    X509ExtendedTrustManager judge = config.skipVerify() ? anyone() : files.trust();
    TlsFiles.Identity identity = files.identity();
    try {
      SslContextBuilder builder =
          SslContextBuilder.forClient()
              .sslProvider(SslProvider.JDK)
              .endpointIdentificationAlgorithm("HTTPS")
              .trustManager(new ObservedTrust(judge, observer));
      if (identity != null) {
        builder.keyManager(identity.key(), identity.chain());
      }
      if (use == Use.GRPC) {
        GrpcSslContexts.configure(builder, SslProvider.JDK);
      }
      builder.protocols(config.minVersion().protocols());
      return new TlsContext(builder.build(), identity == null ? null : identity.certificate());
    } catch (IOException | IllegalArgumentException e) {
      throw new TlsConfigException("", "TLS cannot be set up: " + e.getMessage());
    }
  }

  private static X509ExtendedTrustManager anyone() {
    return (X509ExtendedTrustManager) InsecureTrustManagerFactory.INSTANCE.getTrustManagers()[0];
  }
}
