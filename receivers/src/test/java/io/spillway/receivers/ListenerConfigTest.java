package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.config.Problems.Problem;
import io.spillway.otlp.tls.TestCertificates;
import io.spillway.otlp.tls.TlsVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ListenerConfigTest {
  private static final Path CERT = TestCertificates.localhost().certificate();
  private static final Path KEY = TestCertificates.localhost().key();
  private static final String SUITE = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
  private static final String PATH = "receivers::otlp::protocols::grpc::";

  @TempDir Path folder;

  @Test
  void read_allKeysOfGrpc_areTaken() throws IOException {
    Path tokens = Files.writeString(folder.resolve("tokens"), "t0ken");
    String yaml =
        """
        tls: { cert_file: '%s', key_file: '%s', client_ca_file: '%s', min_version: "1.3", reload_interval: 10s, cipher_suites: [ %s ] }
        auth: { bearer_token_file: '%s' }
        max_connections: 7
        keepalive:
          server_parameters:
            { max_connection_idle: 1s, max_connection_age: 2s, max_connection_age_grace: 3s, time: 4s, timeout: 5s }
          enforcement_policy: { min_time: 6s, permit_without_stream: false }
        """
            .formatted(CERT, KEY, CERT, SUITE, tokens);

    assertThat(read("grpc", yaml).grpc().guard())
        .isEqualTo(
            new GrpcGuard(
                new ListenerConfig(
                    new TlsServerConfig(
                        CERT, KEY, CERT, TlsVersion.TLS_1_3, List.of(SUITE), seconds(10)),
                    new AuthConfig(AuthConfig.Kind.BEARER_TOKENS, tokens, ""),
                    7),
                new Keepalive(
                    seconds(1),
                    seconds(2),
                    seconds(3),
                    seconds(4),
                    seconds(5),
                    seconds(6),
                    false)));
  }

  @Test
  void read_allKeysOfHttp_areTaken() throws IOException {
    Path users = Files.writeString(folder.resolve("users"), "ann:secret");
    String yaml =
        """
        auth: { basic: { htpasswd_file: '%s' } }
        read_header_timeout: 1s
        read_timeout: 2s
        write_timeout: 3s
        """
            .formatted(users);

    HttpGuard guard = read("http", yaml).http().guard();

    assertThat(guard.listener().auth())
        .isEqualTo(new AuthConfig(AuthConfig.Kind.HTPASSWD, users, ""));
    assertThat(guard.listener().tls()).isNull();
    assertThat(guard.timeouts())
        .isEqualTo(
            new HttpTimeouts(seconds(1), seconds(2), seconds(3), HttpTimeouts.DEFAULT.linger()));
  }

  @Test
  void read_nothing_isOpenAndTolerant() {
    assertThat(read("grpc", "max_recv_msg_size_mib: 64").grpc().guard())
        .isEqualTo(GrpcGuard.DEFAULT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"tls:", "tls: {}", "tls: { min_version: \"1.3\" }"})
  void read_tlsWithoutFiles_isAProblem(String yaml) {
    assertThat(problems(yaml))
        .containsExactly(
            new Problem(
                PATH + "tls",
                "needs cert_file and key_file (expected both, or no tls to serve unencrypted)"));
  }

  @Test
  void read_unknownCipherSuite_isAProblem() {
    String files = "cert_file: '" + CERT + "', key_file: '" + KEY + "'";

    assertThat(problems("tls: { " + files + ", cipher_suites: [ " + SUITE + ", RC4-MD5 ] }"))
        .containsExactly(
            new Problem(
                PATH + "tls::cipher_suites",
                "\"RC4-MD5\" is not among what this JVM enables"
                    + " (expected IANA names, for example "
                    + SUITE
                    + ")"));
  }

  @Test
  void read_tlsFilesThatDoNotBelongTogether_isAProblem() {
    Path key = TestCertificates.client().key();

    assertThat(problems("tls: { cert_file: '" + CERT + "', key_file: '" + key + "' }"))
        .containsExactly(
            new Problem(
                PATH + "tls::cert_file",
                CERT
                    + " and "
                    + key
                    + " do not belong together (expected the key of the first certificate)"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "auth:",
        "auth: { basic: { username: ann } }",
        "auth: { bearer_token_file: a, basic: { htpasswd_file: b } }"
      })
  void read_notOneFileOfCredentials_isAProblem(String yaml) {
    assertThat(problems(yaml))
        .containsExactly(
            new Problem(
                PATH + "auth",
                "needs one file (expected bearer_token_file, basic::htpasswd_file, or"
                    + " basic::username and basic::password_file)"));
  }

  @Test
  void read_credentialsThatCannotBeRead_isAProblem() {
    assertThat(problems("auth: { bearer_token_file: /nowhere/tokens }"))
        .containsExactly(
            new Problem(
                PATH + "auth::bearer_token_file",
                "cannot read /nowhere/tokens (NoSuchFileException)"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "endpoint: unix:///run/spillway/otlp.sock",
        "transport: unix\nendpoint: /run/spillway/otlp.sock",
        "transport: unix\nendpoint: unix:///run/spillway/otlp.sock"
      })
  void read_unixSocket_inEitherSpelling(String yaml) {
    Endpoint endpoint = read("grpc", yaml).grpc().endpoint();

    assertThat(endpoint.socket()).isEqualTo(Path.of("/run/spillway/otlp.sock"));
    assertThat(endpoint).hasToString("unix:///run/spillway/otlp.sock");
  }

  @ParameterizedTest
  @ValueSource(strings = {"unix://relative", "unix://"})
  void read_socketThatIsNone_isAProblem(String endpoint) {
    assertThat(problems("endpoint: " + endpoint))
        .singleElement()
        .extracting(Problem::path)
        .isEqualTo(PATH + "endpoint");
  }

  @Test
  void read_socketWithTooLongAPath_isAProblem() {
    assertThat(problems("endpoint: unix:///" + "x".repeat(107)))
        .singleElement()
        .extracting(Problem::message)
        .asString()
        .endsWith("or unix:///run/otlp.sock of at most 107 bytes)");
  }

  private static Duration seconds(int seconds) {
    return Duration.ofSeconds(seconds);
  }

  private static Configuration parse(String protocol, String yaml) {
    String text = "receivers:\n  otlp:\n    protocols:\n      " + protocol + ":\n" + yaml.indent(8);
    return ConfigurationLoader.parse("test.yaml", text, Map.of());
  }

  private static OtlpReceiverConfig read(String protocol, String yaml) {
    Configuration configuration = parse(protocol, yaml);
    OtlpReceiverConfig config = OtlpReceiverConfig.read(configuration.root().section("receivers"));
    configuration.reportUnknownKeys();
    assertThat(configuration.problems().all()).isEmpty();
    return config;
  }

  private static List<Problem> problems(String yaml) {
    Configuration configuration = parse("grpc", yaml);
    OtlpReceiverConfig.read(configuration.root().section("receivers"));
    configuration.reportUnknownKeys();
    return configuration.problems().all();
  }
}
