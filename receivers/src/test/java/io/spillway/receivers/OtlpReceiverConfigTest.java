package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.config.Problems.Problem;
import io.spillway.otlp.Signal;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OtlpReceiverConfigTest {
  private static final int MIB = 1 << 20;

  // conformance: G-02, G-21, H-01, H-25
  @Test
  void read_sectionAbsent_bothOnLoopback() {
    assertThat(read("buffer: {}"))
        .isEqualTo(
            new OtlpReceiverConfig(
                new OtlpReceiverConfig.Grpc(new Endpoint("127.0.0.1", 4317), 64 * MIB),
                new OtlpReceiverConfig.Http(new Endpoint("127.0.0.1", 4318), 64 * MIB)));
  }

  @Test
  void read_protocolWithoutValues_isServedOnDefaultEndpoint() {
    OtlpReceiverConfig config = read("receivers: { otlp: { protocols: { grpc: } } }");

    assertThat(config.grpc())
        .isEqualTo(new OtlpReceiverConfig.Grpc(new Endpoint("127.0.0.1", 4317), 64 * MIB));
    assertThat(config.http()).isNull();
  }

  // conformance: G-21, H-25
  @Test
  void read_allKeys_areTaken() {
    OtlpReceiverConfig config =
        read(
            """
            receivers:
              otlp:
                protocols:
                  grpc: { endpoint: 0.0.0.0:14317, max_recv_msg_size_mib: 8 }
                  http: { endpoint: "[::1]:14318", max_request_body_size: 512KiB }
            """);

    assertThat(config)
        .isEqualTo(
            new OtlpReceiverConfig(
                new OtlpReceiverConfig.Grpc(new Endpoint("0.0.0.0", 14317), 8 * MIB),
                new OtlpReceiverConfig.Http(new Endpoint("::1", 14318), MIB / 2)));
  }

  @Test
  void read_admission_isTakenOrPartOfTheHeap() {
    String protocols = "protocols: { grpc: }";

    assertThat(
            read("receivers: { otlp: { admission: { request_limit_mib: 96 }, " + protocols + " } }")
                .admission())
        .isEqualTo(new AdmissionConfig(96));
    assertThat(read("receivers: { otlp: { " + protocols + " } }").admission())
        .isEqualTo(AdmissionConfig.DEFAULT);
  }

  // conformance: H-02, H-60
  @Test
  void read_pathsAndCors_areTaken() {
    OtlpReceiverConfig config =
        read(
            """
            receivers:
              otlp:
                protocols:
                  http:
                    traces_url_path: /otlp/traces
                    cors:
                      allowed_origins: [ "https://*.example", "*" ]
                      allowed_headers: [ x-tenant ]
                      exposed_headers: [ retry-after ]
                      max_age: 7200
            """);

    assertThat(config.http().service().cors())
        .isEqualTo(
            new Cors(
                List.of("https://*.example", "*"),
                List.of("x-tenant"),
                List.of("retry-after"),
                7200));
    assertThat(config.http().service().paths().signal("/otlp/traces?x")).isEqualTo(Signal.TRACES);
    assertThat(config.http().service().paths().signal("/v1/traces")).isNull();
    assertThat(config.http().service().paths().signal("/v1/logs")).isEqualTo(Signal.LOGS);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "traces_url_path: v1       | traces_url_path       | \"v1\" is not a path (expected one"
            + " that begins with / and has no ? and no #)",
        "logs_url_path: /v1/traces | logs_url_path         | \"/v1/traces\" is the path of traces"
            + " too (expected one of its own)",
        "cors: { max_age: 1 }      | cors::allowed_origins | no origin is allowed (expected at"
            + " least one, or no cors section)",
        "cors: { allowed_origins: ['*.*'] } | cors::allowed_origins | \"*.*\" is not an origin"
            + " (expected for example https://app.example, with at most one *)"
      })
  void read_badPathOrOrigin_isAProblem(String yaml, String key, String message) {
    assertThat(problems("receivers: { otlp: { protocols: { http: { " + yaml + " } } } }"))
        .containsExactly(new Problem("receivers::otlp::protocols::http::" + key, message));
  }

  /** So no request is near the 2 GiB that a length in protobuf can say. */
  // conformance: W-49
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "grpc: { max_recv_msg_size_mib: 1025 } | grpc::max_recv_msg_size_mib",
        "http: { max_request_body_size: 1025MiB } | http::max_request_body_size",
      })
  void read_limitAbove1GiB_isAProblem(String yaml, String key) {
    assertThat(problems("receivers: { otlp: { protocols: { " + yaml + " } } }"))
        .singleElement()
        .extracting(Problem::path)
        .isEqualTo("receivers::otlp::protocols::" + key);
  }

  @Test
  void read_noProtocol_isAProblem() {
    assertThat(problems("receivers: { otlp: {} }"))
        .containsExactly(
            new Problem(
                "receivers::otlp::protocols",
                "no protocol is configured (expected grpc, http or both)"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"localhost", "http://0.0.0.0:4317", "0.0.0.0:65536", "::1:4317", "host:", "a b:1"})
  void read_badEndpoint_isAProblem(String endpoint) {
    assertThat(
            problems(
                "receivers: { otlp: { protocols: { grpc: { endpoint: \"" + endpoint + "\" } } } }"))
        .containsExactly(
            new Problem(
                "receivers::otlp::protocols::grpc::endpoint",
                "\""
                    + endpoint
                    + "\" is not an address to listen on"
                    + " (expected host:port, for example 127.0.0.1:4317, or"
                    + " unix:///run/otlp.sock of at most 107 bytes)"));
  }

  @Test
  void read_misspelledKey_isReportedAsUnknown() {
    assertThat(problems("receivers: { otlp: { protocols: { http: { endpiont: 1 } } } }"))
        .singleElement()
        .extracting(Problem::path)
        .isEqualTo("receivers::otlp::protocols::http::endpiont");
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:4317, 127.0.0.1, 4317",
    "localhost:0, localhost, 0",
    ":4318, 0.0.0.0, 4318",
    "[::]:4317, ::, 4317"
  })
  void parse_endpoint_givesHostAndPort(String text, String host, int port) {
    assertThat(Endpoint.parse(text)).isEqualTo(new Endpoint(host, port));
  }

  private static OtlpReceiverConfig read(String yaml) {
    Configuration configuration = ConfigurationLoader.parse("test.yaml", yaml, Map.of());
    OtlpReceiverConfig config = OtlpReceiverConfig.read(configuration.root().section("receivers"));
    assertThat(configuration.problems().all()).isEmpty();
    return config;
  }

  private static List<Problem> problems(String yaml) {
    Configuration configuration = ConfigurationLoader.parse("test.yaml", yaml, Map.of());
    OtlpReceiverConfig.read(configuration.root().section("receivers"));
    configuration.reportUnknownKeys();
    return configuration.problems().all();
  }
}
