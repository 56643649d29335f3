package io.spillway.buffer;

import java.time.Instant;

/**
 * Which blocks of a lane to read. A block belongs to it if any request in it may: accept times are
 * kept per block, and a block is filled within moments.
 *
 * @param fromItem blocks that end at or before this item number are left out
 * @param from blocks whose newest request was accepted before this are left out
 * @param to blocks whose oldest request was accepted at this time or later are left out
 */
public record Selection(long fromItem, Instant from, Instant to) {
  public static final Selection ALL = new Selection(0, Instant.MIN, Instant.MAX);

  /** The part of this from an item on. */
  public Selection fromItem(long item) {
    return new Selection(Math.max(fromItem, item), from, to);
  }

  boolean holds(StoredBlock block) {
    return block.endItem() > fromItem
        && !block.lastAccepted().isBefore(from)
        && block.firstAccepted().isBefore(to);
  }
}
