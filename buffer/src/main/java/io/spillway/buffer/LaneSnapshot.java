package io.spillway.buffer;

import io.spillway.otlp.stage.LaneLedger;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a lane's files say about it, read without its relay.
 *
 * @param ledger the counts as of the last checkpoint; those that depend on the newest blocks lag by
 *     at most what was appended since
 * @param hasCheckpoint whether there is one; without it everything on disk counts as waiting
 * @param firstItem number of the first item on disk; blocks before {@code cursorItem} are settled
 *     and only there until their segment is finished or their time is up
 * @param cursorItem number of the first item that is not settled
 * @param appendedItem number that the next item will get
 * @param items stored and not settled
 * @param blocks stored and not settled
 * @param bytes of payload stored and not settled
 * @param segments files of the queue
 * @param diskBytes about what the lane takes on disk, damaged segments included
 * @param quarantined damaged files that were set aside
 * @param oldest when the oldest unsettled item was accepted; null if there is none
 * @param newest when the newest item on disk was accepted; null if there is none
 */
public record LaneSnapshot(
    LaneLedger ledger,
    boolean hasCheckpoint,
    long firstItem,
    long cursorItem,
    long appendedItem,
    long items,
    long blocks,
    long bytes,
    int segments,
    long diskBytes,
    int quarantined,
    @Nullable Instant oldest,
    @Nullable Instant newest) {}
