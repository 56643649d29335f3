package io.spillway.relay;

import io.spillway.config.Configuration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code print-config}: the configuration as merged, variables put in, secrets taken out. */
@Command(
    name = "print-config",
    description = "Prints the merged configuration with secrets redacted.",
    mixinStandardHelpOptions = true)
final class PrintConfigCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    Configuration configuration = options.load();
    RelayConfig.read(configuration);
    spec.commandLine().getOut().print(configuration.toYaml());
    spec.commandLine().getOut().flush();
    return ConfigReport.problems(configuration, spec.commandLine().getErr()) ? Main.BAD_CONFIG : 0;
  }
}
