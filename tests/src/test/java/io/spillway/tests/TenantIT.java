package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporterBuilder;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.spillway.otlp.tls.TestCertificates;
import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Keep;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Yaml;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Requests of several tenants, by header and by certificate, from the sender to the bill. */
@Timeout(300)
class TenantIT {
  private static final String SECRET = "s3cr3t-of-nobody-else";

  @RegisterExtension final Lab lab = new Lab();

  @Test
  void tenants_byHeaderAndCertificate_areRoutedKeptOverKillAndMetered() throws Exception {
    CapturingSink first = lab.sink(Protocol.HTTP, Keep.REQUESTS);
    CapturingSink second = lab.sink(Protocol.GRPC, Keep.REQUESTS);
    String ready = yaml(first, second);
    RelayProcess relay = lab.relay(unreachable(ready));

    exportWithCertificate(relay);
    assertThat(post(relay, "acme", request(2)).statusCode()).isEqualTo(200);
    assertThat(post(relay, "globex", request(3)).statusCode()).isEqualTo(200);
    assertThat(post(relay, "acme", request(1)).statusCode()).isEqualTo(200);
    assertThat(post(relay, "two words", request(1)).statusCode()).isEqualTo(400);
    assertThat(relay.ledger().buffered()).isEqualTo(7);
    assertNowhere(SECRET);

    relay.kill();
    relay.configure(ready);
    relay.start();
    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());

