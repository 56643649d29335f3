package io.spillway.buffer;

import io.spillway.otlp.Slice;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The blocks that a queue appended last, as they were in memory: a reader who keeps up takes them
 * from here instead of reading back what was just written. They are on disk all the same, and what
 * is not kept here, or not asked for in order, is read from there. Safe on any thread.
 */
final class RecentBlocks implements AutoCloseable {
  /** Payload bytes that all lanes of a buffer keep together. */
  static final long MAX_BYTES = 8L * 1024 * 1024;

  /** Payload bytes of one lane: some blocks, or the largest there is. */
  static final long MAX_LANE_BYTES = HandOver.MAX_UNCUT_BYTES;

  private final AtomicLong shared;
  private final ArrayDeque<Recent> blocks = new ArrayDeque<>();
  private long bytes;
  private boolean closed;

  /**
   * @param shared payload bytes that all lanes of the buffer keep at the moment
   */
  RecentBlocks(AtomicLong shared) {
    this.shared = shared;
  }

  /**
   * A block as it was appended.
   *
   * @param cycle the number of its segment
   * @param passed where a reader stands that has read all before it in the segment
   * @param end where its bytes end
   * @param payload written by nobody any more
   */
  record Recent(int cycle, long passed, long end, BlockHeader header, Slice payload) {

    private boolean isBefore(int otherCycle, long position) {
      return cycle < otherCycle || (cycle == otherCycle && passed < position);
    }
  }

  /** Keeps a block if there is room for it; older ones that nobody asked for go first. */
  synchronized void add(Recent block) {
    long length = block.payload.retainedBytes();
    while (!blocks.isEmpty() && bytes + length > MAX_LANE_BYTES) {
      dropFirst();
    }
    if (closed || length > MAX_LANE_BYTES) {
      return;
    }
    if (shared.addAndGet(length) > MAX_BYTES) {
      shared.addAndGet(-length);
      return;
    }
    bytes += length;
    blocks.add(block);
  }

  /**
   * Takes out the block that comes next for a reader; null if it is not here. Forgets all before
   * it.
   */
  synchronized @Nullable Recent take(int cycle, long position) {
    Recent first = blocks.peek();
    while (first != null && first.isBefore(cycle, position)) {
      dropFirst();
      first = blocks.peek();
    }
    if (first == null || first.cycle != cycle || first.passed != position) {
      return null;
    }
    dropFirst();
    return first;
  }

  /** Forgets all blocks and keeps none any more. */
  @Override
  public synchronized void close() {
    closed = true;
    while (!blocks.isEmpty()) {
      dropFirst();
    }
  }

  private void dropFirst() {
    long length = blocks.remove().payload.retainedBytes();
    bytes -= length;
    shared.addAndGet(-length);
  }
}
