package io.spillway.relay;

import io.spillway.buffer.BufferReader;
import io.spillway.config.Durations;
import io.spillway.config.Suggestions;
import io.spillway.exporters.ExporterConfig;
import io.spillway.exporters.Exporters;
import io.spillway.otlp.stage.Exporter;
import io.spillway.relay.audit.EgressAudit;
import io.spillway.relay.buffer.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of commands that send what is stored once more: from where, to where, how long. */
final class ResendOptions {
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(1);

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

  /** What a command does with its exporter. */
  @FunctionalInterface
  interface Sending<T> {
    T send(Exporter exporter) throws IOException, InterruptedException;
  }

  String exporterId() {
    return exporterId;
  }

  boolean isDirectoryGiven() {
    return directory != null;
  }

  /** How long one request is tried again. */
  Duration patience() throws CommandFailure {
    return Durations.parse(retryFor)
        .orElseThrow(
            () ->
                CommandFailure.badUsage(
                    "--retry-for: \"%s\" (expected %s)".formatted(retryFor, Durations.EXPECTED)));
  }

  /**
   * @throws CommandFailure if it is not configured
   */
  ExporterConfig sink(RelayConfig config) throws CommandFailure {
    ExporterConfig sink = config.exporters().get(exporterId);
    if (sink == null) {
      throw CommandFailure.badUsage(
          "--exporter: \"%s\" is not configured%s (expected one of %s)"
              .formatted(
                  exporterId,
                  Suggestions.didYouMean(exporterId, config.exporters().keySet()),
                  String.join(", ", config.exporters().keySet())));
    }
    return sink;
  }

  /**
   * @throws CommandFailure if there is no such directory
   */
  BufferReader buffer(RelayConfig config) throws CommandFailure, IOException {
    Path buffer = directory == null ? config.buffer().directory() : directory;
    if (!Files.isDirectory(buffer)) {
      throw CommandFailure.badUsage("buffer directory " + buffer + ": not there");
    }
    return BufferReader.open(buffer, config.buffer().keyFile());
  }

  /** Makes the exporter, within the egress policy and with its audit, for as long as it is used. */
  static <T> T with(RelayConfig config, ExporterConfig sink, Sending<T> sending)
      throws IOException, InterruptedException {
    try (EgressAudit audit = EgressAudit.start(config.audit(), InstantSource.system());
        Exporters exporters = new Exporters(new CurrentPolicy(config.policy(), audit))) {
      Exporter exporter = exporters.create(sink);
      try {
        return sending.send(exporter);
      } finally {
        exporter.close(CLOSE_WITHIN);
      }
    }
  }
}
