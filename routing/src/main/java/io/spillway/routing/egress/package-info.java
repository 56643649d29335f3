/**
 * The egress side of a lane: reads its blocks, sends them through exporters in failover order, and
 * settles them.
 *
 * <p>One {@link io.spillway.routing.egress.LaneEgress} owns one lane. All its decisions are made on
 * one thread of its own; exporters and the thread that reads the lane only hand it events. A block
 * is settled exactly once, when every item in it is delivered, rejected or dropped; until then it
 * stays on disk. Retrying never ends by itself.
 */
@NullMarked
package io.spillway.routing.egress;

import org.jspecify.annotations.NullMarked;
