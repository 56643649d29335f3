package io.spillway.tests.bench.relays;

import io.spillway.otlp.Codec;
import io.spillway.receivers.Transport;
import io.spillway.relay.load.Latencies;
import io.spillway.tests.bench.relays.Workload.Prepared;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;

/**
 * Sends a {@link Workload} at a time to one relay, again and again for a while, until all of it was
 * taken. For one thread.
 */
final class Load implements AutoCloseable {
  /** Requests without an answer while the relay is to be saturated. */
  private static final int IN_FLIGHT = 32;

  /** The same at a fixed rate: the schedule is not held up by a slow relay before this. */
  static final int MAX_BEHIND = 4096;

  private static final Duration PAUSE = Duration.ofMillis(100);

  private final Connections connections;

  /**
   * @param codec of all requests
   * @param address host and port
   */
  Load(Codec codec, Transport transport, String address, int connections) {
    this.connections = new Connections(codec, transport, address, connections, PAUSE);
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
    int most = itemsPerSecond == 0 ? IN_FLIGHT : MAX_BEHIND;
    Semaphore slots = new Semaphore(most);
    Latencies latencies = new Latencies();
    int[] times = new int[workload.requests().size()];
    long refusedBefore = connections.refused();
    long start = System.nanoTime();
    long end = start + duration.toNanos();
    long items = 0;
    for (int i = 0; System.nanoTime() < end; i++) {
      Prepared request = workload.requests().get(i % times.length);
      if (itemsPerSecond > 0) {
        awaitDue(start, items, itemsPerSecond);
      }
      slots.acquire();
      long due = itemsPerSecond > 0 ? dueNanos(start, items, itemsPerSecond) : System.nanoTime();
      connections.send(
          i,
          workload.signal(),
          request,
          () -> {
            latencies.add(System.nanoTime() - due);
            slots.release();
          });
      times[i % times.length]++;
      items += request.items();
    }
    slots.acquire(most);
    double seconds = (System.nanoTime() - start) / 1e9;
    List<Integer> sent = Arrays.stream(times).boxed().toList();
    return new Sent(sent, items, seconds, latencies, connections.refused() - refusedBefore);
  }

  /** When an item is due that so many come before. */
  static long dueNanos(long startNanos, long items, long itemsPerSecond) {
    return startNanos + (long) (items * 1e9 / itemsPerSecond);
  }

  /** Returns early if the thread is interrupted. */
  static void awaitDue(long startNanos, long items, long itemsPerSecond) {
    long due = dueNanos(startNanos, items, itemsPerSecond);
    for (long left = due - System.nanoTime();
        left > 0 && !Thread.currentThread().isInterrupted();
        left = due - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  @Override
  public void close() {
    connections.close();
  }
}
