package io.spillway.tests.bench.relays;

import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.relay.load.Latencies;
import io.spillway.tests.bench.relays.Workload.Prepared;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;

/**
 * Load at a fixed rate until it is stopped, however the relay fares, of items that are made once
 * each. A thread of its own sends; all methods are for another one.
 */
final class SteadyLoad {
  private final Workload workload;
  private final Connections connections;
  private final long itemsPerSecond;
  private final int first;
  private final int batch;
  private final AtomicIntegerArray acknowledged;
  private final Semaphore slots = new Semaphore(Load.MAX_BEHIND);
  private final Thread thread = new Thread(this::send, "steady-load");
  private volatile Latencies phase = new Latencies();

  /**
   * @param workload what the requests are like
   * @param first the number of the first item
   * @param most items, after which nothing more is sent
   */
  SteadyLoad(Workload workload, Connections connections, long itemsPerSecond, int first, int most) {
    this.workload = workload;
    this.connections = connections;
    this.itemsPerSecond = itemsPerSecond;
    this.first = first;
    batch = workload.requests().getFirst().items();
    acknowledged = new AtomicIntegerArray(most / batch);
  }

  void start() {
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * From now on counts durations here: from when a request was due, whether or not it could be sent
   * then, to its acknowledgement.
   */
  Latencies enter() {
    phase = new Latencies();
    return phase;
  }

  /** The numbers of the items that were acknowledged until now. */
  int[] acknowledged() {
    return IntStream.range(0, acknowledged.length())
        .filter(request -> acknowledged.get(request) != 0)
        .flatMap(request -> IntStream.range(0, batch).map(item -> first + request * batch + item))
        .toArray();
  }

  /**
   * Sends nothing new, and waits for what is not acknowledged yet. What is not taken by the limit
   * stays so once the connections are closed.
   */
  void stop(Duration limit) throws InterruptedException {
    thread.interrupt();
    thread.join();
    var _ = slots.tryAcquire(Load.MAX_BEHIND, limit.toNanos(), TimeUnit.NANOSECONDS);
  }

  private void send() {
    long start = System.nanoTime();
    try (BlockCompressor compressor = new BlockCompressor()) {
      for (int i = 0; i < acknowledged.length(); i++) {
        int index = i;
        Prepared request = workload.request(i, first + i * batch, compressor);
        long due = Load.dueNanos(start, (long) i * batch, itemsPerSecond);
        Load.awaitDue(start, (long) i * batch, itemsPerSecond);
        slots.acquire();
        Latencies latencies = phase;
        connections.send(
            i,
            workload.signal(),
            request,
            () -> {
              latencies.add(System.nanoTime() - due);
              acknowledged.set(index, 1);
              slots.release();
            });
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // stopped
    }
  }
}