    assertThat(relay.ledger().balanced()).isTrue();
    assertThat(items(relay, "default", "client.example")).isEqualTo(1);
    assertThat(items(relay, "acme", "acme")).isEqualTo(3);
    assertThat(items(relay, "default", "globex")).isEqualTo(3);
    assertThat(wireBytes(relay, "acme")).isPositive();
    assertThat(relay.status().path("tenants")).hasSize(3);
    assertThat(first.requests(Kind.TRACES)).isNotEmpty();
    assertThat(relay.fullLog()).doesNotContain(SECRET);
    assertNowhere(SECRET);
  }

  @Test
  void quota_ofOneTenant_refusesItAndNoOther() throws Exception {
    CapturingSink sink = lab.sink(Protocol.HTTP, Keep.REQUESTS);
    String head = Yaml.anywhere(lab.directory()).replace("  otlp:\n", "  otlp:\n    tenant: {}\n");
    String yaml =
        (head + "exporters:\n" + Yaml.exporter("sink", sink, "none") + "routes:\n")
            + "  - name: default\n    exporters: [%s]\n".formatted(Yaml.id("sink", sink))
            + "    quota: { per_tenant: { per_day: 1MiB, tenants: { globex: 1GiB } } }\n";
    RelayProcess relay = lab.relay(yaml);

    for (int i = 0; i < 3; i++) {
      assertThat(post(relay, "globex", large()).statusCode()).isEqualTo(200);
    }
    await().until(() -> post(relay, "acme", large()).statusCode() == 503);

    HttpResponse<byte[]> refused = post(relay, "acme", request(1));
    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(refused.headers().firstValue("retry-after")).isPresent();
    assertThat(new String(refused.body(), StandardCharsets.UTF_8))
        .contains("routes::default::tenants::acme::quota of 1048576 bytes a day is used up");
    assertThat(post(relay, "globex", request(1)).statusCode()).isEqualTo(200);
    assertThat(relay.metric("spillway_quota_used_bytes", "tenants::acme"))
        .singleElement()
        .satisfies(used -> assertThat(used).isGreaterThan(1 << 20));

    assertThat(relay.stop()).isZero();
    relay.start();
    assertThat(post(relay, "acme", request(1)).statusCode()).isEqualTo(503);
    assertThat(post(relay, "globex", request(1)).statusCode()).isEqualTo(200);
  }

  /** The same with sinks that refuse connections. */
  private static String unreachable(String yaml) {
    return yaml.replaceAll("(127[.][0-9.]+|localhost):[1-9][0-9]*", "127.0.0.1:1");
  }

  /** gRPC asks for certificates, HTTP for nothing. */
  private String yaml(CapturingSink acme, CapturingSink others) {
    return """
    receivers:
      otlp:
        tenant: { from: [client_certificate, header], header: X-Tenant }
        protocols:
          grpc:
            endpoint: 127.0.0.1:0
            tls: { cert_file: '%s', key_file: '%s', client_ca_file: '%s' }
          http: { endpoint: 127.0.0.1:0 }
    admin: { endpoint: 127.0.0.1:0 }
    buffer: { directory: %s, max_bytes: 2GiB, min_free: 64MiB }
    exporters:
    %s%sroutes:
      - { name: acme, match: { tenant: acme, headers: { x-plan: "go*" } }, exporters: [%s] }
      - { name: default, exporters: [%s] }
    """
        .formatted(
            TestCertificates.localhost().certificate(),
            TestCertificates.localhost().key(),
            TestCertificates.client().certificate(),
            lab.directory().resolve("buffer"),
            Yaml.exporter("acme", acme, "gzip"),
            Yaml.exporter("others", others, "gzip"),
            Yaml.id("acme", acme),
            Yaml.id("others", others));
  }

  /** Whatever its header says, the certificate counts. */
  private static void exportWithCertificate(RelayProcess relay) throws IOException {
    TestCertificates.Identity own = TestCertificates.client();
    OtlpGrpcSpanExporterBuilder exporter =
        OtlpGrpcSpanExporter.builder()
            .setEndpoint("https://" + relay.grpc())
            .setTrustedCertificates(Files.readAllBytes(TestCertificates.localhost().certificate()))
            .setClientTls(Files.readAllBytes(own.key()), Files.readAllBytes(own.certificate()))
            .addHeader("x-tenant", "acme")
            .addHeader("x-plan", "gold")
            .addHeader("authorization", "Bearer " + SECRET)
            .setTimeout(Duration.ofSeconds(20));
    try (SdkTracerProvider provider =
        SdkTracerProvider.builder()
            .addSpanProcessor(SimpleSpanProcessor.create(exporter.build()))
            .build()) {
      provider.get("tenant").spanBuilder("span").startSpan().end();
    }
  }

  private static HttpResponse<byte[]> post(RelayProcess relay, String tenant, byte[] request)
      throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create("http://" + relay.http() + "/v1/traces"))
              .timeout(Duration.ofSeconds(20))
              .header("content-type", "application/x-protobuf")
              .header("x-tenant", tenant)
              .header("x-plan", "gold")
              .header("authorization", "Bearer " + SECRET)
              .header("api-key", SECRET)
              .POST(HttpRequest.BodyPublishers.ofByteArray(request))
              .build(),
          HttpResponse.BodyHandlers.ofByteArray());
    }
  }

  private static byte[] request(int spans) {
    ScopeSpans.Builder scope = ScopeSpans.newBuilder();
    for (int i = 0; i < spans; i++) {
      scope.addSpans(Span.newBuilder().setName("span " + i));
    }
    return request(scope);
  }

  private static byte[] large() {
    byte[] noise = new byte[200_000];
    new Random(1).nextBytes(noise);
    String name = new String(noise, StandardCharsets.ISO_8859_1);
    return request(ScopeSpans.newBuilder().addSpans(Span.newBuilder().setName(name)));
  }

  private static byte[] request(ScopeSpans.Builder scope) {
    return ExportTraceServiceRequest.newBuilder()
        .addResourceSpans(ResourceSpans.newBuilder().addScopeSpans(scope))
        .build()
        .toByteArray();
  }

  private static double items(RelayProcess relay, String route, String tenant) {
    return sum(
        relay.metric(
            "spillway_tenant_items_total", "route=\"" + route + "\"", "tenant=\"" + tenant + "\""));
  }

  private static double wireBytes(RelayProcess relay, String tenant) {
    return sum(relay.metric("spillway_tenant_wire_bytes_total", "tenant=\"" + tenant + "\""));
  }

  private static double sum(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).sum();
  }

  private void assertNowhere(String secret) throws IOException {
    try (var files = Files.walk(lab.directory().resolve("buffer"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
            .as(file.toString())
            .doesNotContain(secret);
      }
    }
  }
}
