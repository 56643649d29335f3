package io.spillway.buffer;

import java.nio.ByteBuffer;

/**
 * A position in a lane, as everything that came before it since the lane was first made.
 *
 * @param items items stored; also the number of the next item
 * @param blocks records written
 * @param sampledOut items counted as sampled out
 * @param bytes payload bytes stored
 */
record Totals(long items, long blocks, long sampledOut, long bytes) {
  static final Totals ZERO = new Totals(0, 0, 0, 0);
  static final int BYTES = 4 * Long.BYTES;

  static Totals read(ByteBuffer from) {
    return new Totals(from.getLong(), from.getLong(), from.getLong(), from.getLong());
  }

  void write(ByteBuffer to) {
    to.putLong(items).putLong(blocks).putLong(sampledOut).putLong(bytes);
  }

  /** The later of two accounts of the same lane, number by number. */
  Totals max(Totals other) {
    return new Totals(
        Math.max(items, other.items),
        Math.max(blocks, other.blocks),
        Math.max(sampledOut, other.sampledOut),
        Math.max(bytes, other.bytes));
  }

  Totals plus(Totals other) {
    return new Totals(
        items + other.items,
        blocks + other.blocks,
        sampledOut + other.sampledOut,
        bytes + other.bytes);
  }

  Totals minus(Totals other) {
    return new Totals(
        items - other.items,
        blocks - other.blocks,
        sampledOut - other.sampledOut,
        bytes - other.bytes);
  }

  /** Whether records lie between this position and {@code end}. */
  boolean isBefore(Totals end) {
    return items < end.items || blocks < end.blocks;
  }
}
