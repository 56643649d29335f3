package io.spillway.exporters;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.LogLines;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.tls.TestCertificates;
import io.spillway.otlp.tls.TestCertificates.Identity;
import io.spillway.otlp.tls.TlsReload;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Certificates that change under real connections, for both protocols. */
@Timeout(180)
@ParameterizedClass
@ValueSource(strings = {"otlp_http", "otlp_grpc"})
final class TlsRotationTest {
  private static final String OLD = "CN=client";
  private static final String NEW = "CN=elsewhere";

  @Parameter String type;
  @TempDir Path folder;

  private final Exporters exporters =
      new Exporters(new FakePolicy(), InstantSource.system(), NameLookup.SYSTEM, "1.2.3");
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final LogLines log = own(new LogLines(TlsReload.class));
  private Path ca;
  private Path cert;
  private Path key;

  @BeforeEach
  void layOutFiles() throws IOException {
    ca = folder.resolve("ca.pem");
    cert = folder.resolve("client.crt");
    key = folder.resolve("client.key");
    put(TestCertificates.localhost().certificate(), ca);
    put(TestCertificates.client().certificate(), cert);
    put(TestCertificates.client().key(), key);
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable one : opened.reversed()) {
      one.close();
    }
    exporters.close();
  }

  private <S extends AutoCloseable> S own(S one) {
    opened.add(one);
    return one;
  }

  private static void put(Path from, Path to) throws IOException {
    Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
  }

  private Sink sink(int port, Identity identity, @Nullable Path trustedClients) {
    Sink.Tls tls = new Sink.Tls(identity, trustedClients);
    return own(type.equals("otlp_grpc") ? new GrpcSink(port, tls) : new HttpSink(port, tls));
  }

  /** A sink that takes the old client and the new one. */
  private Sink mutualSink() throws IOException {
    Path clients = folder.resolve("clients.pem");
    Files.writeString(
        clients,
        Files.readString(TestCertificates.client().certificate())
            + Files.readString(TestCertificates.elsewhere().certificate()));
    return sink(0, TestCertificates.localhost(), clients);
  }

  private Exporter exporter(int port, String tls) {
    String yaml =
        "exporters: { %s/test: { endpoint: 'https://localhost:%d', timeout: 2m, tls: { %s } } }"
            .formatted(type, port, "reload_interval: 100ms, ca_file: '" + ca + "'" + tls);
    Configuration configuration = ConfigurationLoader.parse("test.yaml", yaml, Map.of());
    ExporterConfig config = ExporterConfig.readAll(configuration.root()).get(type + "/test");
    assertThat(configuration.problems().all()).isEmpty();
    Exporter exporter = exporters.create(config);
    own(() -> exporter.close(Duration.ZERO));
    return exporter;
  }

  private String identity() {
    return ", cert_file: '" + cert + "', key_file: '" + key + "'";
  }

  private static Outcome export(Exporter exporter) {
    return ExporterContract.export(exporter);
  }

  private void awaitReload() {
    await().atMost(60, SECONDS).until(() -> !log.at(Level.INFO).isEmpty());
  }

  private void awaitDeliveryAs(String client, Sink sink, Exporter exporter) {
    await()
        .atMost(60, SECONDS)
        .until(
            () -> {
              assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
              return sink.clients().getLast().equals(client);
            });
  }

  @Test
  void rotate_clientCertificateInFlight_finishesOnTheOldAndGoesOnWithTheNew() throws Exception {
    Sink sink = mutualSink();
    Exporter exporter = exporter(sink.port(), identity());
    List<CompletableFuture<Outcome>> attempts = new ArrayList<>();
    sink.hold();
    attempts.add(exporter.export(Requests.spans(1)));
    await().atMost(60, SECONDS).until(() -> sink.received().size() == 1);

    put(TestCertificates.elsewhere().certificate(), cert);
    put(TestCertificates.elsewhere().key(), key);
    awaitReload();
    await()
        .atMost(60, SECONDS)
        .until(
            () -> {
              attempts.add(exporter.export(Requests.spans(1)));
              await().atMost(60, SECONDS).until(() -> sink.received().size() == attempts.size());
              return sink.clients().contains(NEW);
            });
    assertThat(attempts.getFirst()).isNotDone();
    sink.release();

    assertThat(attempts)
        .allSatisfy(
            attempt ->
                assertThat(ExporterContract.outcome(attempt)).isEqualTo(new Outcome.Delivered()));
    assertThat(sink.clients().getFirst()).isEqualTo(OLD);
    awaitDeliveryAs(NEW, sink, exporter);
    assertThat(sink.received()).hasSameSizeAs(sink.clients());
  }

  @Test
  void rotate_idleConnection_isRenewed() throws Exception {
    Sink sink = mutualSink();
    Exporter exporter = exporter(sink.port(), identity());
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
    assertThat(exporters.connections(exporter.id())).isEqualTo(1);

    put(TestCertificates.elsewhere().certificate(), cert);
    put(TestCertificates.elsewhere().key(), key);
    await().atMost(60, SECONDS).until(() -> exporters.connections(exporter.id()) == 0);

    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
    assertThat(sink.clients()).containsExactly(OLD, NEW);
  }

  @Test
  void rotate_authorityWithTheSinksCertificate_goesOn() throws Exception {
    Sink before = sink(0, TestCertificates.localhost(), null);
    int port = before.port();
    Exporter exporter = exporter(port, "");
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
    before.close();
    Sink after = sink(port, TestCertificates.renewed(), null);
    await()
        .atMost(60, SECONDS)
        .until(
            () ->
                export(exporter) instanceof Outcome.SinkDown(ErrorClass error, String _)
                    && error == ErrorClass.TLS);

    put(TestCertificates.renewed().certificate(), ca);
    awaitReload();

    await().atMost(60, SECONDS).until(() -> export(exporter).equals(new Outcome.Delivered()));
    assertThat(after.received()).hasSize(1);
  }

  @Test
  void rotate_halfOfThePair_keepsTheOldOneUntilTheOtherHalfComes() throws Exception {
    Sink sink = mutualSink();
    Exporter exporter = exporter(sink.port(), identity());
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());

    put(TestCertificates.elsewhere().certificate(), cert);
    await().atMost(60, SECONDS).until(() -> !log.at(Level.ERROR).isEmpty());
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());

    assertThat(log.at(Level.ERROR))
        .containsExactly(
            "exporters::%s/test::tls::cert_file: %s and %s do not belong together (expected the key"
                    .formatted(type, cert, key)
                + " of the first certificate). What was read before stays in use, and the files"
                + " are looked at again; correct them. (0 more like this)");
    assertThat(sink.clients()).containsExactly(OLD, OLD);
    put(TestCertificates.elsewhere().key(), key);
    awaitDeliveryAs(NEW, sink, exporter);
  }

  @Test
  void rotate_brokenAuthority_keepsTheOldOne() throws Exception {
    Sink sink = sink(0, TestCertificates.localhost(), null);
    Exporter exporter = exporter(sink.port(), "");
    String whole = Files.readString(ca);

    Files.writeString(ca, whole.substring(0, whole.length() / 2));
    await().atMost(60, SECONDS).until(() -> !log.at(Level.ERROR).isEmpty());

    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
    assertThat(log.at(Level.ERROR).getFirst())
        .startsWith(
            "exporters::%s/test::tls::ca_file: %s holds no certificate in PEM."
                .formatted(type, ca));
    assertThat(log.at(Level.INFO)).isEmpty();
  }

  // --- expiry

  private static Instant expiry(Path certificate) throws IOException, CertificateException {
    return certificate(certificate).getNotAfter().toInstant();
  }

  private static X509Certificate certificate(Path file) throws IOException, CertificateException {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(Files.readAllBytes(file)));
  }

  @Test
  void certificates_mutualTls_areTheOwnAtOnceAndTheSinksWhenSeen() throws Exception {
    Sink sink = mutualSink();
    Exporter exporter = exporter(sink.port(), identity());
    CertificateExpiry own = new CertificateExpiry(exporter.id(), "client", expiry(cert));
    assertThat(exporters.certificates(exporter.id())).containsExactly(own);

    export(exporter);

    assertThat(exporters.certificates(exporter.id()))
        .containsExactlyInAnyOrder(own, new CertificateExpiry(exporter.id(), "sink", expiry(ca)));
    exporter.close(Duration.ZERO);
    assertThat(exporters.certificates(exporter.id())).isEmpty();
  }

  @Test
  void certificates_expiredAtTheSink_isSeenAlthoughRefused() throws Exception {
    Sink sink = sink(0, TestCertificates.expired(), null);
    put(TestCertificates.expiredAuthority(), ca);
    Exporter exporter = exporter(sink.port(), "");

    ExporterContract.assertDown(export(exporter), ErrorClass.TLS);

    Instant expired = expiry(TestCertificates.expired().certificate());
    assertThat(expired).isBefore(Instant.now());
    assertThat(exporters.certificates(exporter.id()))
        .containsExactly(new CertificateExpiry(exporter.id(), "sink", expired));
  }
}
