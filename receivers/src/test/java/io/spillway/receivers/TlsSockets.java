package io.spillway.receivers;

import io.spillway.otlp.tls.TestCertificates;
import io.spillway.otlp.tls.TlsConfigException;
import io.spillway.otlp.tls.TlsFiles;
import io.spillway.otlp.tls.TlsPaths;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/** Opens TLS connections as a sender does. */
final class TlsSockets {
  private static final int READ_TIMEOUT_MILLIS = 15_000;
  private static final char[] NO_PASSWORD = new char[0];

  private final Path trusted;
  private final TestCertificates.@Nullable Identity own;

  /**
   * @param trusted whose certificate the server must show
   * @param own what the sender shows; null for nothing
   */
  TlsSockets(Path trusted, TestCertificates.@Nullable Identity own) {
    this.trusted = trusted;
    this.own = own;
  }

  /** Connects and shakes hands; {@code protocols} are offered by ALPN. */
  SSLSocket connect(InetSocketAddress address, String... protocols) throws IOException {
    SSLSocket socket = unshaken(address, protocols);
    try {
      socket.startHandshake();
    } catch (IOException e) {
      socket.close();
      throw e;
    }
    return socket;
  }

  /** Connects only. */
  SSLSocket unshaken(InetSocketAddress address, String... protocols) throws IOException {
    SSLSocket socket =
        (SSLSocket)
            context().getSocketFactory().createSocket(address.getAddress(), address.getPort());
    socket.setSoTimeout(READ_TIMEOUT_MILLIS);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setApplicationProtocols(protocols);
    socket.setSSLParameters(parameters);
    return socket;
  }

  /** The subject of the certificate that the server showed. */
  static X509Certificate shown(SSLSocket socket) throws IOException {
    return (X509Certificate) socket.getSession().getPeerCertificates()[0];
  }

  private SSLContext context() throws IOException {
    try {
      TlsFiles files =
          TlsFiles.read(
              new TlsPaths(
                  "trusted",
                  trusted,
                  own == null ? null : own.certificate(),
                  own == null ? null : own.key()));
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys(files.identity()), new TrustManager[] {files.trust()}, null);
      return context;
    } catch (TlsConfigException | GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  private static KeyManager @Nullable [] keys(TlsFiles.@Nullable Identity identity)
      throws GeneralSecurityException, IOException {
    if (identity == null) {
      return null;
    }
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setKeyEntry(
        "own", identity.key(), NO_PASSWORD, identity.chain().toArray(new X509Certificate[0]));
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, NO_PASSWORD);
    return factory.getKeyManagers();
  }
}
