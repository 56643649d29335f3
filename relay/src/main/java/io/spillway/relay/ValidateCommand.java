package io.spillway.relay;

import io.spillway.config.Configuration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code validate}: reports all problems of a configuration at once. */
@Command(
    name = "validate",
    description = "Checks a configuration and reports all problems; exit code 2 if there are any.",
    mixinStandardHelpOptions = true)
final class ValidateCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    Configuration configuration = options.load();
    RelayConfig config = RelayConfig.read(configuration);
    ConfigReport.warn(config, spec.commandLine().getErr());
    if (ConfigReport.problems(configuration, spec.commandLine().getErr())) {
      return Main.BAD_CONFIG;
    }
    spec.commandLine().getOut().println("The configuration is valid.");
    return 0;
  }
}
