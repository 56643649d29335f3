package io.spillway.otlp.stage;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The bytes that one attempt put on the network, in whatever protocol: payload, framing, TLS and
 * handshakes. Counted by the exporter until whoever made the attempt reads the final count, which
 * ends the account: what is written later belongs to another one. Safe on any thread.
 */
public final class WireBytes {
  /** Set in {@link #state} once the account has ended; the other bits are the count. */
  private static final long ENDED = Long.MIN_VALUE;

  private final AtomicLong state = new AtomicLong();

  /**
   * Adds bytes.
   *
   * @return false if the account has ended; then nothing was added
   */
  public boolean add(long bytes) {
    return state.updateAndGet(now -> now < 0 ? now : now + bytes) >= 0;
  }

  /**
   * Takes back bytes that were added and never written.
   *
   * @return how many were taken back: fewer if fewer had been added, 0 if the account has ended
   */
  public long takeBack(long bytes) {
    long before = state.getAndUpdate(now -> now < 0 ? now : now - Math.min(now, bytes));
    return before < 0 ? 0 : Math.min(before, bytes);
  }

  /** The bytes so far. */
  public long count() {
    return state.get() & ~ENDED;
  }

  /** Ends the account. Safe to call twice. */
  public long end() {
    return state.updateAndGet(now -> now | ENDED) & ~ENDED;
  }
}
