package io.spillway.tests.bench.relays;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.exporters.ExporterConfig;
import io.spillway.exporters.Exporters;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.receivers.Transport;
import io.spillway.relay.load.AnyDestination;
import io.spillway.tests.bench.relays.Workload.Prepared;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * The load generator's connections to one relay. A request that is not taken is sent again until it
 * is, or until these are closed. Safe on any thread.
 */
final class Connections implements AutoCloseable {
  private static final long FIRST_PAUSE_MILLIS = 100;

  private final Codec codec;
  private final long longestPauseMillis;
  private final Exporters exporters = new Exporters(new AnyDestination());
  private final List<Exporter> connections = new ArrayList<>();
  private final LongAdder refused = new LongAdder();
  private volatile boolean closed;

  /**
   * @param codec of all requests
   * @param address host and port
   * @param longestPause before a request is sent again; pauses double up to it
   */
  Connections(Codec codec, Transport transport, String address, int count, Duration longestPause) {
    this.codec = codec;
    this.longestPauseMillis = longestPause.toMillis();
    for (int i = 0; i < count; i++) {
      connections.add(exporters.create(config(transport, address, i)));
    }
  }

  /**
   * Sends a request over the connection whose turn it is.
   *
   * @param taken called once it was acknowledged, on a thread of the connection's
   */
  void send(int turn, Signal signal, Prepared request, Runnable taken) {
    ExportRequest export =
        new ExportRequest(
            signal, codec, request.payload(), request.plain().length(), request.items());
    attempt(
        connections.get(turn % connections.size()),
        export,
        Math.min(FIRST_PAUSE_MILLIS, longestPauseMillis),
        taken);
  }

  /** Attempts that ended without an acknowledgement, until now. */
  long refused() {
    return refused.sum();
  }

  private void attempt(Exporter to, ExportRequest request, long pauseMillis, Runnable taken) {
    if (closed) {
      return;
    }
    var _ =
        to.export(request)
            .thenAccept(
                outcome -> {
                  if (outcome instanceof Outcome.Delivered) {
                    taken.run();
                  } else {
                    refused.increment();
                    long nextMillis = Math.min(2 * pauseMillis, longestPauseMillis);
                    CompletableFuture.delayedExecutor(pauseMillis, TimeUnit.MILLISECONDS)
                        .execute(() -> attempt(to, request, nextMillis, taken));
                  }
                });
  }

  private ExporterConfig config(Transport transport, String address, int index) {
    String id = (transport == Transport.GRPC ? "otlp_grpc/" : "otlp_http/") + index;
    Configuration configuration =
        ConfigurationLoader.parse(
            "load",
            "exporters: { %s: { endpoint: \"http://%s\", compression: \"%s\", timeout: 60s } }"
                .formatted(id, address, RelayBenchmark.name(codec)),
            Map.of());
    return Objects.requireNonNull(ExporterConfig.readAll(configuration.root()).get(id));
  }

  @Override
  public void close() {
    closed = true;
    connections.forEach(connection -> connection.close(Duration.ofSeconds(1)));
    exporters.close();
  }
}
