package io.spillway.exporters;

import io.spillway.otlp.stage.WireBytes;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * What the sockets of one exporter carried, and how it is shared out among its attempts: <i>sent =
 * the wire bytes of all attempts that ended + unclaimed</i>.
 *
 * <p>A connection that one attempt has to itself charges it directly. On a shared connection an
 * attempt is charged for its message when that is framed, and the socket, which reports the same
 * bytes again, is credited. What sockets sent beyond that (HTTP/2 frames, TLS, handshakes, pings,
 * what was sent for an attempt that had ended) is unclaimed, and charged to the attempt that ends
 * next. Safe on any thread.
 */
final class Traffic {
  private final LongAdder sent = new LongAdder();
  private final LongAdder received = new LongAdder();

  /** Negative while messages are framed and not yet written. */
  private final AtomicLong unclaimed = new AtomicLong();

  /**
   * A socket wrote bytes.
   *
   * @param attempt that has the connection to itself; null if there is none
   */
  void sent(long bytes, @Nullable WireBytes attempt) {
    sent.add(bytes);
    if (attempt == null || !attempt.add(bytes)) {
      unclaimed.addAndGet(bytes);
    }
  }

  /** A socket read bytes. */
  void received(long bytes) {
    received.add(bytes);
  }

  /** A message of an attempt was handed to a shared connection, whose socket will report it too. */
  void framed(long bytes, WireBytes attempt) {
    if (attempt.add(bytes)) {
      unclaimed.addAndGet(-bytes);
    }
  }

  /**
   * Charges an attempt that is about to end for what is unclaimed.
   *
   * @param last whether no other attempt is open: then what is framed and not written is its own,
   *     and it is not charged for that
   */
  void ending(WireBytes attempt, boolean last) {
    long rest = unclaimed.getAndSet(0);
    if (rest > 0 && attempt.add(rest)) {
      return;
    }
    long back = rest < 0 && last ? attempt.takeBack(-rest) : 0;
    unclaimed.addAndGet(rest + back);
  }

  long sentBytes() {
    return sent.sum();
  }

  long receivedBytes() {
    return received.sum();
  }
}
