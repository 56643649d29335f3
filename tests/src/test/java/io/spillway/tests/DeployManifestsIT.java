package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** What is in {@code deploy} is what the program takes. */
@Timeout(300)
class DeployManifestsIT {

  private static final Path DEPLOY =
      Path.of(System.getProperty("spillway.repository", "..")).resolve("deploy");
  private static final YAMLMapper YAML = YAMLMapper.builder().build();

  @RegisterExtension final Lab lab = new Lab();

  @ParameterizedTest
  @ValueSource(strings = {"sidecar.yaml", "daemonset.yaml"})
  void config_inManifest_isValid(String manifest) throws Exception {
    List<String> configs = new ArrayList<>();
    for (JsonNode document : documents(DEPLOY.resolve("kubernetes").resolve(manifest))) {
      if (document.path("kind").asString().equals("ConfigMap")) {
        configs.add(document.required("data").required("config.yaml").asString());
      }
    }
    assertThat(configs).hasSize(1);

    assertValid(configs.getFirst());
  }

  @Test
  void config_ofImage_isValid() throws Exception {
    assertValid(Files.readString(DEPLOY.resolve("image/config.yaml")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sidecar.yaml", "daemonset.yaml"})
  void probes_inManifest_reachTheAdminServer(String manifest) throws Exception {
    int probes = 0;
    for (JsonNode document : documents(DEPLOY.resolve("kubernetes").resolve(manifest))) {
      for (String probe : List.of("startupProbe", "readinessProbe", "livenessProbe")) {
        for (JsonNode found : document.findValues(probe)) {
          assertThat(found.required("httpGet").required("path").asString())
              .isEqualTo(probe.equals("livenessProbe") ? "/livez" : "/readyz");
          assertThat(found.required("httpGet").required("port").asString()).isEqualTo("admin");
          probes++;
        }
      }
    }
    assertThat(probes).isEqualTo(3);
  }

  private void assertValid(String config) throws IOException {
    Path file = lab.directory().resolve("config.yaml");
    Files.writeString(file, config);

    Program.Result result =
        Program.run(
            lab.directory(),
            Map.of("VENDOR_KEY", "key", "ADMIN_TOKEN", "token"),
            "validate",
            "--config",
            file.toString());

    assertThat(result.exitCode()).as(result.err()).isZero();
  }

  private static List<JsonNode> documents(Path file) throws IOException {
    try (var values = YAML.readerFor(JsonNode.class).<JsonNode>readValues(file.toFile())) {
      return values.readAll();
    }
  }
}
