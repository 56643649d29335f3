package io.spillway.routing.egress;

import java.time.Instant;

/**
 * A change of an exporter's state within one lane.
 *
 * @param exporter component id
 * @param reason in words, for people
 */
public record Transition(
    String exporter, BreakerState from, BreakerState to, Instant when, String reason) {}
