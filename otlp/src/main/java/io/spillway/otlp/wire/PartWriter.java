package io.spillway.otlp.wire;

import io.spillway.otlp.wire.RequestSplitter.Part;
import java.util.ArrayList;
import java.util.List;

/**
 * Fills parts of a request one after the other. The current part is a stack of open messages: the
 * request, a resource record in it, and so on. Each begins with the fields it has in every part;
 * when a part is full, the same messages are open again in the next one.
 */
final class PartWriter {
  private final int maxBytes;
  private final List<Part> parts = new ArrayList<>();
  private final WireBuffer[] everywhere;
  private final WireBuffer[] bodies;
  private final int[] tags;

  /** Whether a level has children in the current part. What has none is not written. */
  private final boolean[] filled;

  private int deepest = -1;
  private int items;

  PartWriter(int levels, int maxBytes) {
    this.maxBytes = maxBytes;
    this.everywhere = new WireBuffer[levels];
    this.bodies = new WireBuffer[levels];
    this.tags = new int[levels];
    this.filled = new boolean[levels];
    for (int i = 0; i < levels; i++) {
      everywhere[i] = new WireBuffer(Integer.MAX_VALUE);
      bodies[i] = new WireBuffer(Integer.MAX_VALUE);
    }
  }

  int maxBytes() {
    return maxBytes;
  }

  /** Opens a message inside the deepest open one. */
  void open(int level, int tag) {
    deepest = level;
    tags[level] = tag;
    everywhere[level].clear();
    begin(level);
  }

  /** Adds a field of the deepest message that belongs into every part. */
  void keep(FieldCursor field) {
    everywhere[deepest].append(field.array(), field.start(), field.end());
    bodies[deepest].append(field.array(), field.start(), field.end());
  }

  /**
   * Makes sure that {@code bytes} more fit into the deepest message, in a new part if need be.
   * False if they do not even fit into a new part.
   */
  boolean makeRoom(int bytes) {
    if (sizeWith(bodies, bytes) <= maxBytes) {
      return true;
    }
    if (smallestSizeWith(bytes) > maxBytes) {
      return false;
    }
    endPart();
    return true;
  }

  /** The size of a part with nothing in it but {@code bytes} in the deepest message. */
  long smallestSizeWith(int bytes) {
    return sizeWith(everywhere, bytes);
  }

  /** Appends a child, whole, to the deepest message. */
  void append(FieldCursor child, int items) {
    bodies[deepest].append(child.array(), child.start(), child.end());
    filled[deepest] = true;
    this.items += items;
  }

  /** Closes the deepest message. */
  void close() {
    if (deepest == 0) {
      return;
    }
    fold(deepest);
    deepest--;
  }

  List<Part> finish() {
    if (filled[0]) {
      endPart();
    }
    return List.copyOf(parts);
  }

  private void endPart() {
    for (int level = deepest; level > 0; level--) {
      fold(level);
    }
    parts.add(new Part(bodies[0].toSlice(), items));
    items = 0;
    for (int level = 0; level <= deepest; level++) {
      begin(level);
    }
  }

  private void begin(int level) {
    bodies[level].clear();
    bodies[level].append(everywhere[level]);
    filled[level] = false;
  }

  private void fold(int level) {
    if (filled[level]) {
      bodies[level - 1].appendRecord(tags[level], bodies[level]);
      filled[level - 1] = true;
    }
  }

  private long sizeWith(WireBuffer[] levels, int bytes) {
    long size = (long) levels[deepest].size() + bytes;
    for (int level = deepest; level > 0; level--) {
      size = WireBuffer.recordSize(size) + levels[level - 1].size();
    }
    return size;
  }
}
