package io.spillway.routing;

import java.time.Duration;

/**
 * When a route leaves a failing exporter, and when it takes it back.
 *
 * @param after how long an exporter may fail before the next one in order takes over
 * @param failbackAfter how long a failed exporter must have been healthy before it is used again
 */
public record FailoverSettings(Duration after, Duration failbackAfter) {}
