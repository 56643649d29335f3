package io.spillway.relay.load;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;

/** Items counted by signal, and their hashes if asked for. Safe on any thread. */
final class ItemCounts {

  private final Map<Signal, Long> counts = new EnumMap<>(Signal.class);
  private final boolean keepHashes;
  private long[] hashes = new long[1024];
  private int size;

  ItemCounts(boolean keepHashes) {
    this.keepHashes = keepHashes;
  }

  synchronized void add(Signal signal, Slice request, int items) {
    counts.merge(signal, (long) items, Long::sum);
    if (keepHashes) {
      ItemHashes.forEach(signal, request, this::addHash);
    }
  }

  private void addHash(long hash) {
    if (size == hashes.length) {
      hashes = Arrays.copyOf(hashes, size * 2);
    }
    hashes[size++] = hash;
  }

  synchronized long[] hashes() {
    return Arrays.copyOf(hashes, size);
  }

  @Override
  public synchronized String toString() {
    return Arrays.stream(Signal.values())
        .map(signal -> signal.label() + "=" + counts.getOrDefault(signal, 0L))
        .collect(Collectors.joining(" "));
  }
}
