package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.spillway.otlp.tls.TestCertificates;
import io.spillway.otlp.tls.TestCertificates.Identity;
import io.spillway.otlp.tls.TlsVersion;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Both listeners behind TLS, with senders that speak it through the JDK's sockets. */
@Timeout(60)
class TlsReceiverTest {
  private static final Duration SOON = Duration.ofMillis(100);
  private static final byte[] BODY = Payloads.noise(100);
  private static final String AES_256_OF_ECDSA = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
  private static final String AES_256_OF_RSA = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";

  @TempDir Path folder;

  private Path cert;
  private Path key;
  private Path clientCa;
  private ReceiverHarness harness;

  @BeforeEach
  void files() throws IOException {
    cert = folder.resolve("cert.pem");
    key = folder.resolve("key.pem");
    clientCa = folder.resolve("client-ca.pem");
    put(TestCertificates.localhost());
    put(TestCertificates.client().certificate(), clientCa);
  }

  @AfterEach
  void stop() {
    harness.close();
  }

  private void put(Identity identity) throws IOException {
    put(identity.certificate(), cert);
    put(identity.key(), key);
  }

  /** As tools that renew certificates do: in one step. */
  private static void put(Path from, Path to) throws IOException {
    Path beside = Files.copy(from, to.resolveSibling(to.getFileName() + ".new"));
    Files.move(beside, to, StandardCopyOption.ATOMIC_MOVE);
  }

  private void start(boolean mutual, TlsVersion minVersion, String... suites) throws IOException {
    TlsServerConfig tls =
        new TlsServerConfig(cert, key, mutual ? clientCa : null, minVersion, List.of(suites), SOON);
    ListenerConfig listener = new ListenerConfig(tls, null, 100);
    harness =
        ReceiverHarness.start(
            ReceiverHarness.loopback(
                new GrpcGuard(listener, Keepalive.DEFAULT),
                new HttpGuard(listener, HttpTimeouts.DEFAULT)));
  }

  private InetSocketAddress address(Transport transport) {
    return transport == Transport.GRPC
        ? harness.receiver().grpcAddress()
        : harness.receiver().httpAddress();
  }

  private SSLSocket connect(Transport transport, Identity trusted, Identity own)
      throws IOException {
    return new TlsSockets(trusted.certificate(), own)
        .connect(address(transport), transport == Transport.GRPC ? "h2" : "http/1.1");
  }

  /** Throws if the connection turns out to be refused. */
  private static boolean exportOn(SSLSocket socket, Transport transport) throws IOException {
    if (transport == Transport.GRPC) {
      try (RawGrpc grpc = new RawGrpc(socket)) {
        return grpc.export(BODY).code() == 0;
      }
    }
    try (RawHttp http = new RawHttp(socket)) {
      return http.postProtobuf(BODY).read().status() == 200;
    }
  }

