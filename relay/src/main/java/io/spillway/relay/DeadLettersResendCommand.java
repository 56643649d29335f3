package io.spillway.relay;

import io.spillway.config.Configuration;
import io.spillway.exporters.ExporterConfig;
import io.spillway.relay.buffer.CommandFailure;
import io.spillway.relay.buffer.DeadLetterResend;
import io.spillway.relay.buffer.LetterNames;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code buffer dead-letters resend}: sends dead letters once more. */
@Command(
    name = "resend",
    description = {
      "Sends dead letters, all if none is named, to an exporter of the configuration, within its"
          + " egress policy, and removes those that it took whole.",
      "The ledger stays as it is: they are counted as dropped. Exit code 0 only if all were taken."
    },
    mixinStandardHelpOptions = true)
final class DeadLettersResendCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();
  @Mixin private ResendOptions resend = new ResendOptions();
  @Mixin private LetterNames names = new LetterNames();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws InterruptedException {
    return CommandFailure.guard(spec, this::resend);
  }

  private int resend() throws CommandFailure, IOException, InterruptedException {
    Duration patience = resend.patience();
    Configuration configuration = options.load();
    RelayConfig config = RelayConfig.read(configuration);
    if (ConfigReport.problems(configuration, spec.commandLine().getErr())) {
      return Main.BAD_CONFIG;
    }
    ExporterConfig sink = resend.sink(config);
    List<LetterNames.Chosen> chosen = names.choose(resend.buffer(config));
    Logging.quiet();
    DeadLetterResend.Result result =
        ResendOptions.with(
            config,
            sink,
            exporter ->
                new DeadLetterResend(exporter, patience, spec.commandLine().getErr()).run(chosen));
    print(result);
    return result.isComplete() ? 0 : 1;
  }

  private void print(DeadLetterResend.Result result) {
    spec.commandLine()
        .getOut()
        .printf(
            Locale.ROOT,
            "%s: %,d dead letters with %,d items delivered and removed, %,d stay%n",
            resend.exporterId(),
            result.letters(),
            result.items(),
            result.left());
    if (result.stopped() != null) {
      spec.commandLine().getErr().println("stopped: " + result.stopped());
      spec.commandLine().getErr().flush();
    }
  }
}
