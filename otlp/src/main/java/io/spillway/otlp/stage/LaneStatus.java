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
 */
public record LaneStatus(
    long items,
    long blocks,
    long bytes,
    long diskBytes,
    @Nullable Instant oldest,
    @Nullable String full) {}
