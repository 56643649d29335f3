package io.spillway.otlp;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/** Lets one log line through in ten seconds and counts the others. Safe on any thread. */
public final class LogLimiter {
  private static final long INTERVAL_NANOS = Duration.ofSeconds(10).toNanos();

  private final LongSupplier nanoClock;
  private final AtomicLong nextNanos;
  private final LongAdder suppressed = new LongAdder();

  /**
   * @param nanoClock as {@link System#nanoTime}
   */
  public LogLimiter(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    this.nextNanos = new AtomicLong(nanoClock.getAsLong());
  }

  /**
   * @param line writes the line; is given the number of lines suppressed since the last one
   */
  public void log(LongConsumer line) {
    long now = nanoClock.getAsLong();
    long next = nextNanos.get();
    if (now - next >= 0 && nextNanos.compareAndSet(next, now + INTERVAL_NANOS)) {
      line.accept(suppressed.sumThenReset());
    } else {
      suppressed.increment();
    }
  }
}
