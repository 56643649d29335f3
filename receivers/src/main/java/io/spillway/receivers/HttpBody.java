package io.spillway.receivers;

import io.netty.buffer.ByteBuf;
import io.spillway.otlp.Slice;
import java.util.Arrays;

/**
 * A request body as it is read, in one array that grows with what arrives, not with what the head
 * claims. Used by one thread.
 */
final class HttpBody {
  /** Little, so that a sender who begins and does not go on holds little of the admission. */
  private static final int FIRST_CAPACITY = 4 << 10;

  private final Exchange exchange;
  private final int maxBytes;
  private final int expected;
  private byte[] bytes = Slice.EMPTY.array();
  private int length;

  /**
   * @param contentLength at most {@code maxBytes}; -1 if unknown
   */
  HttpBody(Exchange exchange, long contentLength, int maxBytes) {
    this.exchange = exchange;
    this.maxBytes = maxBytes;
    this.expected = contentLength < 0 ? maxBytes : Math.toIntExact(contentLength);
  }

  /** Takes the readable bytes, or none of them. */
  Fit append(ByteBuf more) {
    int added = more.readableBytes();
    if (added > maxBytes - length) {
      return Fit.TOO_LARGE;
    }
    if (added > bytes.length - length && !grow(length + added)) {
      return Fit.NO_ROOM;
    }
    more.readBytes(bytes, length, added);
    length += added;
    exchange.wireBytes(length);
    return Fit.TAKEN;
  }

  /** Hands the body over, in an array that is not written again; nothing of it is kept here. */
  Slice handOver() {
    Slice body = new Slice(bytes, 0, length);
    bytes = Slice.EMPTY.array();
    length = 0;
    return body;
  }

  private boolean grow(int needed) {
    long doubled = Math.max(FIRST_CAPACITY, 2L * bytes.length);
    int capacity = Math.toIntExact(Math.max(needed, Math.min(doubled, expected)));
    if (!exchange.reserve(capacity)) {
      return false;
    }
    bytes = Arrays.copyOf(bytes, capacity);
    return true;
  }

  /** Whether bytes were taken. */
  enum Fit {
    TAKEN,
    /** The body exceeds its limit. */
    TOO_LARGE,
    /** The admission has no room for it now. */
    NO_ROOM
  }
}
