/**
 * The one contract between the stages of the relay: what a receiver hands to the gate, the gate to
 * a lane, a lane to the egress, and the egress to an exporter.
 *
 * <p>An acknowledgement ({@link io.spillway.otlp.stage.Answer.Accepted}) means that every item of
 * the request is stored, was sampled out and counted, or was rejected and reported. From then on
 * exactly one {@link io.spillway.otlp.stage.Settlement} accounts for each block.
 */
@NullMarked
package io.spillway.otlp.stage;

import org.jspecify.annotations.NullMarked;
