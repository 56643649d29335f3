package io.spillway.relay;

import io.spillway.buffer.BufferReader;
import io.spillway.config.Configuration;
import io.spillway.config.Durations;
import io.spillway.exporters.ExporterConfig;
import io.spillway.exporters.Exporters;
import io.spillway.otlp.stage.Exporter;
import io.spillway.relay.audit.EgressAudit;
import io.spillway.relay.buffer.CommandFailure;
import io.spillway.relay.buffer.DeadLetterResend;
import io.spillway.relay.buffer.LetterNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
  @Mixin private LetterNames names = new LetterNames();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--exporter",
      paramLabel = "ID",
      required = true,
      description = "Where to: an id of the configuration's exporters.")
  private String exporterId = "";

  @Option(
      names = "--directory",
      paramLabel = "DIR",
      description = "Another buffer directory than the configuration's, for example a copy.")
  private @Nullable Path directory;

  @Option(
      names = "--retry-for",
      paramLabel = "DURATION",
      defaultValue = "5m",
      description =
          "How long a request is tried again while the sink says that it cannot take it now."
              + " Default: ${DEFAULT-VALUE}.")
  private String retryFor = "";

  @Override
  public Integer call() throws InterruptedException {
    return CommandFailure.guard(spec, this::resend);
  }

  private int resend() throws CommandFailure, IOException, InterruptedException {
    Duration patience =
        Durations.parse(retryFor)
            .orElseThrow(
                () ->
                    CommandFailure.badUsage(
                        "--retry-for: \"%s\" (expected %s)"
                            .formatted(retryFor, Durations.EXPECTED)));
    Configuration configuration = options.load();
    RelayConfig config = RelayConfig.read(configuration);
    if (ValidateCommand.report(configuration, spec.commandLine().getErr())) {
      return Main.BAD_CONFIG;
    }
    ExporterConfig sink = SinkChoice.find(config, "--exporter", exporterId);
    Path buffer = directory == null ? config.buffer().directory() : directory;
    if (!Files.isDirectory(buffer)) {
      throw CommandFailure.badUsage("buffer directory " + buffer + ": not there");
    }
    List<LetterNames.Chosen> chosen =
        names.choose(BufferReader.open(buffer, config.buffer().keyFile()));
    Logging.quiet();
    DeadLetterResend.Result result = send(config, sink, chosen, patience);
    print(result);
    return result.isComplete() ? 0 : 1;
  }

  private DeadLetterResend.Result send(
      RelayConfig config, ExporterConfig sink, List<LetterNames.Chosen> chosen, Duration patience)
      throws IOException, InterruptedException {
    try (EgressAudit audit = EgressAudit.start(config.audit(), InstantSource.system());
        Exporters exporters = new Exporters(new CurrentPolicy(config.policy(), audit))) {
      Exporter exporter = exporters.create(sink);
      try {
        return new DeadLetterResend(exporter, patience, spec.commandLine().getErr()).run(chosen);
      } finally {
        exporter.close(Duration.ofSeconds(1));
      }
    }
  }

  private void print(DeadLetterResend.Result result) {
    spec.commandLine()
        .getOut()
        .printf(
            Locale.ROOT,
            "%s: %,d dead letters with %,d items delivered and removed, %,d stay%n",
            exporterId,
            result.letters(),
            result.items(),
            result.left());
    if (result.stopped() != null) {
      spec.commandLine().getErr().println("stopped: " + result.stopped());
      spec.commandLine().getErr().flush();
    }
  }
}
