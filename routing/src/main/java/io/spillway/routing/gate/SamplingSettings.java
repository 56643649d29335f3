package io.spillway.routing.gate;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Which spans a route keeps.
 *
 * @param percentage in (0, 100]
 * @param keepErrors keep spans with status ERROR in any case
 * @param keepSlowerThan keep spans at least this long in any case; null for no such rule
 */
public record SamplingSettings(
    double percentage, boolean keepErrors, @Nullable Duration keepSlowerThan) {}
