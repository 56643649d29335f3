package io.spillway.relay;

import io.spillway.config.Suggestions;
import io.spillway.exporters.ExporterConfig;
import io.spillway.relay.buffer.CommandFailure;

/** Finds the exporter that an option names. */
final class SinkChoice {
  private SinkChoice() {}

  /**
   * @throws CommandFailure if it is not configured
   */
  static ExporterConfig find(RelayConfig config, String option, String id) throws CommandFailure {
    ExporterConfig sink = config.exporters().get(id);
    if (sink == null) {
      throw CommandFailure.badUsage(
          "%s: \"%s\" is not configured%s (expected one of %s)"
              .formatted(
                  option,
                  id,
                  Suggestions.didYouMean(id, config.exporters().keySet()),
                  String.join(", ", config.exporters().keySet())));
    }
    return sink;
  }
}
