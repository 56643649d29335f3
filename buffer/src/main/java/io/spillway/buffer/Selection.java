package io.spillway.buffer;

import java.time.Instant;
import java.util.List;

/**
 * Which blocks of a lane to read. A block belongs to it if any request in it may: accept times are
 * kept per block, and a block is filled within moments.
 *
 * @param fromItem blocks that end at or before this item number are left out
 * @param from blocks whose newest request was accepted before this are left out
 * @param to blocks whose oldest request was accepted at this time or later are left out
 * @param without blocks of which all items lie in one of these are left out
 */
public record Selection(long fromItem, Instant from, Instant to, List<Span> without) {
  public static final Selection ALL = between(Instant.MIN, Instant.MAX);

  public Selection {
    without = List.copyOf(without);
  }

  public static Selection between(Instant from, Instant to) {
    return new Selection(0, from, to, List.of());
  }

  /** The part of this from an item on. */
  public Selection fromItem(long item) {
    return new Selection(Math.max(fromItem, item), from, to, without);
  }

  Selection without(List<Span> spans) {
    return new Selection(fromItem, from, to, spans);
  }

  boolean holds(StoredBlock block) {
    return block.endItem() > fromItem
        && !block.lastAccepted().isBefore(from)
        && block.firstAccepted().isBefore(to)
        && without.stream().noneMatch(span -> span.holds(block.firstItem(), block.endItem()));
  }
}
