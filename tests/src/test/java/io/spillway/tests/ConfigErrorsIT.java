package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A configuration with mistakes is refused with all of them named, and nothing is started. */
@Timeout(300)
class ConfigErrorsIT {

  private static final String BAD =
      """
      receivers:
        otlp:
          protocols:
            grpc: { endpoint: "127.0.0.1:0", max_recv_msg_size_mb: 4 }
      buffer:
        directory: data
        max_bytes: plenty
        durabilty: power
      exporters:
        otlp_grpc/eu:
          endpoint: http://127.0.0.1:4317
          headers: { api-key: "${env:SPILLWAY_TEST_MISSING}" }
          retry_on_failure: { initial_interval: 5s, max_interval: 2s }
      routes:
        - name: payments
          match: { resource: { service.namespace: payments } }
          exporters: [otlp_grpc/ue]
        - name: default
          exporters: [otlp_grpc/eu]
      """;

  @RegisterExtension final Lab lab = new Lab();

  @ParameterizedTest
  @ValueSource(strings = {"run", "validate"})
  void verb_severalMistakes_namesAllAndExits2(String verb) throws Exception {
    Program.Result result = Program.run(lab.directory(), Map.of(), verb, "--config", config(BAD));

    assertThat(result.exitCode()).as(result.err()).isEqualTo(2);
    assertThat(result.err())
        .contains("max_recv_msg_size_mb", "did you mean \"max_recv_msg_size_mib\"?")
        .contains("buffer::max_bytes", "plenty")
        .contains("durabilty", "did you mean \"durability\"?")
        .contains("SPILLWAY_TEST_MISSING")
        .contains("exporters::otlp_grpc/eu::retry_on_failure::max_interval")
        .contains("\"otlp_grpc/ue\"", "did you mean \"otlp_grpc/eu\"?");
    assertThat(Files.exists(lab.directory().resolve("data"))).isFalse();
  }

  @Test
  void validate_variableThatIsSet_isAccepted() throws Exception {
    String good =
        BAD.replace(", max_recv_msg_size_mb: 4", "")
            .replace("max_bytes: plenty", "max_bytes: 1GiB")
            .replace("durabilty", "durability")
            .replace("max_interval: 2s", "max_interval: 20s")
            .replace("otlp_grpc/ue", "otlp_grpc/eu");

    Program.Result result =
        Program.run(
            lab.directory(),
            Map.of("SPILLWAY_TEST_MISSING", "s3cret"),
            "validate",
            "--config",
            config(good));

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.out() + result.err()).doesNotContain("s3cret");
  }

  @Test
  void validate_destinationOutsideThePolicy_isAProblem() throws Exception {
    String denied =
        """
        exporters:
          otlp_http/there: { endpoint: "https://elsewhere.example" }
        egress:
          allow: [ { host: "*.vendor.example", ports: [443] } ]
        routes:
          - { name: default, exporters: [otlp_http/there] }
        """;

    Program.Result result =
        Program.run(lab.directory(), Map.of(), "validate", "--config", config(denied));

    assertThat(result.exitCode()).as(result.err()).isEqualTo(2);
    assertThat(result.err()).contains("exporters::otlp_http/there", "elsewhere.example");
  }

  @Test
  void validate_noYaml_isAProblem() throws Exception {
    Program.Result result =
        Program.run(lab.directory(), Map.of(), "validate", "--config", config("a: [b\n"));

    assertThat(result.exitCode()).as(result.err()).isEqualTo(2);
    assertThat(result.err()).contains("config.yaml");
  }

  @Test
  void validate_noFile_isAProblem() {
    Program.Result result =
        Program.run(lab.directory(), Map.of(), "validate", "--config", "no-such.yaml");

    assertThat(result.exitCode()).as(result.err()).isEqualTo(2);
    assertThat(result.err()).contains("no-such.yaml");
  }

  private String config(String yaml) throws IOException {
    Path file = lab.directory().resolve("config.yaml");
    Files.writeString(file, yaml);
    return file.toString();
  }
}
