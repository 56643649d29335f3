package io.spillway.buffer;

import io.spillway.buffer.AppendMark.Mark;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.LaneLedger;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A lane's checkpoint and append mark as they stood in the files at one moment.
 *
 * @param hasCheckpoint whether there is a good one; without it the cursor is at zero
 * @param cursor totals up to the first cursor
 * @param owed totals of what is not settled, as far as the checkpoint knows
 * @param ahead what was settled beyond the cursor, while a backlog waits
 * @param appended totals of what was appended, at least
 * @param marked what the writer noted; null if there is no mark
 */
record LaneBooks(
    boolean hasCheckpoint,
    Totals cursor,
    Totals owed,
    List<Span> ahead,
    Totals appended,
    @Nullable Totals marked,
    LaneLedger ledger) {

  /** Reads the checkpoint before the mark, so that the cursor never is ahead of the end. */
  static LaneBooks read(LaneId id, Path directory) throws IOException {
    LaneAccount account = new LaneAccount(id, InstantSource.system());
    boolean loaded = false;
    try (SlotFile file =
        SlotFile.openReadOnly(directory.resolve("checkpoint"), LaneAccount.CHECKPOINT_BYTES)) {
      loaded = file != null && account.load(file);
    }
    Mark mark = AppendMark.read(directory.resolve("appended"));
    if (mark != null) {
      account.found(mark.end());
    }
    return new LaneBooks(
        loaded,
        loaded ? account.cursor() : Totals.ZERO,
        account.unsettled(),
        account.settledAhead(),
        account.appended(),
        mark == null ? null : mark.end(),
        account.ledger());
  }

  /** Items of a run of numbers that are not settled. */
  long owedItems(long from, long to) {
    long items = Math.max(0, to - Math.max(from, cursor.items()));
    for (Span span : ahead) {
      items -= span.itemsWithin(from, to);
    }
    return items;
  }

  /** Whether a run of items was settled beyond the cursor. */
  boolean isAhead(long from, long to) {
    return ahead.stream().anyMatch(span -> span.holds(from, to));
  }
}
