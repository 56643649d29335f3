package io.spillway.tests.bench.relays;

import java.util.Arrays;

/** Items that are to arrive and have not yet. For one thread. */
final class Missing {
  private final Arrivals arrivals;
  private int[] numbers;

  Missing(int[] numbers, Arrivals arrivals) {
    this.arrivals = arrivals;
    this.numbers = numbers;
  }

  /** Leaves out what has arrived; whether that was anything. */
  boolean shrink() {
    int before = numbers.length;
    numbers = Arrays.stream(numbers).filter(number -> arrivals.count(number) == 0).toArray();
    return numbers.length < before;
  }

  /** As of the last {@link #shrink}. */
  int size() {
    return numbers.length;
  }
}
