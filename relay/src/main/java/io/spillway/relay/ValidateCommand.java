package io.spillway.relay;

import io.spillway.config.Configuration;
import java.io.PrintWriter;
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
    warn(config, spec.commandLine().getErr());
    if (report(configuration, spec.commandLine().getErr())) {
      return Main.BAD_CONFIG;
    }
    spec.commandLine().getOut().println("The configuration is valid.");
    return 0;
  }

  /** Prints what is not as it should be, and yet keeps nothing from running. */
  static void warn(RelayConfig config, PrintWriter err) {
    config.warnings().forEach(warning -> err.println("warning: " + warning));
    err.flush();
  }

  /** Prints the problems; whether there are any. */
  static boolean report(Configuration configuration, PrintWriter err) {
    var problems = configuration.problems().all();
    problems.forEach(err::println);
    if (!problems.isEmpty()) {
      err.printf(
          "%d problem%s in the configuration.%n", problems.size(), problems.size() == 1 ? "" : "s");
    }
    err.flush();
    return !problems.isEmpty();
  }
}
