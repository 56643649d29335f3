package io.spillway.buffer;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/**
 * Segments whose items are all settled and that stay for a while all the same, so that they can be
 * sent again. Counted from when they were first seen settled, so a restart begins the wait anew.
 *
 * <p>Changed by one thread at a time; {@link #isHolding} is a hint on any.
 */
final class KeptSegments {
  private final TreeMap<Integer, Long> settledAtMillis = new TreeMap<>();
  private volatile boolean holding;

  boolean isHolding() {
    return holding;
  }

  /** Forgets all: they are to go now. */
  void clear() {
    settledAtMillis.clear();
    holding = false;
  }

  /**
   * The number of the first segment that must stay.
   *
   * @param cycles the segments on disk
   * @param cursor the segment of the first item that is not settled
   */
  int end(Collection<Integer> cycles, int cursor, long nowMillis, Duration keep) {
    if (keep.isZero()) {
      clear();
      return cursor;
    }
    cycles.stream()
        .filter(cycle -> cycle < cursor)
        .forEach(cycle -> settledAtMillis.putIfAbsent(cycle, nowMillis));
    int end = cursor;
    for (Map.Entry<Integer, Long> first = settledAtMillis.firstEntry();
        first != null;
        first = settledAtMillis.firstEntry()) {
      if (first.getValue() + keep.toMillis() > nowMillis) {
        end = first.getKey();
        break;
      }
      settledAtMillis.remove(first.getKey());
    }
    holding = !settledAtMillis.isEmpty();
    return end;
  }
}
