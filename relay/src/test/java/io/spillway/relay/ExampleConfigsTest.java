package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ExampleConfigsTest {

  private static final Map<String, String> ENVIRONMENT =
      Map.of("VENDOR_KEY", "k", "ADMIN_TOKEN", "t", "PROXY_PASSWORD", "p");
  private static final Pattern YAML_IN_README =
      Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);

  static List<Path> examples() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("../docs/examples"))) {
      return files.filter(file -> file.toString().endsWith(".yaml")).toList();
    }
  }

  @ParameterizedTest
  @MethodSource("examples")
  void example_loaded_hasNoProblems(Path file) {
    Configuration configuration = ConfigurationLoader.load(List.of(file), List.of(), ENVIRONMENT);

    RelayConfig.read(configuration);

    assertThat(configuration.problems().all()).isEmpty();
  }

  @Test
  void readme_yaml_hasNoProblems() throws IOException {
    Matcher yaml = YAML_IN_README.matcher(Files.readString(Path.of("../README.md")));
    assertThat(yaml.find()).isTrue();
    Configuration configuration = ConfigurationLoader.parse("README", yaml.group(1), ENVIRONMENT);

    RelayConfig.read(configuration);

    assertThat(configuration.problems().all()).isEmpty();
  }
}
