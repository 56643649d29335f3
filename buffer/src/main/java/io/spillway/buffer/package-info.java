/**
 * The durable buffer: lanes on Chronicle Queue.
 *
 * <p>{@link io.spillway.buffer.Buffer} owns a directory and hands out {@link
 * io.spillway.otlp.stage.Lane}s. An append is called back only after its block is in the lane's
 * queue (and forced to the device with {@code durability: power}); what was called back is handed
 * out by {@code poll}, also by a later process, until a settlement accounts for it. Chronicle's
 * types stay in {@code SegmentQueue} and {@code SizeRollCycle}.
 *
 * <p>Each lane has one writer thread; {@code poll} belongs to one thread of the caller at a time;
 * everything else may be called from any thread.
 */
@NullMarked
package io.spillway.buffer;

import org.jspecify.annotations.NullMarked;
