package io.spillway.otlp.stage;

/**
 * The dead letters of a lane.
 *
 * @param letters that are kept
 * @param items in them
 * @param bytes they take on disk
 * @param discarded items in letters that gave way to newer ones or got too old, since the start
 * @param notKept items that should have become dead letters and could not be written, since the
 *     start
 */
public record DeadLetterStatus(
    long letters, long items, long bytes, long discarded, long notKept) {}
