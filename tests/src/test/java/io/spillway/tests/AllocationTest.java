package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.spillway.buffer.Buffer;
import io.spillway.buffer.BufferConfig;
import io.spillway.buffer.LaneSettings;
import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.wire.RequestScanner;
import io.spillway.otlp.wire.TraceSampler;
import io.spillway.relay.load.Telemetry;
import io.spillway.routing.gate.ExporterPlace;
import io.spillway.routing.gate.RouteConfig;
import io.spillway.routing.gate.RoutingGate;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The hot path leaves no garbage that grows with the items of a request, by the JVM's own count of
 * what a thread allocates. Bounds are per request; the least of many rounds counts, so that what
 * the JVM does once does not.
 */
@Timeout(120)
class AllocationTest {
  /** What the thread of a receiver allocates for a request on its way into a lane, at most. */
  private static final long SUBMIT_BYTES = 1024;

  /** What the thread of a lane allocates for a request that it writes as a block, at most. */
  private static final long WRITE_BYTES = 2560;

  /** What a compressor or a sampler allocates besides its result, at most. */
  private static final long BESIDES_RESULT_BYTES = 512;

  private static final int MANY = 512;
  private static final int ROUNDS = 12;
  private static final int CALLS = 25;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource(
      value = Signal.class,
      names = {"TRACES", "METRICS", "LOGS"})
  void scan_manyItems_allocatesNothing(Signal signal) throws Exception {
    RequestScanner scanner = new RequestScanner();
    Slice request = request(signal, MANY);

    long bytes = leastOf(() -> scanner.scan(signal, request));

    assertThat(scanner.items()).isEqualTo(MANY);
    assertThat(bytes).isZero();
  }

  @ParameterizedTest
  @EnumSource(Codec.class)
  void compress_manyItems_allocatesItsResult(Codec codec) throws Exception {
    try (BlockCompressor compressor = new BlockCompressor()) {
      Slice request = request(Signal.TRACES, MANY);
      int result = codec == Codec.NONE ? 0 : compressor.compress(codec, request).length();

      long bytes = leastOf(() -> compressor.compress(codec, request));

      assertThat(bytes).isLessThanOrEqualTo(result + BESIDES_RESULT_BYTES);
    }
  }

  @Test
  void sample_manySpans_allocatesItsResult() throws Exception {
    TraceSampler sampler = new TraceSampler(50, true, null);
    Slice request = request(Signal.TRACES, MANY);
    int result = sampler.sample(request).request().length();

    long bytes = leastOf(() -> sampler.sample(request));

    assertThat(bytes).isLessThanOrEqualTo(result + BESIDES_RESULT_BYTES);
  }

  @Test
  void submit_manyItems_allocatesLessThanAByteAnItemMore() throws Exception {
    Cost one;
    Cost many;
    try (WayIn path = new WayIn(directory.resolve("one"))) {
      one = path.cost(request(Signal.TRACES, 1));
    }
    try (WayIn path = new WayIn(directory.resolve("many"))) {
      many = path.cost(request(Signal.TRACES, MANY));
    }

    assertThat(one.submit()).isPositive().isLessThanOrEqualTo(SUBMIT_BYTES);
    assertThat(one.write()).isPositive().isLessThanOrEqualTo(WRITE_BYTES);
    // Larger requests reserve disk more often, so a little for each is right, but nothing an item.
    assertThat(many.submit() - one.submit()).isLessThan(MANY);
    assertThat(many.write() - one.write()).isLessThan(MANY);
  }

  /** Bytes that the two threads of a request's way allocate for one. */
  private record Cost(long submit, long write) {}

  /** A gate before a lane on disk. */
  private static final class WayIn implements AutoCloseable {
    private static final long MIB = 1L << 20;
    private final Buffer buffer;
    private final RoutingGate gate;
    private final Semaphore accepted = new Semaphore(0);

    WayIn(Path directory) throws IOException {
      LaneSettings settings =
          new LaneSettings(
              1024 * MIB,
              Duration.ofDays(1),
              BufferConfig.WhenFull.REFUSE,
              BufferConfig.Durability.PROCESS,
              Duration.ZERO);
      buffer =
          Buffer.open(
              new BufferConfig(directory, 1024 * MIB, 0, 64 * MIB, settings),
              InstantSource.system());
      Configuration routes =
          ConfigurationLoader.parse(
              "routes", "routes: [ { name: default, exporters: [e] } ]", Map.of());
      gate =
          new RoutingGate(
              RouteConfig.readAll(routes.root(), Map.of("e", new ExporterPlace(null, false))),
              id -> buffer.lane(id, Codec.NONE));
    }

    Cost cost(Slice request) throws Exception {
      long writer =
          Thread.getAllStackTraces().keySet().stream()
              .filter(thread -> thread.getName().equals("lane default/traces"))
              .mapToLong(Thread::threadId)
              .max()
              .orElseThrow();
      Consumer<Answer> answered = _ -> accepted.release();
      long submit = Long.MAX_VALUE;
      long write = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS; round++) {
        long ownBefore = THREADS.getCurrentThreadAllocatedBytes();
        long writerBefore = THREADS.getThreadAllocatedBytes(writer);
        for (int call = 0; call < CALLS; call++) {
          gate.submit(Signal.TRACES, request, answered);
          accepted.acquire();
        }
        submit = Math.min(submit, THREADS.getCurrentThreadAllocatedBytes() - ownBefore);
        write = Math.min(write, THREADS.getThreadAllocatedBytes(writer) - writerBefore);
      }
      return new Cost(submit / CALLS, write / CALLS);
    }

    @Override
    public void close() throws IOException {
      buffer.close();
    }
  }

  /** Work that may fail. */
  @FunctionalInterface
  private interface Work {
    void run() throws Exception;
  }

  private static long leastOf(Work work) throws Exception {
    long least = Long.MAX_VALUE;
    for (int round = 0; round < ROUNDS && least > 0; round++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int call = 0; call < CALLS; call++) {
        work.run();
      }
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    return least / CALLS;
  }

  private static Slice request(Signal signal, int items) {
    return new Telemetry(1, Map.of("service.name", "checkout"))
        .request(signal, 0, items, 1_750_000_000_000_000_000L);
  }
}
