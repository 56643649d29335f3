package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.config.Problems.Problem;
import io.spillway.otlp.stage.InvalidItems;
import io.spillway.otlp.stage.Sender;
import io.spillway.otlp.tls.TestCertificates;
import io.spillway.otlp.tls.TlsVersion;
import io.spillway.receivers.TenantConfig.Source;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the gate learns of who sends, and what it does not. */
@Timeout(120)
class TenantTest {
  private static final byte[] BODY = Payloads.noise(100);

  private ReceiverHarness harness;

  @AfterEach
  void stop() {
    if (harness != null) {
      harness.close();
    }
  }

  @Test
  void http_headers_reachGateAsAsked() throws IOException {
    start(false, List.of(Source.HEADER));
    harness.gate().ask("x-plan", "x-other");
    try (RawHttp http = harness.http()) {
      assertThat(post(http, "X-Tenant: acme\r\nX-Plan: gold\r\nX-Secret: s\r\n")).isEqualTo(200);
      assertThat(post(http, "X-Tenant: acme\r\nX-Plan: gold\r\n")).isEqualTo(200);
      assertThat(post(http, "X-Plan: a\r\nX-Plan: b\r\n")).isEqualTo(200);
    }

    assertThat(sender(0)).isEqualTo(new Sender("acme", Map.of("x-plan", "gold")));
    assertThat(sender(1)).as("the same for the same connection").isSameAs(sender(0));
    assertThat(sender(2)).isEqualTo(new Sender("", Map.of("x-plan", "a, b")));
  }

