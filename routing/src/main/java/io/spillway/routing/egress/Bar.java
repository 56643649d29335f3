package io.spillway.routing.egress;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Why an exporter of a lane is not used, whatever its breaker says.
 *
 * @param who set it: {@code operator NAME}, {@code quota}
 * @param reason in words, for people
 * @param until when it ends by itself; null if it does not
 */
public record Bar(
    BarCause cause, String who, String reason, Instant since, @Nullable Instant until) {}
