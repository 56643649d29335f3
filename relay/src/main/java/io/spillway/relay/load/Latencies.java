package io.spillway.relay.load;

import java.util.concurrent.atomic.AtomicLongArray;

/** Counts durations by their logarithm, within 3 % of the truth. Safe on any thread. */
public final class Latencies {
  private static final int BUCKETS_PER_DOUBLING = 32;

  private final AtomicLongArray buckets = new AtomicLongArray(64 * BUCKETS_PER_DOUBLING);

  /** Counts one. */
  public void add(long nanos) {
    buckets.incrementAndGet(
        (int) (Math.log(Math.max(1, nanos)) / Math.log(2) * BUCKETS_PER_DOUBLING));
  }

  /** The upper edge of the bucket that holds the quantile, in milliseconds; 0 if there is none. */
  public double millis(double quantile) {
    long total = 0;
    for (int i = 0; i < buckets.length(); i++) {
      total += buckets.get(i);
    }
    long rank = (long) Math.ceil(total * quantile);
    for (int i = 0; i < buckets.length() && total > 0; i++) {
      rank -= buckets.get(i);
      if (rank <= 0) {
        return Math.pow(2, (i + 1.0) / BUCKETS_PER_DOUBLING) / 1e6;
      }
    }
    return 0;
  }
}
