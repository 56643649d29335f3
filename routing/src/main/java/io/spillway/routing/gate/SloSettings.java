package io.spillway.routing.gate;

import java.time.Duration;

/**
 * What a route promises.
 *
 * @param objective percentage of settled items that are delivered, in (0, 100)
 * @param window what the percentage is taken over
 */
public record SloSettings(double objective, Duration window) {}
