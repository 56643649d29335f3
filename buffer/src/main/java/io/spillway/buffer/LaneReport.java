package io.spillway.buffer;

import io.spillway.otlp.stage.LaneId;

/**
 * What a check of a lane found.
 *
 * @param blocks with a good header
 * @param items in them
 * @param bytes of payload in them
 * @param firstItem number of the first item in a block; the cursor if there is no block
 * @param endItem number after the last item in a block; the cursor if there is no block
 * @param waiting items in blocks from the cursor on: what the books call buffered, counted anew
 * @param cursorItem number of the first item that is not settled, when the check began
 * @param appendedItem number that the next item would have got, when the check began
 * @param missing items that should be there and are in no block
 * @param unreadable items in blocks that are there, but not as they were written
 * @param locked blocks whose payload could not be looked into for want of a key
 * @param findings how many were reported
 */
public record LaneReport(
    LaneId lane,
    Depth depth,
    long blocks,
    long items,
    long bytes,
    long firstItem,
    long endItem,
    long waiting,
    long cursorItem,
    long appendedItem,
    long missing,
    long unreadable,
    long locked,
    long findings) {

  /** How much of a lane is read. */
  public enum Depth {
    /** Headers and books: some KiB per block. */
    HEADERS,
    /** Everything: payloads are decompressed and scanned too. */
    PAYLOADS
  }

  public boolean isClean() {
    return findings == 0;
  }
}
