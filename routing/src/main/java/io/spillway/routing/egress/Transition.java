package io.spillway.routing.egress;

import java.time.Duration;
import java.time.Instant;

/**
 * A change of an exporter's standing within one lane.
 *
 * @param exporter component id
 * @param lasted how long it stood as before
 * @param who made the change: {@code failover}, {@code quota}, {@code operator NAME}
 * @param reason in words, for people
 */
public record Transition(
    String exporter,
    Standing from,
    Standing to,
    Instant when,
    Duration lasted,
    String who,
    String reason) {}