  private boolean export(Transport transport, Identity trusted, Identity own) throws IOException {
    return exportOn(connect(transport, trusted, own), transport);
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void export_behindTls_reachesGate(Transport transport) throws IOException {
    start(false, TlsVersion.TLS_1_2);

    assertThat(export(transport, TestCertificates.localhost(), null)).isTrue();

    assertThat(harness.gate().onlyRequest()).isEqualTo(BODY);
    assertThat(harness.receiver().certificateExpires(transport))
        .isBetween(java.time.Instant.now(), java.time.Instant.now().plus(Duration.ofDays(3)));
  }

  @ParameterizedTest
  @EnumSource(TlsVersion.class)
  void export_http2ByAlpn_reachesGate(TlsVersion version) throws IOException {
    start(false, version);
    TlsSockets sockets = new TlsSockets(TestCertificates.localhost().certificate(), null);

    try (SSLSocket socket = sockets.connect(address(Transport.HTTP), "h2", "http/1.1");
        RawHttp2 client = new RawHttp2(socket).begin()) {
      assertThat(client.postTraces(1).body(1, BODY).read(1).status()).isEqualTo(200);
    }

    assertThat(harness.gate().onlyRequest()).isEqualTo(BODY);
  }

  @Test
  void alpn_http_offersBothVersions() throws IOException {
    start(false, TlsVersion.TLS_1_2);
    TlsSockets sockets = new TlsSockets(TestCertificates.localhost().certificate(), null);

    try (SSLSocket both = sockets.connect(address(Transport.HTTP), "h2", "http/1.1");
        SSLSocket one = sockets.connect(address(Transport.HTTP), "http/1.1");
        SSLSocket none = sockets.connect(address(Transport.HTTP))) {
      assertThat(both.getApplicationProtocol()).isEqualTo("h2");
      assertThat(one.getApplicationProtocol()).isEqualTo("http/1.1");
      assertThat(none.getApplicationProtocol()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void mutual_knownClient_isServed(Transport transport) throws IOException {
    start(true, TlsVersion.TLS_1_2);

    assertThat(export(transport, TestCertificates.localhost(), TestCertificates.client())).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void mutual_noCertificateOrAnothers_isTurnedAway(Transport transport) throws IOException {
    start(true, TlsVersion.TLS_1_2);

    for (Identity own : new Identity[] {null, TestCertificates.elsewhere()}) {
      assertThatThrownBy(() -> export(transport, TestCertificates.localhost(), own))
          .isInstanceOfAny(IOException.class, RuntimeException.class);
    }

    String turnedAway = transport.label() + " handshake";
    await()
        .untilAsserted(
            () ->
                assertThat(harness.listener().turnedAway())
                    .containsExactly(turnedAway, turnedAway));
    assertThat(harness.gate().submissions()).isEmpty();
  }

  @Test
  void plaintext_toTls_isTurnedAway() throws IOException {
    start(false, TlsVersion.TLS_1_2);

    try (RawHttp http = harness.http()) {
      assertThatThrownBy(() -> http.postProtobuf(BODY).read()).isInstanceOf(IOException.class);
    }

    await()
        .untilAsserted(
            () -> assertThat(harness.listener().turnedAway()).containsExactly("http handshake"));
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void minVersion_olderSender_isTurnedAway(Transport transport) throws IOException {
    start(false, TlsVersion.TLS_1_3);
    TlsSockets sockets = new TlsSockets(TestCertificates.localhost().certificate(), null);

    try (SSLSocket old = sockets.unshaken(address(transport), "h2", "http/1.1")) {
      old.setEnabledProtocols(new String[] {"TLSv1.2"});

      assertThatThrownBy(old::startHandshake).isInstanceOf(SSLException.class);
    }
    assertThat(export(transport, TestCertificates.localhost(), null)).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void cipherSuites_tls12_onlyThoseListed(Transport transport) throws IOException {
    start(false, TlsVersion.TLS_1_2, AES_256_OF_ECDSA, AES_256_OF_RSA);
    TlsSockets sockets = new TlsSockets(TestCertificates.localhost().certificate(), null);

    try (SSLSocket old = sockets.unshaken(address(transport), "h2", "http/1.1")) {
      old.setEnabledProtocols(new String[] {"TLSv1.2"});
      old.startHandshake();
      assertThat(old.getSession().getCipherSuite()).isIn(AES_256_OF_ECDSA, AES_256_OF_RSA);
    }
    try (SSLSocket other = sockets.unshaken(address(transport), "h2", "http/1.1")) {
      other.setEnabledProtocols(new String[] {"TLSv1.2"});
      other.setEnabledCipherSuites(
          new String[] {
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
          });
      assertThatThrownBy(other::startHandshake).isInstanceOf(SSLException.class);
    }
    try (SSLSocket latest = connect(transport, TestCertificates.localhost(), null)) {
      assertThat(latest.getSession().getProtocol()).isEqualTo("TLSv1.3");
    }
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void rotate_certificate_newConnectionsSeeItAndOpenOnesGoOn(Transport transport)
      throws IOException {
    start(false, TlsVersion.TLS_1_2);
    try (SSLSocket open = connect(transport, TestCertificates.localhost(), null)) {
      put(TestCertificates.renewed());

      await()
          .ignoreExceptions()
          .untilAsserted(() -> connect(transport, TestCertificates.renewed(), null).close());

      assertThatThrownBy(() -> connect(transport, TestCertificates.localhost(), null))
          .isInstanceOf(SSLException.class);
      assertThat(exportOn(open, transport)).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void rotate_brokenFile_keepsTheOldOneAndSaysSo(Transport transport) throws IOException {
    start(false, TlsVersion.TLS_1_2);
    Path broken = Files.writeString(folder.resolve("broken"), "-----BEGIN CERTIFICATE-----");

    put(broken, cert);

    await().until(() -> harness.receiver().hasUnusableFiles(transport));
    assertThat(export(transport, TestCertificates.localhost(), null)).isTrue();

    put(TestCertificates.renewed());

    await().until(() -> !harness.receiver().hasUnusableFiles(transport));
    assertThat(export(transport, TestCertificates.renewed(), null)).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void rotate_clientAuthority_newConnectionsAreJudgedByIt(Transport transport) throws IOException {
    start(true, TlsVersion.TLS_1_2);
    assertThat(export(transport, TestCertificates.localhost(), TestCertificates.client())).isTrue();

    put(TestCertificates.elsewhere().certificate(), clientCa);

    await()
        .ignoreExceptions()
        .until(() -> export(transport, TestCertificates.localhost(), TestCertificates.elsewhere()));
    assertThatThrownBy(
            () -> export(transport, TestCertificates.localhost(), TestCertificates.client()))
        .isInstanceOfAny(IOException.class, RuntimeException.class);
  }
}
