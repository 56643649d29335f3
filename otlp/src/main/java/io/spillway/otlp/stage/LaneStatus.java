package io.spillway.otlp.stage;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How full a lane is.
 *
 * @param items items stored and not settled
 * @param blocks blocks stored and not settled
 * @param bytes payload bytes stored and not settled
 * @param diskBytes bytes reserved on disk, settled blocks of unfinished segments included
 * @param oldest when the oldest unsettled item was accepted; null if there is none
 * @param full why the lane refuses appends now; null if it takes them
 * @param unsyncedBytes acknowledged payload bytes that a loss of power now could take
 * @param lastSync when the lane was last written through to the device; null if not yet
 * @param held why what is stored cannot be handed out now, though nothing of it is lost; null if it
 *     can
 * @param backlogItems those of {@code items} that were set aside as backlog
 * @param backlogBytes those of {@code bytes} that were set aside as backlog
 */
public record LaneStatus(
    long items,
    long blocks,
    long bytes,
    long diskBytes,
    @Nullable Instant oldest,
    @Nullable String full,
    long unsyncedBytes,
    @Nullable Instant lastSync,
    @Nullable String held,
    long backlogItems,
    long backlogBytes) {}
