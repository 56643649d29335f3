package io.spillway.relay;

import io.spillway.buffer.BufferInUseException;
import io.spillway.config.Configuration;
import io.spillway.relay.audit.EgressAudit;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A relay from its configuration to the signal that stops it. */
final class RelayRun {
  static final int SHUTDOWN_TIMEOUT_SECONDS = 10;

  private static final Logger log = LoggerFactory.getLogger(RelayRun.class);

  private final ConfigOptions options;
  private final PrintWriter err;

  /**
   * @param err where problems of the configuration are printed
   */
  RelayRun(ConfigOptions options, PrintWriter err) {
    this.options = options;
    this.err = err;
  }

  /**
   * The exit code.
   *
   * @param shutdownTimeoutSeconds how long a stop waits for what is in flight
   */
  int run(int shutdownTimeoutSeconds) throws InterruptedException {
    Configuration configuration = options.load();
    RelayConfig config = RelayConfig.read(configuration);
    ConfigReport.warn(config, err);
    if (ConfigReport.problems(configuration, err)) {
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
    return serve(relay, stop, Duration.ofSeconds(shutdownTimeoutSeconds));
  }

  /** Audits the destinations that the start is refused for. */
  private static void refused(RelayConfig config) {
    if (!config.reviewed().isEmpty()) {
      try (EgressAudit audit = EgressAudit.start(config.audit(), InstantSource.system())) {
        config.reviewed().forEach(audit);
      }
    }
  }

  private int serve(Relay relay, CountDownLatch stop, Duration shutdownTimeout)
      throws InterruptedException {
    try (Reloader reloader = new Reloader(options, relay)) {
      Signals.on("HUP", () -> reloader.request("SIGHUP"));
      reloader.start();
      stop.await();
    }
    relay.close(shutdownTimeout);
    return 0;
  }
}
