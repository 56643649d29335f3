package io.spillway.routing.egress;

import io.spillway.otlp.stage.ErrorClass;
import java.util.Arrays;

/**
 * How many attempts one lane may have in flight at one exporter: found out from how long they take
 * and how they end. Pure: no threads, no clock; times are monotonic nanoseconds. One thread changes
 * it, any may ask for {@link #limit}.
 *
 * <p>Attempts are judged in rounds of as many as the limit. After a round
 *
 * <pre>
 *   limit = limit * min(1, TOLERANCE * base / latency) + 1
 * </pre>
 *
 * where {@code latency} is the round's, {@code base} what attempts of these sizes take when the
 * sink is not busy, and the 1 is added only if the limit was reached: nothing is learned from slots
 * that nobody used. A sink that serves {@code c} at once answers {@code limit / c} times slower
 * beyond that, so the limit settles at about {@code TOLERANCE * c}: enough to keep it busy, little
 * that waits in it. A timeout, a throttling or a server error halves the limit, once for all
 * attempts that overlap.
 *
 * <p>{@code base} is the least average of a round, for each class of sizes. It is measured anew now
 * and then with a quarter of the limit, or a sink that became slower for good would be taken for
 * busy.
 *
 * <p>Each lane has its own: lanes share no lock, and share a sink as TCP connections share a link.
 * A slot is not free during backoff: that pauses the exporter, with all of its slots.
 */
final class ConcurrencyLimit {
  /** Where a lane starts: a sink that takes more is soon found out, one that takes less too. */
  static final int INITIAL = 4;

  static final int DEFAULT_MAX = 16;
  static final int MOST = 256;

  private static final double TOLERANCE = 1.5;
  private static final double LARGEST_CUT = 0.5;

  /** After this many rounds the base is measured anew. */
  private static final int ROUNDS_PER_BASE = 100;

  /** Of the limit, one part in this many is in use while the base is measured: no queue is left. */
  private static final int MEASURING_PART = 4;

  /** Sizes within a factor of four are one class. */
  private static final int SIZE_CLASSES = 16;

  private static final double UNKNOWN = Double.MAX_VALUE;

  private int max;
  private double exact;
  private volatile int limit;
  private long judgedFrom;
  private int rounds;
  private boolean measuring;
  private boolean reached;
  private int ended;
  private final double[] base = new double[SIZE_CLASSES];
  private final double[] latency = new double[SIZE_CLASSES];
  private final int[] samples = new int[SIZE_CLASSES];

  /**
   * @param max at least 1
   */
  ConcurrencyLimit(int max) {
    this.max = max;
    this.exact = Math.min(INITIAL, max);
    Arrays.fill(base, UNKNOWN);
    show();
  }

  /** Attempts that may be in flight; at least 1. */
  int limit() {
    return limit;
  }

  /** Sets another upper bound. */
  void max(int most) {
    max = most;
    exact = Math.min(exact, max);
    show();
  }

  /**
   * An attempt has begun.
   *
   * @param inFlight attempts, this one included
   */
  void began(int inFlight) {
    reached |= inFlight >= limit;
  }

  /**
   * An attempt was answered in a way that says that the sink is at work.
   *
   * @param bytes of the request
   */
  void answered(long started, long now, int bytes) {
    if (started < judgedFrom) {
      return; // it ran beside others than those that may run now
    }
    int size = sizeClass(bytes);
    latency[size] += Math.max(1, now - started);
    samples[size]++;
    if (++ended >= limit) {
      endRound(now);
    }
  }

  /** An attempt failed. */
  void failed(ErrorClass error, long started, long now) {
    if (!meansBusy(error) || started < judgedFrom) {
      return;
    }
    exact = Math.max(1, exact * LARGEST_CUT);
    beginRound(now);
  }

  private static boolean meansBusy(ErrorClass error) {
    return switch (error) {
      case TIMEOUT, THROTTLED, SERVER -> true;
      case DNS, CONNECT, TLS, RESET, PROTOCOL, AUTH, NOT_FOUND -> false;
      case POLICY, LOCAL, BAD_DATA, TOO_LARGE -> false;
    };
  }

  private void endRound(long now) {
    double took = 0;
    double expected = 0;
    for (int size = 0; size < SIZE_CLASSES; size++) {
      if (samples[size] > 0) {
        double average = latency[size] / samples[size];
        base[size] = measuring ? average : Math.min(base[size], average);
        took += latency[size];
        expected += base[size] * samples[size];
      }
    }
    if (!measuring) {
      double slower = Math.max(LARGEST_CUT, Math.min(1, TOLERANCE * expected / took));
      exact = Math.clamp(exact * slower + (reached ? 1 : 0), 1, max);
    }
    measuring = !measuring && ++rounds % ROUNDS_PER_BASE == 0;
    beginRound(now);
  }

  private void beginRound(long now) {
    Arrays.fill(latency, 0);
    Arrays.fill(samples, 0);
    ended = 0;
    reached = false;
    int before = limit;
    show();
    if (limit < before) {
      judgedFrom = now;
    }
  }

  private void show() {
    limit = Math.max(1, (int) (measuring ? exact / MEASURING_PART : exact));
  }

  private static int sizeClass(int bytes) {
    return Math.min(SIZE_CLASSES - 1, (Integer.SIZE - Integer.numberOfLeadingZeros(bytes)) / 2);
  }
}
