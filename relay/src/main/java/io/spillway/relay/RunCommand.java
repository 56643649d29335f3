package io.spillway.relay;

import io.spillway.buffer.BufferInUseException;
import io.spillway.config.Configuration;
import io.spillway.relay.audit.EgressAudit;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code run}: the relay, until a signal stops it. */
@Command(
    name = "run",
    description =
        "Runs the relay until SIGTERM or SIGINT. SIGHUP, or a changed file, reloads the"
            + " configuration.",
    mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {

  private static final Logger log = LoggerFactory.getLogger(RunCommand.class);

  @Mixin private ConfigOptions options = new ConfigOptions();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--shutdown-timeout",
      paramLabel = "SECONDS",
      defaultValue = "10",
      description =
          "How long a stop waits for what is in flight; the rest stays on disk. Default:"
              + " ${DEFAULT-VALUE}.")
  private int shutdownTimeoutSeconds;

  @Override
  public Integer call() throws InterruptedException {
    Configuration configuration = options.load();
    RelayConfig config = RelayConfig.read(configuration);
    ValidateCommand.warn(config, spec.commandLine().getErr());
    if (ValidateCommand.report(configuration, spec.commandLine().getErr())) {
      refused(config);
      return Main.BAD_CONFIG;
    }
    Logging.apply(config.telemetry());
    // Before the start, so that whoever sees it ready and stops it is answered with exit code 0.
    CountDownLatch stop = new CountDownLatch(1);
    Signals.on("TERM", stop::countDown);
    Signals.on("INT", stop::countDown);
    Relay relay;
    try {
      relay = Relay.start(config);
    } catch (BufferInUseException e) {
      log.error("{}", e.getMessage());
      return Main.BAD_CONFIG;
    } catch (IOException e) {
      log.error("{}", e.getMessage());
      return 1;
    }
    return serve(relay, stop);
  }

  /** Audits the destinations that the start is refused for. */
  private static void refused(RelayConfig config) {
    if (!config.reviewed().isEmpty()) {
      try (EgressAudit audit = EgressAudit.start(config.audit(), InstantSource.system())) {
        config.reviewed().forEach(audit);
      }
    }
  }

  private int serve(Relay relay, CountDownLatch stop) throws InterruptedException {
    try (Reloader reloader = new Reloader(options, relay)) {
      Signals.on("HUP", () -> reloader.request("SIGHUP"));
      reloader.start();
      stop.await();
    }
    relay.close(Duration.ofSeconds(shutdownTimeoutSeconds));
    return 0;
  }
}
