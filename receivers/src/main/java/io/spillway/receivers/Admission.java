package io.spillway.receivers;

import java.util.concurrent.atomic.AtomicLong;

/**
 * A bound on the bytes of requests in memory, over all connections and both protocols: compressed
 * bytes while a request is read, then the uncompressed ones until it is answered.
 *
 * <p>A request that does not fit is refused while it is read, or before it is decompressed, and its
 * sender is asked to come back. A request that is alone is always let in, or one larger than the
 * bound could never be delivered. Decompression reserves a guess and corrects it afterwards, so the
 * bound may be exceeded for that long by one request per network thread. Safe on any thread.
 */
public final class Admission {
  private final long maxBytes;
  private final AtomicLong inFlightBytes = new AtomicLong();

  /**
   * @param maxBytes at least 1
   */
  public Admission(long maxBytes) {
    if (maxBytes < 1) {
      throw new IllegalArgumentException("admission: " + maxBytes + " bytes (expected >= 1)");
    }
    this.maxBytes = maxBytes;
  }

  public long maxBytes() {
    return maxBytes;
  }

  /** Bytes reserved now. */
  public long inFlightBytes() {
    return inFlightBytes.get();
  }

  Ticket ticket() {
    return new Ticket();
  }

  private boolean move(long from, long to) {
    while (true) {
      long total = inFlightBytes.get();
      long others = total - from;
      if (to > from && others > 0 && to > maxBytes - others) {
        return false;
      }
      if (inFlightBytes.compareAndSet(total, others + to)) {
        return true;
      }
    }
  }

  /** What one request holds of the bound. Safe on any thread. */
  final class Ticket {
    private long held;
    private boolean closed;

    /** Holds this many bytes from now on; false, and nothing changes, if they do not fit. */
    synchronized boolean resize(long bytes) {
      if (closed || !move(held, bytes)) {
        return false;
      }
      held = bytes;
      return true;
    }

    /** Gives everything back, for good. Safe to call twice. */
    synchronized void close() {
      closed = true;
      move(held, 0);
      held = 0;
    }
  }
}
