package io.spillway.buffer;

import org.jspecify.annotations.Nullable;

/**
 * Something wrong with a lane on disk.
 *
 * @param segment file name of the segment; null if it is not in one
 * @param position byte in the segment; -1 without one
 * @param fromItem first item number concerned
 * @param toItem the item number after the last one concerned; equal to {@code fromItem} if no item
 *     is
 * @param what is wrong, in words
 */
public record Finding(
    Kind kind, @Nullable String segment, long position, long fromItem, long toItem, String what) {

  /** What kind of damage it is. */
  public enum Kind {
    /** Items that were stored and are in no block. */
    MISSING,
    /** Bytes between two blocks that are neither; no item number is missing. */
    STRAY_BYTES,
    /** A block whose numbers were used before. */
    REPEATED,
    /** A block whose payload is not as it was written, or not what its header says. */
    BAD_PAYLOAD,
    /** The checkpoint or the append mark disagrees with the blocks. */
    BOOKS
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    if (segment != null) {
      text.append(segment).append(" byte ").append(position).append(": ");
    }
    if (toItem > fromItem) {
      text.append("items ").append(fromItem).append(" to ").append(toItem - 1).append(": ");
    }
    return text.append(what).toString();
  }
}
