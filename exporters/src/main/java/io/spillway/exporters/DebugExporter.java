package io.spillway.exporters;

import io.spillway.otlp.Codec;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.RetrySettings;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs a line for each request and calls it delivered: for trying things out. */
final class DebugExporter implements Exporter {
  private static final Logger log = LoggerFactory.getLogger(DebugExporter.class);

  private final DebugConfig config;

  DebugExporter(DebugConfig config) {
    this.config = config;
  }

  @Override
  public String id() {
    return config.id();
  }

  @Override
  public Codec codec() {
    return config.codec();
  }

  @Override
  public int maxRequestBytes() {
    return Integer.MAX_VALUE;
  }

  @Override
  public RetrySettings retry() {
    return RetrySettings.DEFAULT;
  }

  @Override
  public CompletableFuture<Outcome> export(ExportRequest request) {
    log.info("{}: {}", id(), describe(request));
    return CompletableFuture.completedFuture(new Outcome.Delivered());
  }

  private String describe(ExportRequest request) {
    String basic =
        request.signal().label()
            + ", "
            + request.items()
            + " items, "
            + request.uncompressedLength()
            + " bytes";
    return switch (config.verbosity()) {
      case BASIC -> basic;
      case DETAILED ->
          basic
              + ", sent as "
              + request.payload().length()
              + " bytes "
              + request.codec().encoding();
    };
  }

  @Override
  public void close(Duration deadline) {}
}
