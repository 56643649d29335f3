package io.spillway.routing.egress;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The bytes a second that all lanes together send to one exporter. What is sent is paid for
 * afterwards: the line is taken until all bytes charged so far would have gone at the capped rate,
 * and a lane that has sent waits for its own to be paid. So lanes that wait take turns, request by
 * request, and none can starve another; a lane that was idle never waits for its first.
 *
 * <p>One compare-and-set for each request; no lock. Over time the rate is kept exactly; at once, at
 * most one request of each lane goes out. Safe on any thread.
 */
final class BandwidthCap {
  /** What was left unused this long ago may be made up for: threads wake up late. */
  static final long CREDIT_NANOS = 100_000_000L;

  /** No debt is longer (36 years), so that sums of times do not overflow. */
  private static final long MAX_DEBT_NANOS = Long.MAX_VALUE / 8;

  /** Until when the line is taken; monotonic nanoseconds, never negative. */
  private final AtomicLong takenUntil = new AtomicLong();

  private volatile long bytesPerSecond;

  /** Sets the rate; 0 for none. */
  void rate(long bytes) {
    bytesPerSecond = bytes;
  }

  /**
   * Pays for bytes that are sent now.
   *
   * @param bytes fewer than none to take back what was paid too much
   * @param now monotonic nanoseconds, the same for all lanes
   * @return how long the lane that sends leaves this exporter alone, in nanoseconds
   */
  long charge(long bytes, long now) {
    long rate = bytesPerSecond;
    if (rate == 0) {
      return 0;
    }
    double cost = 1e9 * bytes / rate;
    long until =
        takenUntil.updateAndGet(
            taken -> {
              long from = Math.max(taken, now - CREDIT_NANOS);
              return (long) Math.min(from + cost, (double) now + MAX_DEBT_NANOS);
            });
    return Math.max(0, until - now);
  }
}
