package io.spillway.buffer;

import io.spillway.buffer.BufferConfig.Durability;
import io.spillway.buffer.BufferConfig.WhenFull;
import java.time.Duration;

/**
 * What one lane may use and what it promises.
 *
 * @param maxBytes disk that the lane may reserve, within what all lanes may
 * @param maxAge what was accepted longer ago is given up, to within a segment
 * @param whenFull what an append to the full lane does
 * @param durability what acknowledged data survives
 * @param keepDelivered how long segments stay after everything in them is settled, as long as
 *     nobody needs their room; zero to delete them at once
 */
public record LaneSettings(
    long maxBytes,
    Duration maxAge,
    WhenFull whenFull,
    Durability durability,
    Duration keepDelivered) {}
