package io.spillway.exporters;

import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The attempts of one exporter that have not ended, so that closing can wait for them and abandon
 * what is left. However an attempt ends, by an answer, cancelled by its caller or abandoned here,
 * its future completes; exporters free what it holds when that happens. Safe on any thread.
 */
final class Attempts {
  private final Map<Long, CompletableFuture<Outcome>> open = new ConcurrentHashMap<>();
  private final AtomicLong nextNumber = new AtomicLong();
  private final Outcome closedOutcome;
  private volatile boolean closed;

  Attempts(String exporter) {
    this.closedOutcome =
        new Outcome.Retry(null, ErrorClass.LOCAL, "exporter " + exporter + " is closed");
  }

  /** A future for a new attempt; already complete if the exporter is closed. */
  CompletableFuture<Outcome> begin() {
    CompletableFuture<Outcome> attempt = new CompletableFuture<>();
    long number = nextNumber.getAndIncrement();
    open.put(number, attempt);
    var _ = attempt.whenComplete((outcome, failure) -> open.remove(number));
    if (closed) { // looked at after adding: either close() sees the attempt, or it sees the close
      attempt.complete(closedOutcome);
    }
    return attempt;
  }

  /** Whether at most one attempt is open. */
  boolean onlyOne() {
    return open.size() <= 1;
  }

  /** Takes no more attempts, waits for those begun, and abandons what has not ended in time. */
  void close(Duration deadline) {
    closed = true;
    List<CompletableFuture<Outcome>> left = List.copyOf(open.values());
    try {
      CompletableFuture.allOf(left.toArray(new CompletableFuture<?>[0]))
          .get(Math.max(0, deadline.toNanos()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException | ExecutionException e) {
      // Late ones are abandoned below; cancelled ones have ended.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    left.forEach(attempt -> attempt.complete(closedOutcome));
  }
}
