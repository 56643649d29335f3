package io.spillway.relay.load;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One bounded run of load: requests in turn of the signals, a bounded number in flight, each tried
 * a bounded number of times.
 */
final class LoadRun {

  private static final int MAX_IN_FLIGHT = 16;
  private static final int MAX_TRIES = 20;
  private static final Duration DEFAULT_WAIT = Duration.ofSeconds(1);
  private static final Duration MAX_WAIT = Duration.ofSeconds(5);

  private final Exporter exporter;
  private final List<Signal> signals;
  private final Telemetry telemetry;
  private final int batch;
  private final Semaphore slots = new Semaphore(MAX_IN_FLIGHT);
  private final AtomicLong acknowledged = new AtomicLong();
  private final AtomicLong rejected = new AtomicLong();
  private final AtomicLong toldToWait = new AtomicLong();
  private final AtomicLong givenUp = new AtomicLong();
  private final AtomicReference<String> lastError = new AtomicReference<>("");
  private final Latencies latencies = new Latencies();

  LoadRun(Exporter exporter, List<Signal> signals, Telemetry telemetry, int batch) {
    this.exporter = exporter;
    this.signals = signals;
    this.telemetry = telemetry;
    this.batch = batch;
  }

  /**
   * Sends {@code count} items at {@code rate} items a second (0: as fast as answers come) and waits
   * for all answers.
   */
  Result send(long count, long rate) throws InterruptedException {
    long start = System.nanoTime();
    try (BlockCompressor compressor = new BlockCompressor()) {
      long next = 0;
      for (int turn = 0; next < count; turn++) {
        int items = (int) Math.min(batch, count - next);
        if (rate > 0) {
          TimeUnit.NANOSECONDS.sleep(
              start + TimeUnit.SECONDS.toNanos(next) / rate - System.nanoTime());
        }
        Signal signal = signals.get(turn % signals.size());
        Slice request =
            telemetry.request(signal, next, items, System.currentTimeMillis() * 1_000_000L);
        Codec codec = exporter.codec();
        slots.acquire();
        attempt(
            new ExportRequest(
                signal, codec, compressor.compress(codec, request), request.length(), items),
            1);
        next += items;
      }
      slots.acquire(MAX_IN_FLIGHT);
    }
    return new Result(
        acknowledged.get(),
        rejected.get(),
        toldToWait.get(),
        givenUp.get(),
        (System.nanoTime() - start) / 1e9,
        lastError.get(),
        latencies);
  }

  private void attempt(ExportRequest request, int tries) {
    long start = System.nanoTime();
    var _ =
        exporter
            .export(request)
            .thenAccept(outcome -> answered(request, outcome, tries, System.nanoTime() - start));
  }

  private void answered(ExportRequest request, Outcome outcome, int tries, long nanos) {
    switch (outcome) {
      case Outcome.Delivered delivered -> {
        acknowledged.addAndGet(request.items() - delivered.rejected());
        rejected.addAndGet(delivered.rejected());
        latencies.add(nanos);
        slots.release();
      }
      case Outcome.Retry retry -> {
        toldToWait.incrementAndGet();
        lastError.set(retry.reason());
        again(request, tries, retry.after() == null ? DEFAULT_WAIT : retry.after());
      }
      case Outcome.SinkDown down -> {
        lastError.set(down.reason());
        again(request, tries, DEFAULT_WAIT);
      }
      case Outcome.TooLarge tooLarge -> giveUp(tooLarge.reason());
      case Outcome.BadData badData -> giveUp(badData.reason());
    }
  }

  private void again(ExportRequest request, int tries, Duration wait) {
    if (tries == MAX_TRIES) {
      giveUp(lastError.get());
      return;
    }
    long millis = Math.min(wait.toMillis(), MAX_WAIT.toMillis());
    Executor later = CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS);
    later.execute(() -> attempt(request, tries + 1));
  }

  private void giveUp(String reason) {
    givenUp.incrementAndGet();
    lastError.set(reason);
    slots.release();
  }

  /** How a run went. */
  record Result(
      long acknowledged,
      long rejected,
      long toldToWait,
      long givenUp,
      double seconds,
      String lastError,
      Latencies latencies) {}
}
