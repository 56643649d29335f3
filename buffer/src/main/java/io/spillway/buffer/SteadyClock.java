package io.spillway.buffer;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A wall clock that does not jump: what ages of stored data are judged by.
 *
 * <p>It follows the wall clock as long as both advance alike, so small corrections by NTP pass. A
 * step by more than {@link #MAX_STEP} against monotonic time, in either direction, is not believed:
 * its size goes into {@link #skew}, and this clock goes on as if it had not happened. Time that the
 * machine was suspended counts as such a step. Whoever stores instants of this clock stores the
 * skew with them, and begins the next process with it.
 *
 * <p>Safe on any thread; a reading takes no lock unless the wall clock jumped.
 */
final class SteadyClock implements InstantSource {
  private static final Logger log = LoggerFactory.getLogger(SteadyClock.class);

  /** The largest step of the wall clock that is followed. */
  static final Duration MAX_STEP = Duration.ofSeconds(30);

  private static final long MAX_STEP_MILLIS = MAX_STEP.toMillis();
  private static final long NANOS_PER_MILLI = 1_000_000;

  private final InstantSource wall;
  private final LongSupplier nanoTime;
  private volatile Base base;

  /**
   * At {@code nanos} of monotonic time it was {@code millis}, {@code skew} beside the wall clock.
   */
  private record Base(long nanos, long millis, long skewMillis) {}

  /** A clock that begins with the wall clock's time. */
  SteadyClock(InstantSource wall, LongSupplier nanoTime) {
    this.wall = wall;
    this.nanoTime = nanoTime;
    this.base = new Base(nanoTime.getAsLong(), wall.millis(), 0);
  }

  /** Begins anew at this time, whatever the wall clock says. */
  synchronized void set(Instant now) {
    long millis = now.toEpochMilli();
    base = new Base(nanoTime.getAsLong(), millis, millis - wall.millis());
  }

  /** Believes the wall clock again. */
  synchronized void forgetSkew() {
    base = new Base(nanoTime.getAsLong(), wall.millis(), 0);
  }

  /** What is added to the wall clock; zero while it was believed. */
  Duration skew() {
    return Duration.ofMillis(base.skewMillis);
  }

  /** Notices a jump now rather than at the next reading. */
  void look() {
    long unused = millis();
    log.trace("clock: {}", unused);
  }

  @Override
  public Instant instant() {
    return Instant.ofEpochMilli(millis());
  }

  @Override
  public long millis() {
    Base known = base;
    long shown = wall.millis() + known.skewMillis;
    return Math.abs(shown - due(known)) <= MAX_STEP_MILLIS ? shown : passJump();
  }

  private synchronized long passJump() {
    Base known = base;
    long now = due(known);
    long step = wall.millis() + known.skewMillis - now;
    if (Math.abs(step) <= MAX_STEP_MILLIS) {
      return now; // another thread was here first
    }
    base = new Base(nanoTime.getAsLong(), now, known.skewMillis - step);
    log.warn(
        "clock: the wall clock jumped by {} s. Ages of stored data go on as if it had not; the"
            + " clock that they are judged by is now {} s beside it.",
        seconds(step),
        seconds(base.skewMillis));
    return now;
  }

  private long due(Base known) {
    return known.millis + (nanoTime.getAsLong() - known.nanos) / NANOS_PER_MILLI;
  }

  private static long seconds(long millis) {
    return Math.round(millis / 1000.0);
  }
}
