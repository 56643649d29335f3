package io.spillway.otlp.stage;

import java.util.Map;

/**
 * The account of a lane since it was first made, in items: {@code routed = sampledOut + delivered +
 * rejected + dropped + buffered}.
 *
 * @param delivered confirmed items by exporter id
 * @param rejected items refused for good by exporter id
 * @param dropped items given up, by {@link DropReason#label}
 * @param redelivered items sent again although an earlier attempt may have been taken; not part of
 *     the sum
 * @param unaccounted what is missing from the sum, computed from independent counts; 0 unless
 *     something is wrong
 */
public record LaneLedger(
    LaneId lane,
    long routed,
    long sampledOut,
    Map<String, Long> delivered,
    Map<String, Long> rejected,
    Map<String, Long> dropped,
    long buffered,
    long redelivered,
    long unaccounted) {

  public LaneLedger {
    delivered = Map.copyOf(delivered);
    rejected = Map.copyOf(rejected);
    dropped = Map.copyOf(dropped);
  }
}
