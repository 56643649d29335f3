package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.config.Problems.Problem;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OtlpReceiverConfigTest {
  private static final int MIB = 1 << 20;

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
