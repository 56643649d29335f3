package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.spillway.otlp.tls.TestCertificates;
import io.spillway.otlp.tls.TestCertificates.Identity;
import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Keep;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Yaml;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The exporters of the OpenTelemetry SDK send through TLS with a certificate and a token of their
 * own, while the relay's certificate and the tokens rotate.
 */
@Timeout(300)
class SecureSendersIT {
  private static final String TOKEN = "first-token";

  @RegisterExtension final Lab lab = new Lab();

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void export_whileCertificateAndTokenRotate_isTaken(Protocol protocol) throws IOException {
    Path cert = lab.directory().resolve("cert.pem");
    Path key = lab.directory().resolve("key.pem");
    Path tokens = Files.writeString(lab.directory().resolve("tokens"), TOKEN);
    put(TestCertificates.localhost(), cert, key);
    CapturingSink sink = lab.sink(Protocol.HTTP, Keep.REQUESTS);
    RelayProcess relay = lab.relay(yaml(cert, key, tokens, sink));
    Identity own = TestCertificates.client();

    assertThat(export(protocol, relay, TestCertificates.localhost(), own, TOKEN)).isTrue();
    assertThat(export(protocol, relay, TestCertificates.localhost(), null, TOKEN)).isFalse();
    assertThat(export(protocol, relay, TestCertificates.localhost(), own, "wrong")).isFalse();
    String transport = protocol == Protocol.GRPC ? "grpc" : "http";
    assertThat(turnedAway(relay, transport, "credentials")).isEqualTo(1);
    assertThat(turnedAway(relay, transport, "handshake")).isPositive();

    put(TestCertificates.renewed(), cert, key);
    await().until(() -> export(protocol, relay, TestCertificates.renewed(), own, TOKEN));
    Files.writeString(tokens, "second-token");
    await().until(() -> export(protocol, relay, TestCertificates.renewed(), own, "second-token"));
    assertThat(export(protocol, relay, TestCertificates.renewed(), own, TOKEN)).isFalse();

    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    assertThat(relay.ledger().balanced()).isTrue();
    assertThat(sink.requests(Kind.TRACES)).isNotEmpty();
    assertThat(
            relay.metric(
                "spillway_receiver_certificate_expiry_seconds", "transport=\"" + transport + "\""))
        .singleElement()
        .satisfies(seconds -> assertThat(seconds).isPositive());
    assertThat(relay.fullLog()).doesNotContain(TOKEN).doesNotContain("second-token");
  }

  private static double turnedAway(RelayProcess relay, String transport, String reason) {
    return relay
        .metric(
            "spillway_receiver_turned_away_times_total",
            "transport=\"" + transport + "\"",
            "reason=\"" + reason + "\"")
        .stream()
        .mapToDouble(Double::doubleValue)
        .sum();
  }

  private String yaml(Path cert, Path key, Path tokens, CapturingSink sink) {
    String guard =
        """
                endpoint: 127.0.0.1:0
                auth: { bearer_token_file: '%s' }
                tls: { cert_file: '%s', key_file: '%s', client_ca_file: '%s', reload_interval: 100ms }
        """
            .formatted(tokens, cert, key, TestCertificates.client().certificate());
    return """
    receivers:
      otlp:
        protocols:
          grpc:
    %s
          http:
    %s
    admin: { endpoint: 127.0.0.1:0 }
    buffer:
      directory: %s
      max_bytes: 2GiB
      min_free: 64MiB
    exporters:
    %sroutes:
      - { name: default, exporters: [%s] }
    """
        .formatted(
            guard,
            guard,
            lab.directory().resolve("buffer"),
            Yaml.exporter("sink", sink, "gzip"),
            Yaml.id("sink", sink));
  }

  private static void put(Identity identity, Path cert, Path key) throws IOException {
    put(identity.certificate(), cert);
    put(identity.key(), key);
  }

  private static void put(Path from, Path to) throws IOException {
    Path beside = Files.copy(from, to.resolveSibling(to.getFileName() + ".new"));
    Files.move(beside, to, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Exports one span; whether that was taken. */
  private static boolean export(
      Protocol protocol,
      RelayProcess relay,
      Identity trusted,
      @Nullable Identity own,
      String token) {
    Noted noted = new Noted(exporter(protocol, relay, trusted, own, token));
    try (SdkTracerProvider provider =
        SdkTracerProvider.builder().addSpanProcessor(SimpleSpanProcessor.create(noted)).build()) {
      provider.get("secure").spanBuilder("span").startSpan().end();
      return noted.taken;
    }
  }

  /** Notes what became of an export. */
  private static final class Noted implements SpanExporter {
    private final SpanExporter exporter;
    private volatile boolean taken;

    Noted(SpanExporter exporter) {
      this.exporter = exporter;
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      CompletableResultCode result = exporter.export(spans).join(30, TimeUnit.SECONDS);
      taken = result.isSuccess();
      return result;
    }

    @Override
    public CompletableResultCode flush() {
      return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }
  }

  private static SpanExporter exporter(
      Protocol protocol,
      RelayProcess relay,
      Identity trusted,
      @Nullable Identity own,
      String token) {
    byte[] authority = bytes(trusted.certificate());
    Duration timeout = Duration.ofSeconds(20);
    if (protocol == Protocol.GRPC) {
      var builder =
          OtlpGrpcSpanExporter.builder()
              .setEndpoint("https://" + relay.grpc())
              .setTrustedCertificates(authority)
              .addHeader("authorization", "Bearer " + token)
              .setRetryPolicy(null)
              .setTimeout(timeout);
      return (own == null
              ? builder
              : builder.setClientTls(bytes(own.key()), bytes(own.certificate())))
          .build();
    }
    var builder =
        OtlpHttpSpanExporter.builder()
            .setEndpoint("https://" + relay.http() + "/v1/traces")
            .setTrustedCertificates(authority)
            .addHeader("authorization", "Bearer " + token)
            .setRetryPolicy(null)
            .setTimeout(timeout);
    return (own == null
            ? builder
            : builder.setClientTls(bytes(own.key()), bytes(own.certificate())))
        .build();
  }

  private static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
