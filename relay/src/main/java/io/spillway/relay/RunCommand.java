package io.spillway.relay;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code run}: the relay, until a signal stops it. */
@Command(
    name = RunArguments.VERB,
    description =
        "Runs the relay until SIGTERM or SIGINT. SIGHUP, or a changed file, reloads the"
            + " configuration.",
    mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = RunArguments.SHUTDOWN_TIMEOUT,
      paramLabel = "SECONDS",
      defaultValue = "" + RelayRun.SHUTDOWN_TIMEOUT_SECONDS,
      description =
          "How long a stop waits for what is in flight; the rest stays on disk. Default:"
              + " ${DEFAULT-VALUE}.")
  private int shutdownTimeoutSeconds;

  ConfigOptions options() {
    return options;
  }

  int shutdownTimeoutSeconds() {
    return shutdownTimeoutSeconds;
  }

  @Override
  public Integer call() throws InterruptedException {
    return new RelayRun(options, spec.commandLine().getErr()).run(shutdownTimeoutSeconds);
  }
}
