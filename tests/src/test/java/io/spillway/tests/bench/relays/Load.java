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
import io.spillway.relay.load.Latencies;
import io.spillway.tests.bench.relays.Workload.Prepared;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * Sends a {@link Workload} at a time to one relay, over a number of connections. What is refused is
 * sent again until it is taken. For one thread.
 */
final class Load implements AutoCloseable {
  /** Requests without an answer while the relay is to be saturated. */
  private static final int IN_FLIGHT = 32;

  /** The same at a fixed rate: the schedule is not held up by a slow relay before this. */
  private static final int MAX_BEHIND = 4096;

  private static final Executor LATER =
      CompletableFuture.delayedExecutor(100, TimeUnit.MILLISECONDS);

  private final Codec codec;
  private final Exporters exporters = new Exporters(new AnyDestination());
  private final List<Exporter> connections = new ArrayList<>();

  /**
   * @param codec of all requests
   * @param address host and port
   */
  Load(Codec codec, Transport transport, String address, int connections) {
    this.codec = codec;
    for (int i = 0; i < connections; i++) {
      this.connections.add(exporters.create(config(transport, address, i)));
    }
  }

  /**
   * What was sent, all of it acknowledged in the end.
   *
   * @param times how often each request was sent, by its index
   * @param seconds from the first request to the last answer
   * @param latencies from when a request was due, whether or not it could be sent then
   * @param refused answers that asked to come back
   */
  record Sent(List<Integer> times, long items, double seconds, Latencies latencies, long refused) {}

  /** As fast as answers come. */
  Sent saturate(Workload workload, Duration duration) throws InterruptedException {
    return send(workload, duration, 0);
  }

  /** On a fixed schedule, however the relay fares. */
  Sent pace(Workload workload, long itemsPerSecond, Duration duration) throws InterruptedException {
    return send(workload, duration, itemsPerSecond);
  }

  private Sent send(Workload workload, Duration duration, long itemsPerSecond)
      throws InterruptedException {
    int slots = itemsPerSecond == 0 ? IN_FLIGHT : MAX_BEHIND;
    Run run = new Run(new Semaphore(slots), new Latencies(), new LongAdder());
    int[] times = new int[workload.requests().size()];
    long start = System.nanoTime();
    long end = start + duration.toNanos();
    long items = 0;
    for (int i = 0; System.nanoTime() < end; i++) {
      Prepared request = workload.requests().get(i % times.length);
      long due = System.nanoTime();
      if (itemsPerSecond > 0) {
        due = start + (long) (items * 1e9 / itemsPerSecond);
        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
          LockSupport.parkNanos(left);
        }
      }
      run.slots.acquire();
      if (itemsPerSecond == 0) {
        due = System.nanoTime();
      }
      attempt(connections.get(i % connections.size()), workload.signal(), request, due, run);
      times[i % times.length]++;
      items += request.items();
    }
    run.slots.acquire(slots);
    double seconds = (System.nanoTime() - start) / 1e9;
    List<Integer> sent = Arrays.stream(times).boxed().toList();
    return new Sent(sent, items, seconds, run.latencies, run.refused.sum());
  }

  private record Run(Semaphore slots, Latencies latencies, LongAdder refused) {}

  private void attempt(Exporter to, Signal signal, Prepared request, long due, Run run) {
    var _ =
        to.export(
                new ExportRequest(
                    signal, codec, request.payload(), request.plain().length(), request.items()))
            .thenAccept(
                outcome -> {
                  if (outcome instanceof Outcome.Delivered) {
                    run.latencies.add(System.nanoTime() - due);
                    run.slots.release();
                  } else {
                    run.refused.increment();
                    LATER.execute(() -> attempt(to, signal, request, due, run));
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
    connections.forEach(connection -> connection.close(Duration.ofSeconds(1)));
    exporters.close();
  }
}
