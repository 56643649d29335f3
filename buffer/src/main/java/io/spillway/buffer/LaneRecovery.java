package io.spillway.buffer;

import io.spillway.buffer.AppendMark.Mark;
import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.util.NavigableSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out from a lane's files, while no queue has them open, how far the lane got: from the
 * segments, the writer's mark and the checkpoint, none of which need be there or be right. Teaches
 * the {@link LaneAccount} what they prove.
 */
final class LaneRecovery {
  private static final Logger log = LoggerFactory.getLogger(LaneRecovery.class);

  /** No lane gets here honestly; beyond, there is no name for a segment. */
  private static final int MAX_CYCLE = 1 << 30;

  private final LaneId id;
  private final SegmentFiles files;
  private final LaneAccount account;

  LaneRecovery(LaneId id, SegmentFiles files, LaneAccount account) {
    this.id = id;
    this.files = files;
    this.account = account;
  }

  /**
   * Reads the newest segment from the writer's mark on, since a record may have been written after
   * it; without a good mark, from the front and as far back as it takes to find a record.
   */
  Totals findEnd(NavigableSet<Integer> cycles, @Nullable Mark found) throws IOException {
    if (found != null) {
      account.found(found.end());
    }
    for (int cycle : cycles.descendingSet()) {
      boolean marked = found != null && found.cycle() == cycle;
      long from = marked && found != null ? found.position() : 0;
      SegmentScan.Found scan = SegmentScan.scan(files.segment(cycle), from);
      account.found(scan.end());
      long end = Math.max(scan.endPosition(), from);
      if (cycle == cycles.last() && end > 0) {
        files.truncate(cycle, end + SegmentQueue.SLACK_BYTES);
      }
      if (scan.first() != null) {
        return scan.end();
      }
      if (marked && found != null && SegmentScan.first(files.segment(cycle)) != null) {
        return found.end();
      }
    }
    return Totals.ZERO;
  }

  /**
   * A checkpoint is written after the mark and after the blocks it passes. One that is ahead of all
   * of them belongs to another time of this directory; believing it would skip what is on disk.
   *
   * @param end of the records on disk; zero if there are none
   */
  boolean believesCheckpoint(NavigableSet<Integer> cycles, Totals end, @Nullable Mark found) {
    Totals cursor = account.highestCursor();
    int cycle = cycleOf(account.highestIndex());
    if (end.equals(Totals.ZERO)) {
      return true; // nothing on disk that could be skipped
    }
    boolean isAhead = found == null ? cycles.last() < cycle : found.end().isBefore(cursor);
    if (end.isBefore(cursor) && isAhead) {
      log.error(
          "buffer {}: the checkpoint says that items up to {} are settled, but the disk holds"
              + " items up to {} only. It is not believed.",
          id,
          cursor.items(),
          end.items());
      account.forget(found == null ? end : end.max(found.end()));
      return false;
    }
    if (cursor.isBefore(end) && cycles.last() < cycle) {
      account.restartAt((long) cycles.first() << 32);
    }
    return true;
  }

  /** A crash between a checkpoint and the deletion that it allowed leaves such segments. */
  void deleteSettled(NavigableSet<Integer> cycles) throws IOException {
    int cursorCycle = cycleOf(account.cursorIndex());
    while (!cycles.isEmpty() && cycles.first() < cursorCycle) {
      Integer after = cycles.higher(cycles.first());
      BlockHeader first = after == null ? null : SegmentScan.first(files.segment(after));
      if (first != null && account.cursor().isBefore(first.start())) {
        return; // the numbers say otherwise, and they are right
      }
      files.delete(cycles.removeFirst());
    }
  }

  /** Above every number that was ever used, so no index comes twice. */
  int nextCycle(@Nullable Mark found) throws IOException {
    int newest = files.newestNumber();
    int next = newest + 1;
    if (found != null) {
      next = Math.max(next, found.cycle() + 1);
    }
    long cursor = account.highestIndex();
    boolean atStart = cursor << 32 == 0;
    next = Math.max(next, cycleOf(cursor) + (atStart ? 0 : 1));
    if (next > 0 && next <= MAX_CYCLE) {
      return next;
    }
    if (cycleOf(cursor) > newest) {
      account.restartAt((long) (newest + 1) << 32);
    }
    return newest + 1;
  }

  /** Takes the first block on disk for the cursor. */
  void startWithoutCheckpoint(SegmentQueue opened) throws IOException {
    for (int cycle : opened.cycles()) {
      BlockHeader first = SegmentScan.first(files.segment(cycle));
      if (first != null) {
        account.startWithoutCheckpoint(first.start(), opened.firstIndexOf(cycle));
        return;
      }
    }
    account.startWithoutCheckpoint(account.appended(), opened.firstIndexOf(opened.firstCycle()));
  }

  /** An index is the segment's number in the upper half, a position in it in the lower. */
  static int cycleOf(long index) {
    return (int) (index >>> 32);
  }
}
