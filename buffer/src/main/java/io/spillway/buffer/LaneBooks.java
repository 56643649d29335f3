package io.spillway.buffer;

import io.spillway.buffer.AppendMark.Mark;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.LaneLedger;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * A lane's checkpoint and append mark as they stood in the files at one moment.
 *
 * @param hasCheckpoint whether there is a good one; without it the cursor is at zero
 * @param cursorIndex index after the settled blocks; its upper half is a segment's number
 * @param cursor totals up to the cursor
 * @param appended totals of what was appended, at least
 * @param marked what the writer noted; null if there is no mark
 */
record LaneBooks(
    boolean hasCheckpoint,
    long cursorIndex,
    Totals cursor,
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
    Totals cursor = loaded ? minus(account.appended(), account.unsettled()) : Totals.ZERO;
    Mark mark = AppendMark.read(directory.resolve("appended"));
    if (mark != null) {
      account.found(mark.end());
    }
    return new LaneBooks(
        loaded,
        account.cursorIndex(),
        cursor,
        account.appended(),
        mark == null ? null : mark.end(),
        account.ledger());
  }

  private static Totals minus(Totals appended, Totals unsettled) {
    return new Totals(
        appended.items() - unsettled.items(),
        appended.blocks() - unsettled.blocks(),
        appended.sampledOut(),
        appended.bytes() - unsettled.bytes());
  }
}
