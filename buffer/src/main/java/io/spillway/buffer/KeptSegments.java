package io.spillway.buffer;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
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
   * Those of the settled segments whose time is over.
   *
   * @param settled segments on disk of which nothing is owed any more
   */
  List<Integer> due(Collection<Integer> settled, long nowMillis, Duration keep) {
    if (keep.isZero()) {
      clear();
      return List.copyOf(settled);
    }
    settledAtMillis.keySet().retainAll(settled);
    settled.forEach(cycle -> settledAtMillis.putIfAbsent(cycle, nowMillis));
    List<Integer> due =
        settledAtMillis.entrySet().stream()
            .filter(kept -> kept.getValue() + keep.toMillis() <= nowMillis)
            .map(Map.Entry::getKey)
            .toList();
    holding = settledAtMillis.size() > due.size();
    return due;
  }
}
