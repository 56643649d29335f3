package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class RunArgumentsTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "run",
        "run --config a.yaml",
        "run --config=a.yaml --config b.yaml",
        "run --set a.b=1 --config a.yaml --set=c.d=x=y",
        "run --shutdown-timeout 3",
        "run --shutdown-timeout=0 --config a.yaml"
      })
  void plain_options_asPicocliReadsThem(String line) {
    String[] args = line.split(" ");
    RunCommand command = new RunCommand();
    new CommandLine(command)
        .parseArgs(List.of(args).subList(1, args.length).toArray(String[]::new));

    RunArguments read = Objects.requireNonNull(RunArguments.plain(args));

    assertThat(read.files()).isEqualTo(command.options().files());
    assertThat(read.overrides()).isEqualTo(command.options().overrides());
    assertThat(read.shutdownTimeout().orElse(RelayRun.SHUTDOWN_TIMEOUT_SECONDS))
        .isEqualTo(command.shutdownTimeoutSeconds());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "validate --config a.yaml",
        "run --help",
        "run --config",
        "run --config=",
        "run --config --set",
        "run --config @arguments",
        "run --config \"a.yaml\"",
        "run a.yaml",
        "run --shutdown-timeout soon",
        "run --shutdown-timeout 10000000000",
        "run --shutdown-timeout 1 --shutdown-timeout 2",
        "run --unknown 1"
      })
  void plain_anythingElse_isLeftToPicocli(String line) {
    assertThat(RunArguments.plain(line.split(" "))).isNull();
  }

  @Test
  void plain_noArguments_isLeftToPicocli() {
    assertThat(RunArguments.plain()).isNull();
  }

  @Test
  void plain_values_areKept() {
    assertThat(RunArguments.plain("run", "--config", "a b.yaml", "--shutdown-timeout", "7"))
        .isEqualTo(new RunArguments(List.of(Path.of("a b.yaml")), List.of(), OptionalInt.of(7)));
  }
}