  @Test
  void http_badTenant_is400AndNothingReachesGate() throws IOException {
    start(false, List.of(Source.HEADER));
    try (RawHttp http = harness.http()) {
      assertThat(post(http, "X-Tenant: two words\r\n")).isEqualTo(400);
      assertThat(post(http, "X-Tenant: " + "a".repeat(129) + "\r\n")).isEqualTo(400);
      assertThat(post(http, "X-Tenant: a\r\nX-Tenant: a\r\n")).isEqualTo(400);
      assertThat(post(http, "X-Tenant:\r\n")).isEqualTo(400);
      assertThat(post(http, "X-Tenant: " + "a".repeat(128) + "\r\n")).isEqualTo(200);
    }

    assertThat(harness.gate().submissions()).hasSize(1);
    assertThat(harness.listener().all()).hasSize(5);
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  @Test
  void grpc_headers_reachGateAsAskedAndABadTenantDoesNot() throws IOException {
    start(false, List.of(Source.HEADER));
    harness.gate().ask("x-plan");
    byte[] message = RawGrpc.message(false, BODY);
    try (RawGrpc grpc = new RawGrpc(harness.receiver().grpcAddress())) {
      assertThat(
              grpc.open("x-tenant", "acme", "x-plan", "gold", "x-secret", "s")
                  .data(message, true)
                  .join()
                  .code())
          .isZero();
      assertThat(grpc.open("x-tenant", "two words").data(message, true).join().code())
          .as("INVALID_ARGUMENT")
          .isEqualTo(3);
    }

    assertThat(harness.gate().submissions()).hasSize(1);
    assertThat(sender(0)).isEqualTo(new Sender("acme", Map.of("x-plan", "gold")));
  }

  @Test
  void certificate_overHttpAndGrpc_isAskedBeforeTheHeader() throws IOException {
    start(true, List.of(Source.CLIENT_CERTIFICATE, Source.HEADER));
    TlsSockets sockets =
        new TlsSockets(TestCertificates.localhost().certificate(), TestCertificates.client());
    try (RawHttp http = new RawHttp(sockets.connect(harness.receiver().httpAddress(), "http/1.1"));
        RawGrpc grpc = new RawGrpc(sockets.connect(harness.receiver().grpcAddress(), "h2"))) {
      assertThat(post(http, "X-Tenant: other\r\n")).isEqualTo(200);
      assertThat(grpc.export(BODY).code()).isZero();
    }

    assertThat(sender(0).tenant()).isEqualTo("client.example");
    assertThat(sender(1).tenant()).isEqualTo("client.example");
  }

  @Test
  void headers_withoutTenantAndNothingAsked_areNotLookedAt() throws IOException {
    harness = ReceiverHarness.start(ReceiverHarness.loopback());
    try (RawHttp http = harness.http()) {
      assertThat(post(http, "X-Tenant: two words\r\n")).isEqualTo(200);
    }

    assertThat(sender(0)).isSameAs(Sender.UNKNOWN);
  }

  @Test
  void read_tenant_isTaken() {
    assertThat(tenant("tenant: { header: X-Scope-OrgID, max_tenants: 7 }").tenant())
        .isEqualTo(new TenantConfig(List.of(Source.HEADER), "x-scope-orgid", 7));
    assertThat(tenant("invalid_items: pass").tenant()).isNull();
  }

  @Test
  void read_badTenant_isAProblem() {
    assertThat(problems("tenant: { header: Authorization }"))
        .containsExactly(
            "receivers::otlp::tenant::header: \"Authorization\" may carry a secret, and what is"
                + " read here is stored and shown (expected a header that only says who sends, such"
                + " as x-tenant)");
    for (String name : List.of("api-key", "x-api-key", "cookie", "x-auth-token", "dd_api.key")) {
      assertThat(problems("tenant: { header: '" + name + "' }")).as(name).hasSize(1);
    }
    assertThat(problems("tenant: { header: 'x tenant' }")).hasSize(1);
    assertThat(problems("tenant: { from: client_certificate }"))
        .containsExactly(
            "receivers::otlp::tenant::from: no listener asks for certificates (expected"
                + " tls::client_ca_file of grpc or http, or from: header)");
    assertThat(problems("tenant: { from: cookie }"))
        .containsExactly(
            "receivers::otlp::tenant::from: \"cookie\" (expected header, client_certificate, or a"
                + " list of both)");
  }

  private void start(boolean mutual, List<Source> from) throws IOException {
    TlsServerConfig tls =
        mutual
            ? new TlsServerConfig(
                TestCertificates.localhost().certificate(),
                TestCertificates.localhost().key(),
                TestCertificates.client().certificate(),
                TlsVersion.TLS_1_2,
                List.of(),
                Duration.ZERO)
            : null;
    ListenerConfig listener = new ListenerConfig(tls, null, 100);
    OtlpReceiverConfig config =
        ReceiverHarness.loopback(
            new GrpcGuard(listener, Keepalive.DEFAULT),
            new HttpGuard(listener, HttpTimeouts.DEFAULT));
    harness =
        ReceiverHarness.start(
            new OtlpReceiverConfig(
                config.grpc(),
                config.http(),
                InvalidItems.PARTIAL_SUCCESS,
                AdmissionConfig.DEFAULT,
                new TenantConfig(from, "x-tenant", 10)));
  }

  private static int post(RawHttp http, String headers) throws IOException {
    return http.post("/v1/traces", "Content-Type: application/x-protobuf\r\n" + headers, BODY)
        .read()
        .status();
  }

  private Sender sender(int submission) {
    return harness.gate().submissions().get(submission).sender();
  }

  private static Configuration parse(String otlp) {
    return ConfigurationLoader.parse(
        "test", "receivers: { otlp: { protocols: { http: }, " + otlp + " } }", Map.of());
  }

  private static OtlpReceiverConfig tenant(String otlp) {
    Configuration configuration = parse(otlp);
    OtlpReceiverConfig config = OtlpReceiverConfig.read(configuration.root().section("receivers"));
    assertThat(configuration.problems().all()).isEmpty();
    return config;
  }

  private static List<String> problems(String otlp) {
    Configuration configuration = parse(otlp);
    var _ = OtlpReceiverConfig.read(configuration.root().section("receivers"));
    return configuration.problems().all().stream().map(Problem::toString).toList();
  }
}
