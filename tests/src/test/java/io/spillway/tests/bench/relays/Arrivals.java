package io.spillway.tests.bench.relays;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/** How often each item of a range of numbers arrived. Safe on any thread. */
final class Arrivals {
  private final int first;
  private final AtomicIntegerArray counts;
  private final LongAdder total = new LongAdder();

  Arrivals(int first, int items) {
    this.first = first;
    counts = new AtomicIntegerArray(items);
  }

  /** Counts an item; false if it is not of the range. */
  boolean add(long number) {
    long index = number - first;
    if (index < 0 || index >= counts.length()) {
      return false;
    }
    counts.incrementAndGet((int) index);
    total.increment();
    return true;
  }

  /** Each as often as it arrived. */
  long total() {
    return total.sum();
  }

  /**
   * @param number of the range
   */
  int count(int number) {
    return counts.get(number - first);
  }

  /** Arrivals of items that had arrived before. */
  long duplicates() {
    return IntStream.range(0, counts.length()).mapToLong(i -> Math.max(0, counts.get(i) - 1)).sum();
  }
}
