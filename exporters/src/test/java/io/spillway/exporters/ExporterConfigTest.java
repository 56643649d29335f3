package io.spillway.exporters;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.config.Problems;
import io.spillway.exporters.ExporterConfig.Destination;
import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.DialPolicy.Scheme;
import io.spillway.otlp.stage.RetrySettings;
import io.spillway.otlp.tls.TestCertificates;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ExporterConfigTest {

  private static Configuration parse(String... lines) {
    return ConfigurationLoader.parse("test.yaml", String.join("\n", lines), Map.of());
  }

  private static Map<String, ExporterConfig> read(String... lines) {
    Configuration configuration = parse(lines);
    Map<String, ExporterConfig> configs = ExporterConfig.readAll(configuration.root());
    configuration.reportUnknownKeys();
    assertThat(configuration.problems().all()).isEmpty();
    return configs;
  }

  private static List<String> problems(String... lines) {
    Configuration configuration = parse(lines);
    ExporterConfig.readAll(configuration.root());
    configuration.reportUnknownKeys();
    return configuration.problems().all().stream().map(Problems.Problem::toString).toList();
  }

  /** The problems of one otlp_grpc exporter with these keys besides its endpoint. */
  private static List<String> grpcProblems(String keys) {
    return problems("exporters:", "  otlp_grpc/x: { endpoint: 'https://h', " + keys + " }");
  }

  @Test
  void readAll_badProxy_isAProblemThatShowsNoPassword() {
    assertThat(grpcProblems("proxy_url: 'https://u:hunter22@proxy:1'"))
        .containsExactly(
            "exporters::otlp_grpc/x::proxy_url: the URL is an https proxy, which is not supported"
                + " (expected http://host:port; TLS to the sink goes through it end to end)");
    assertThat(grpcProblems("proxy_url: 'proxy:3128'"))
        .containsExactly(
            "exporters::otlp_grpc/x::proxy_url: \"proxy:3128\" is not a URL (expected"
                + " https://host:port)");
    assertThat(grpcProblems("proxy_url: 'http://u:hunter22%zz@proxy:1'"))
        .containsExactly(
            "exporters::otlp_grpc/x::proxy_url: the URL has a user or password that is not"
                + " percent-encoded well");
  }

  @Test
  void readAll_plaintextSinkBehindProxy_asksForTheKey() {
    String keys = "endpoint: 'http://127.0.0.1:4317', proxy_url: 'http://proxy:3128'";

    assertThat(problems("exporters:", "  otlp_grpc/x: { " + keys + " }"))
        .containsExactly(
            "exporters::otlp_grpc/x::proxy_url: leads a sink without TLS over the network (expected"
                + " an https:// endpoint, or dangerously_allow_plaintext: true)");
    String allowed = keys + ", dangerously_allow_plaintext: true";
    assertThat(problems("exporters:", "  otlp_grpc/x: { " + allowed + " }")).isEmpty();
  }

  @Test
  void readAll_proxy_isADestinationWithoutCredentials() {
    ExporterConfig config =
        read(
                "exporters:",
                "  otlp_http/x: { endpoint: 'https://h', proxy_url: 'http://u:hunter22@p:3128' }")
            .get("otlp_http/x");

    assertThat(config.destinations())
        .containsExactly(
            new Destination("h", 443, false), new Destination("p", 3128, Scheme.PROXY));
    assertThat(config.toString()).contains("p:3128").doesNotContain("hunter22", "dTpodW50ZXIyMg");
  }

  @Test
  void readAll_minimal_hasTheDefaults() {
    OtlpGrpcConfig config =
        (OtlpGrpcConfig)
            read("exporters:", "  otlp_grpc: { endpoint: 'https://h' }").get("otlp_grpc");

    assertThat(config.endpoint()).isEqualTo(new Endpoint("h", 443, false, "/"));
    assertThat(config.otlp())
        .isEqualTo(
            new OtlpSettings(
                "otlp_grpc",
                Codec.GZIP,
                GzipPassthrough.AUTO,
                new Headers(Map.of()),
                TlsConfig.DEFAULT,
                Duration.ofSeconds(10),
                RetrySettings.DEFAULT,
                4 << 20,
                null,
                false,
                0,
                SinkConfig.DEFAULT,
                LinkConfig.DEFAULT,
                Duration.ofMinutes(1)));
  }

  @Test
  void readAll_everyKey_isRead() {
    OtlpGrpcConfig config =
        (OtlpGrpcConfig)
            read(
                    "exporters:",
                    "  otlp_grpc/eu:",
                    "    endpoint: http://h:4317",
                    "    compression: zstd",
                    "    gzip_passthrough: off",
                    "    headers: { api-key: secret-1 }",
                    "    timeout: 2s",
                    "    retry_on_failure:",
                    "      initial_interval: 2s",
                    "      max_interval: 1m",
                    "      multiplier: 2",
                    "      randomization_factor: 0.1",
                    "      max_elapsed_time: 0s",
                    "    max_request_bytes: 1MiB",
                    "    region: eu",
                    "    dangerously_allow_plaintext: true",
                    "    cost_per_gib: 0.12",
                    "    strict_otlp: true",
                    "    proxy_url: http://u:p%40ss@proxy:3128",
                    "    dns_refresh_interval: 5s",
                    "    probe_interval: 5m")
                .get("otlp_grpc/eu");

    assertThat(config.otlp())
        .isEqualTo(
            new OtlpSettings(
                "otlp_grpc/eu",
                Codec.ZSTD,
                GzipPassthrough.OFF,
                new Headers(Map.of("api-key", "secret-1")),
                TlsConfig.DEFAULT,
                Duration.ofSeconds(2),
                new RetrySettings(Duration.ofSeconds(2), Duration.ofMinutes(1), 2, 0.1),
                1 << 20,
                "eu",
                true,
                0.12,
                new SinkConfig(AuthConfig.NONE, true),
                new LinkConfig(
                    new ProxyAddress("proxy", 3128, "Basic dTpwQHNz"), Duration.ofSeconds(5), 32),
                Duration.ofMinutes(5)));
    assertThat(config.region()).isEqualTo("eu");
    assertThat(config.costPerGib()).isEqualTo(0.12);
    assertThat(config.codec()).isEqualTo(Codec.ZSTD);
  }

  @Test
  void readAll_gzipPassthrough_isForGzip() {
    OtlpGrpcConfig on =
        (OtlpGrpcConfig)
            read("exporters:", "  otlp_grpc: { endpoint: 'https://h', gzip_passthrough: on }")
                .get("otlp_grpc");

    assertThat(on.otlp().gzipPassthrough()).isEqualTo(GzipPassthrough.ON);
    assertThat(grpcProblems("compression: zstd, gzip_passthrough: auto")).isEmpty();
    assertThat(grpcProblems("compression: zstd, gzip_passthrough: on"))
        .containsExactly(
            "exporters::otlp_grpc/x::gzip_passthrough: on contradicts compression: zstd (expected"
                + " compression: gzip, or no gzip_passthrough)");
    assertThat(grpcProblems("gzip_passthrough: never"))
        .containsExactly(
            "exporters::otlp_grpc/x::gzip_passthrough: found \"never\" (expected auto | on | off)");
  }

  @Test
  void readAll_probeInterval_isOffOrASecondAtLeast() {
    assertThat(
            read("exporters:", "  otlp_grpc: { endpoint: 'https://h', probe_interval: 0s }")
                .get("otlp_grpc")
                .probeInterval())
        .isZero();
    assertThat(grpcProblems("probe_interval: 100ms"))
        .containsExactly(
            "exporters::otlp_grpc/x::probe_interval: 100ms is too short (expected 0 for no probes,"
                + " or from 1s to 1d)");
    assertThat(read("exporters:", "  file/a: { directory: /tmp/x }").get("file/a").probeInterval())
        .isZero();
  }

  @Test
  void readAll_aliases_keepTheirIdsAndOrder() {
    Map<String, ExporterConfig> configs =
        read(
            "exporters:",
            "  otlp: { endpoint: 'h:4317', tls: { insecure: true } }",
            "  otlphttp/b: { endpoint: 'http://h:4318' }",
            "  file/archive: { directory: /tmp/x }",
            "  debug: { verbosity: detailed }");

    assertThat(configs.keySet()).containsExactly("otlp", "otlphttp/b", "file/archive", "debug");
    assertThat(configs.get("otlp").destinations())
        .containsExactly(new Destination("h", 4317, true));
    assertThat(configs.get("file/archive").destinations()).isEmpty();
    assertThat(configs.get("file/archive").codec()).isEqualTo(Codec.NONE);
    assertThat(configs.get("debug"))
        .isEqualTo(new DebugConfig("debug", DebugConfig.Verbosity.DETAILED));
  }

  @Test
  void readAll_httpEndpoints_followTheSpecification() {
    OtlpHttpConfig config =
        (OtlpHttpConfig)
            read(
                    "exporters:",
                    "  otlp_http:",
                    "    endpoint: https://a.example/base",
                    "    logs_endpoint: https://b.example:8443/v1/logs/")
                .get("otlp_http");

    assertThat(config.endpoints())
        .containsEntry(Signal.TRACES, new Endpoint("a.example", 443, false, "/base/v1/traces"))
        .containsEntry(Signal.METRICS, new Endpoint("a.example", 443, false, "/base/v1/metrics"))
        .containsEntry(Signal.LOGS, new Endpoint("b.example", 8443, false, "/v1/logs/"));
    assertThat(config.destinations())
        .containsExactly(
            new Destination("a.example", 443, false), new Destination("b.example", 8443, false));
  }

  @Test
  void readAll_httpWithEverySignalsEndpoint_needsNoBase() {
    assertThat(
            read(
                "exporters:",
                "  otlp_http:",
                "    traces_endpoint: http://h:1/t",
                "    metrics_endpoint: http://h:1/m",
                "    logs_endpoint: http://h:1/l"))
        .hasSize(1);
    assertThat(problems("exporters:", "  otlp_http: { traces_endpoint: 'http://h:1/t' }"))
        .containsExactly("exporters::otlp_http::endpoint: missing (expected text)");
  }

  @Test
  void readAll_unknownType_isAProblemWithASuggestion() {
    assertThat(problems("exporters:", "  otlp_grcp/eu: { endpoint: 'h:1' }"))
        .containsExactly(
            "exporters::otlp_grcp/eu: there is no exporter type \"otlp_grcp\" (expected one of"
                + " otlp_grpc, otlp_http, file, debug); did you mean \"otlp_grpc\"?");
  }

  @Test
  void readAll_badId_isAProblem() {
    assertThat(problems("exporters:", "  file/a/b: { directory: x }"))
        .first()
        .asString()
        .isEqualTo(
            "exporters::file/a/b: \"file/a/b\" is not an exporter id (expected type or type/name,"
                + " as otlp_grpc/eu)");
  }

  @Test
  void readAll_badEndpoints_areProblemsWithoutPasswords() {
    assertEndpointProblem("ftp://h:1", "has the scheme \"ftp\" (expected http or https)");
    assertEndpointProblem("https://h/path", "has a path, which gRPC does not use (expected none)");
    assertEndpointProblem("h", "has no valid port (expected 1 to 65535)");
    assertEndpointProblem("h:70000", "has no valid port (expected 1 to 65535)");
    assertEndpointProblem("h h:1", "has no valid host and port (expected host:port)");
    assertThat(problems("exporters:", "  otlp_grpc: { endpoint: 'https://u:pw@h' }"))
        .containsExactly(
            "exporters::otlp_grpc::endpoint: the URL has credentials in it (put them into"
                + " headers)");
  }

  private static void assertEndpointProblem(String endpoint, String problem) {
    assertThat(problems("exporters:", "  otlp_grpc: { endpoint: '" + endpoint + "' }"))
        .containsExactly("exporters::otlp_grpc::endpoint: \"" + endpoint + "\" " + problem);
  }

  @Test
  void parse_endpointForms_areUnderstood() {
    assertThat(Endpoint.parseGrpc("[::1]:4317", true))
        .isEqualTo(new Endpoint("::1", 4317, true, "/"));
    assertThat(Endpoint.parseGrpc("[::1]:4317", true).authority()).isEqualTo("[::1]:4317");
    assertThat(Endpoint.parseGrpc("my_host:4317", false))
        .isEqualTo(new Endpoint("my_host", 4317, false, "/"));
    assertThat(Endpoint.parseGrpc("HTTP://h", false)).isEqualTo(new Endpoint("h", 80, true, "/"));
    assertThat(Endpoint.parseUrl("http://h:4318/p").below("/v1/logs").path())
        .isEqualTo("/p/v1/logs");
    assertThat(Endpoint.parseUrl("http://h:4318").below("/v1/logs").path()).isEqualTo("/v1/logs");
  }

  @Test
  void readAll_givingUp_isNotPossible() {
    assertThat(grpcProblems("retry_on_failure: { max_elapsed_time: 5m }"))
        .containsExactly(
            "exporters::otlp_grpc/x::retry_on_failure::max_elapsed_time: 5m (expected 0): Spillway"
                + " never gives up by itself; buffer::max_age and buffer::max_bytes bound what is"
                + " kept");
    assertThat(grpcProblems("retry_on_failure: { max_elapsed_time: 0 }")).isEmpty();
    assertThat(grpcProblems("retry_on_failure: { enabled: false }"))
        .containsExactly(
            "exporters::otlp_grpc/x::retry_on_failure::enabled: false is not possible: Spillway"
                + " keeps data until a sink takes it (see max_age)");
  }

  @Test
  void readAll_retryIntervalsCrossed_isAProblem() {
    assertThat(grpcProblems("retry_on_failure: { initial_interval: 5s, max_interval: 2s }"))
        .containsExactly(
            "exporters::otlp_grpc/x::retry_on_failure::max_interval: 2s is below initial_interval"
                + " 5s (expected >= 5s)");
  }

  @Test
  void readAll_compressionNotSupported_isAProblem() {
    assertThat(grpcProblems("compression: snappy"))
        .containsExactly(
            "exporters::otlp_grpc/x::compression: snappy is not supported yet (expected gzip, zstd"
                + " or none); gzip is what every OTLP sink takes");
    assertThat(grpcProblems("compression: lz4"))
        .containsExactly(
            "exporters::otlp_grpc/x::compression: \"lz4\" (expected gzip, zstd or none)");
  }

  @Test
  void readAll_badHeaders_areProblemsWithoutTheirValues() {
    assertThat(grpcProblems("headers: { 'a b': x, Host: x, api-key: \"to\\u00e9p\", x-bin: x }"))
        .containsExactly(
            "exporters::otlp_grpc/x::headers: \"a b\" is not a header name",
            "exporters::otlp_grpc/x::headers: Host is set by Spillway itself (expected other"
                + " names)",
            "exporters::otlp_grpc/x::headers: the value of api-key has characters other than"
                + " printable ASCII",
            "exporters::otlp_grpc/x::headers: x-bin is a name that gRPC keeps for itself (expected"
                + " another name)");
  }

  @Test
  void readAll_tlsThatContradictsTheEndpoint_isAProblem() {
    assertThat(grpcProblems("tls: { insecure: true }"))
        .containsExactly(
            "exporters::otlp_grpc/x::tls::insecure: true contradicts an https:// endpoint"
                + " (expected false, or http://)");
    assertThat(
            problems(
                "exporters:",
                "  otlp_grpc: { endpoint: 'http://h', tls: { server_name_override: x } }"))
        .containsExactly(
            "exporters::otlp_grpc::tls: is set, but the endpoint is not encrypted (expected"
                + " https://, or no tls)");
  }

  @Test
  void readAll_tlsFilesUnusable_areProblems(@TempDir Path folder) throws Exception {
    Path missing = folder.resolve("missing.pem");
    Path junk = Files.writeString(folder.resolve("junk.pem"), "not PEM");
    Path empty = Files.writeString(folder.resolve("empty.pem"), "");
    TestCertificates.Identity good = TestCertificates.client();

    assertThat(grpcProblems("tls: { ca_file: '" + missing + "' }"))
        .containsExactly(
            "exporters::otlp_grpc/x::tls::ca_file: cannot read "
                + missing
                + " (NoSuchFileException)");
    assertThat(grpcProblems("tls: { ca_file: '" + junk + "' }"))
        .containsExactly(
            "exporters::otlp_grpc/x::tls::ca_file: " + junk + " holds no certificate in PEM");
    assertThat(grpcProblems("tls: { cert_file: '" + good.certificate() + "' }"))
        .containsExactly(
            "exporters::otlp_grpc/x::tls::key_file: is missing (expected cert_file and key_file"
                + " together, or neither)");
    assertThat(
            grpcProblems(
                "tls: { cert_file: '" + good.certificate() + "', key_file: '" + empty + "' }"))
        .containsExactly(
            "exporters::otlp_grpc/x::tls::key_file: " + empty + " is empty (expected PEM)");
    assertThat(
            grpcProblems(
                "tls: { cert_file: '" + good.certificate() + "', key_file: '" + junk + "' }"))
        .containsExactly(notAPair(good.certificate(), junk));
    assertThat(
            grpcProblems(
                "tls: { cert_file: '" + good.certificate() + "', key_file: '" + good.key() + "' }"))
        .isEmpty();
  }

  @Test
  void readAll_keyOfAnotherCertificate_isReported() {
    Path certificate = TestCertificates.client().certificate();
    Path key = TestCertificates.localhost().key();

    assertThat(grpcProblems("tls: { cert_file: '" + certificate + "', key_file: '" + key + "' }"))
        .containsExactly(
            "exporters::otlp_grpc/x::tls::cert_file: "
                + certificate
                + " and "
                + key
                + " do not belong together (expected the key of the first certificate)");
  }

  @Test
  void readAll_reloadAndVersionOutOfBounds_areReported() {
    assertThat(grpcProblems("tls: { reload_interval: 50ms, min_version: '1.1' }"))
        .containsExactly(
            "exporters::otlp_grpc/x::tls::reload_interval: 50ms is too short (expected 0 for never,"
                + " or >= 100ms)",
            "exporters::otlp_grpc/x::tls::min_version: \"1.1\" (expected 1.2 or 1.3)");
    assertThat(grpcProblems("tls: { reload_interval: 0, min_version: 1.3 }")).isEmpty();
  }

  private static String notAPair(Path certificate, Path key) {
    return "exporters::otlp_grpc/x::tls::cert_file: "
        + certificate
        + " and "
        + key
        + " are not a certificate and its key (expected PEM, the key in PKCS#8 and not encrypted)";
  }

  @Test
  void readAll_unknownKey_isReported() {
    assertThat(grpcProblems("timeot: 3s")).singleElement().asString().contains("\"timeout\"");
  }

  @Test
  void readAll_authMistakes_areAllSaid(@TempDir Path folder) throws Exception {
    Path empty = Files.writeString(folder.resolve("empty"), " \n");
    Path binary = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xff, 1});

    assertThat(
            grpcProblems(
                "headers: { Authorization: x }, header_files: { x-a: "
                    + folder.resolve("none")
                    + ", x-b: "
                    + empty
                    + ", x-c: "
                    + binary
                    + ", te: "
                    + empty
                    + " }, auth: { basic: { username: 'a:b' }, bearer_token: \"\" }"))
        .containsExactlyInAnyOrder(
            "exporters::otlp_grpc/x::header_files: cannot read %s (NoSuchFileException)"
                .formatted(folder.resolve("none")),
            noSecret("header_files", empty),
            noSecret("header_files", binary),
            "exporters::otlp_grpc/x::header_files: te is set by Spillway itself (expected other"
                + " names)",
            "exporters::otlp_grpc/x::auth: basic and bearer_token are set (expected one of them)",
            "exporters::otlp_grpc/x::auth: is set, and the header Authorization too (expected one"
                + " of them)",
            "exporters::otlp_grpc/x::auth::basic::username: has a colon, which ends it (expected"
                + " none)",
            "exporters::otlp_grpc/x::auth::basic::password: missing (expected password or"
                + " password_file)");
  }

  private static String noSecret(String key, Path file) {
    return "exporters::otlp_grpc/x::%s: %s holds no secret (expected one line of printable ASCII, at most 65536 bytes)"
        .formatted(key, file);
  }

  @Test
  void readAll_oauthMistakes_areAllSaid() {
    assertThat(
            grpcProblems(
                "auth: { oauth2: { client_secret: a, client_secret_file: /nowhere, token_url:"
                    + " 'ftp://h', timeout: 0s } }"))
        .containsExactlyInAnyOrder(
            "exporters::otlp_grpc/x::auth::oauth2::client_id: missing (expected client_id or"
                + " client_id_file)",
            "exporters::otlp_grpc/x::auth::oauth2::client_secret: is set, and client_secret_file"
                + " too (expected one of them)",
            "exporters::otlp_grpc/x::auth::oauth2::client_secret_file: cannot read /nowhere"
                + " (NoSuchFileException)",
            "exporters::otlp_grpc/x::auth::oauth2::token_url: has the scheme \"ftp\" (expected http"
                + " or https)",
            "exporters::otlp_grpc/x::auth::oauth2::timeout: \"0s\" is out of range (expected from"
                + " 10ms to 10m)");
  }

  @Test
  void destinations_oauth_hasTheTokenEndpointToo() {
    ExporterConfig config =
        read(
                "exporters:",
                "  otlp_http: { endpoint: 'https://h', auth: { oauth2: { client_id: i,"
                    + " client_secret: s, token_url: 'https://idp.example/token' } } }")
            .get("otlp_http");

    assertThat(config.destinations())
        .containsExactly(
            new Destination("h", 443, false), new Destination("idp.example", 443, false));
  }
}
