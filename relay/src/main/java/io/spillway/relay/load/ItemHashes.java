package io.spillway.relay.load;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.util.function.LongConsumer;

/**
 * Finds the items of a valid export request and gives each a 64-bit hash of its bytes. A relay that
 * keeps bytes as they are keeps the hashes, so sender and sink can compare what they saw without
 * decoding it.
 */
final class ItemHashes {

  /**
   * Field numbers from the request down to an item; metrics have one level more, with five kinds of
   * data.
   */
  private static final int RESOURCE = 1;

  private static final int SCOPE = 2;
  private static final int ITEM = 2;
  private static final int POINT = 1;
  private static final long METRIC_DATA = 1L << 5 | 1L << 7 | 1L << 9 | 1L << 10 | 1L << 11;

  private final byte[] bytes;
  private final LongConsumer items;

  private ItemHashes(byte[] bytes, LongConsumer items) {
    this.bytes = bytes;
    this.items = items;
  }

  static void forEach(Signal signal, Slice request, LongConsumer items) {
    long[] path =
        signal == Signal.METRICS
            ? new long[] {1L << RESOURCE, 1L << SCOPE, 1L << ITEM, METRIC_DATA, 1L << POINT}
            : new long[] {1L << RESOURCE, 1L << SCOPE, 1L << ITEM};
    new ItemHashes(request.array(), items)
        .walk(request.offset(), request.offset() + request.length(), path, 0);
  }

  /** The depth is the length of the path, at most 5. */
  private void walk(int from, int to, long[] path, int depth) {
    if (depth == path.length) {
      items.accept(hash(from, to));
      return;
    }
    int position = from;
    while (position < to) {
      int tagEnd = skipVarint(position);
      long tag = varint(position, tagEnd);
      position = tagEnd;
      switch ((int) (tag & 7)) {
        case 0 -> position = skipVarint(position);
        case 1 -> position += 8;
        case 5 -> position += 4;
        case 2 -> {
          int lengthEnd = skipVarint(position);
          int end = lengthEnd + (int) varint(position, lengthEnd);
          long field = tag >>> 3;
          if (field < Long.SIZE && (path[depth] & 1L << field) != 0) {
            walk(lengthEnd, end, path, depth + 1);
          }
          position = end;
        }
        default -> throw new IllegalArgumentException("groups are not expected here");
      }
    }
  }

  private int skipVarint(int from) {
    int position = from;
    while (bytes[position] < 0) {
      position++;
    }
    return position + 1;
  }

  private long varint(int from, int to) {
    long value = 0;
    for (int i = to - 1; i >= from; i--) {
      value = value << 7 | (bytes[i] & 0x7F);
    }
    return value;
  }

  /** FNV-1a, 64 bits. */
  private long hash(int from, int to) {
    long hash = 0xCBF29CE484222325L;
    for (int i = from; i < to; i++) {
      hash = (hash ^ (bytes[i] & 0xFF)) * 0x100000001B3L;
    }
    return hash;
  }
}
