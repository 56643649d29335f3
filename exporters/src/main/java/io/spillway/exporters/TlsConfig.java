package io.spillway.exporters;

import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How a sink proves who it is, and the exporter likewise. Files are PEM.
 *
 * @param skipVerify takes any certificate of any host
 * @param caFile certificates to trust instead of the JDK's
 * @param certFile the exporter's own certificate chain; given together with {@code keyFile}
 * @param keyFile its private key, PKCS#8, not encrypted
 * @param serverName the name expected in the sink's certificate, instead of the endpoint's host
 */
record TlsConfig(
    boolean skipVerify,
    @Nullable Path caFile,
    @Nullable Path certFile,
    @Nullable Path keyFile,
    @Nullable String serverName) {

  static final TlsConfig DEFAULT = new TlsConfig(false, null, null, null, null);

  /** Whether anything is set, which makes no sense without TLS. */
  boolean isSet() {
    return !equals(DEFAULT);
  }

  /** A context for HTTP/1.1. */
  SslContext forHttp() throws TlsConfigException {
    return build(builder());
  }

  /** A context that negotiates HTTP/2. */
  SslContext forGrpc() throws TlsConfigException {
    return build(GrpcSslContexts.configure(builder(), SslProvider.JDK));
  }

  private SslContextBuilder builder() throws TlsConfigException {
    SslContextBuilder builder =
        SslContextBuilder.forClient()
            .sslProvider(SslProvider.JDK)
            .endpointIdentificationAlgorithm("HTTPS");
    trust(builder);
    identify(builder);
    return builder;
  }

  private void trust(SslContextBuilder builder) throws TlsConfigException {
    if (skipVerify) {
      builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
      return;
    }
    if (caFile == null) {
      return;
    }
    try (InputStream ca = Files.newInputStream(caFile)) {
      builder.trustManager(ca);
    } catch (IOException e) {
      throw new TlsConfigException("ca_file", unreadable(caFile, e));
    } catch (IllegalArgumentException e) {
      throw new TlsConfigException("ca_file", caFile + " holds no certificate in PEM");
    }
  }

  private void identify(SslContextBuilder builder) throws TlsConfigException {
    if (certFile == null || keyFile == null) {
      return;
    }
    requireReadable("cert_file", certFile);
    requireReadable("key_file", keyFile);
    try (InputStream cert = Files.newInputStream(certFile);
        InputStream key = Files.newInputStream(keyFile)) {
      builder.keyManager(cert, key);
    } catch (IOException e) {
      throw new TlsConfigException("cert_file", unreadable(certFile, e));
    } catch (IllegalArgumentException e) {
      throw new TlsConfigException(
          "cert_file",
          certFile
              + " and "
              + keyFile
              + " are not a certificate and its key (expected PEM, the key in PKCS#8 and not"
              + " encrypted)");
    }
  }

  private static void requireReadable(String key, Path file) throws TlsConfigException {
    try (InputStream in = Files.newInputStream(file)) {
      if (in.read() < 0) {
        throw new TlsConfigException(key, file + " is empty (expected PEM)");
      }
    } catch (IOException e) {
      throw new TlsConfigException(key, unreadable(file, e));
    }
  }

  private static String unreadable(Path file, IOException e) {
    return "cannot read " + file + " (" + e.getClass().getSimpleName() + ")";
  }

  private static SslContext build(SslContextBuilder builder) throws TlsConfigException {
    try {
      return builder.build();
    } catch (IOException | IllegalArgumentException e) {
      throw new TlsConfigException("", "TLS cannot be set up: " + e.getMessage());
    }
  }
}
