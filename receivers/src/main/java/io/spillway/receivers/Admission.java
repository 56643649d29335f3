package io.spillway.receivers;

import java.net.InetAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A bound on the bytes of requests in memory, over all connections and both protocols: compressed
 * bytes while a request is read, then the uncompressed ones until it is answered.
 *
 * <p><b>Fairness.</b> Four fifths go to who comes first. The rest is a reserve for those who hold
 * little: a connection gets more only while it then holds at most a {@value #SMALL_PART}th of what
 * is left. So however much a greedy sender has in flight, one that sends little finds room beside
 * it, and a row of greedy ones leaves room for the next. As many connections would be many shares,
 * half of the reserve is kept for addresses that hold little, while there are connections of more
 * than one; while there is only one, as in a sidecar or behind a proxy, it says nothing about who
 * sends.
 *
 * <p><b>Hysteresis.</b> Once a request met the end of the four fifths, new ones get what the
 * reserve gives and no more, until what is in flight is below {@value #REOPEN_PERCENT} % of them.
 * So senders are turned away for a while, not every other request for ever, and what was let in is
 * finished first.
 *
 * <p><b>Large requests.</b> A request is charged with half of the bound at most, so that one of any
 * size gets in beside small ones, and never two such at once. So memory is bounded by the bound and
 * what one request exceeds half of it by. Decompression reserves a guess, and the request's limit
 * before it goes beyond that.
 *
 * <p>Safe on any thread.
 */
public final class Admission {
  /** Least bound there is. */
  public static final long MIN_BYTES = 2;

  /** Of what is in flight when there is no reserve left to all, where new requests begin again. */
  static final int REOPEN_PERCENT = 80;

  /** Part of what is left that one connection may hold when only the reserve is. */
  static final int SMALL_PART = 16;

  /** Part of it that one address may hold before half of the reserve is closed to it. */
  private static final int SMALL_PART_OF_ADDRESS = 4;

  private static final int RESERVE_PART = 5;
  private static final int LARGEST_CHARGE = 2;

  private final long maxBytes;

  /** For everybody; beyond it is the reserve. */
  private final long openBytes;

  private final long reopenBytes;
  private final AtomicLong charged = new AtomicLong();

  /** What requests hold beyond what they are charged with. */
  private final AtomicLong uncharged = new AtomicLong();

  private final Map<InetAddress, Peer> peers = new ConcurrentHashMap<>();
  private final AtomicInteger peerCount = new AtomicInteger();

  /** Whether the end of {@link #openBytes} was met, and not left behind yet. */
  private volatile boolean pressed;

  /**
   * @param maxBytes at least {@link #MIN_BYTES}
   */
  public Admission(long maxBytes) {
    if (maxBytes < MIN_BYTES) {
      throw new IllegalArgumentException(
          "admission: " + maxBytes + " bytes (expected >= " + MIN_BYTES + ")");
    }
    this.maxBytes = maxBytes;
    this.openBytes = maxBytes - maxBytes / RESERVE_PART;
    this.reopenBytes = openBytes * REOPEN_PERCENT / 100;
  }

  public long maxBytes() {
    return maxBytes;
  }

  /** Bytes reserved now. */
  public long inFlightBytes() {
    return charged.get() + uncharged.get();
  }

  /**
   * A connection was opened.
   *
   * @param address of the sender's machine; the loopback address for one on this machine
   * @return its share, to be left once
   */
  Share join(InetAddress address) {
    Peer joined =
        peers.compute(
            address,
            (_, known) -> {
              Peer peer = known;
              if (peer == null) {
                peer = new Peer(address);
                peerCount.incrementAndGet();
              }
              peer.connections++;
              return peer;
            });
    return new Share(joined);
  }

  private void leave(Peer peer) {
    peers.computeIfPresent(
        peer.address,
        (_, known) -> {
          known.connections--;
          if (known.connections > 0) {
            return known;
          }
          peerCount.decrementAndGet();
          return null;
        });
  }

  /** Whether new requests may take of what is for everybody, beside so many bytes in flight. */
  private boolean isOpen(long inFlight) {
    if (pressed && inFlight < reopenBytes) {
      pressed = false;
    }
    return !pressed;
  }

  private long charge(long bytes) {
    return Math.min(bytes, maxBytes / LARGEST_CHARGE);
  }

  /** All connections of one address. */
  private static final class Peer {
    private final InetAddress address;
    private final AtomicLong held = new AtomicLong();

    /** Guarded by the map's entry. */
    private int connections;

    Peer(InetAddress address) {
      this.address = address;
    }
  }

  /** What one connection holds of the bound. Safe on any thread. */
  final class Share {
    private final Peer peer;
    private final AtomicLong held = new AtomicLong();

    private Share(Peer peer) {
      this.peer = peer;
    }

    /** For one request on the connection. */
    Ticket ticket() {
      return new Ticket(this);
    }

    /** Bytes that the connection's requests are charged with now. */
    long heldBytes() {
      return held.get();
    }

    /** The connection was closed. What its requests hold they give back by themselves. */
    void leave() {
      Admission.this.leave(peer);
    }

    /**
     * Takes more, if that keeps to the rules.
     *
     * @param begun whether it is for a request that was let in as one of everybody's
     */
    private Taken take(long more, boolean begun) {
      while (true) {
        long before = charged.get();
        boolean open = (begun || isOpen(before)) && before + more <= openBytes;
        if (!open && held.get() + more > reserve(maxBytes - before - more, more)) {
          if (before >= reopenBytes) {
            pressed = true;
          }
          return Taken.NOTHING;
        }
        if (charged.compareAndSet(before, before + more)) {
          held.addAndGet(more);
          peer.held.addAndGet(more);
          return open ? Taken.OPEN : Taken.RESERVE;
        }
      }
    }

    private void giveBack(long bytes) {
      held.addAndGet(-bytes);
      peer.held.addAndGet(-bytes);
      charged.addAndGet(-bytes);
    }

    /** What the connection may hold for a part of the reserve, if this much is left then. */
    private long reserve(long left, long more) {
      boolean greedyAddress =
          peerCount.get() > 1 && peer.held.get() + more > left / SMALL_PART_OF_ADDRESS;
      return (greedyAddress ? left - maxBytes / RESERVE_PART / 2 : left) / SMALL_PART;
    }
  }

  /** What a request was given. */
  private enum Taken {
    OPEN,
    RESERVE,
    NOTHING
  }

  /** What one request holds of the bound. Safe on any thread. */
  final class Ticket {
    private final Share share;
    private long held;
    private boolean begun;
    private boolean closed;

    private Ticket(Share share) {
      this.share = share;
    }

    /** Holds this many bytes from now on; false, and nothing changes, if they do not fit. */
    synchronized boolean resize(long bytes) {
      if (closed) {
        return false;
      }
      long more = charge(bytes) - charge(held);
      if (more > 0) {
        Taken taken = share.take(more, begun);
        if (taken == Taken.NOTHING) {
          return false;
        }
        begun |= taken == Taken.OPEN;
      } else if (more < 0) {
        share.giveBack(-more);
      }
      long beyond = bytes - charge(bytes) - (held - charge(held));
      if (beyond != 0) {
        uncharged.addAndGet(beyond);
      }
      held = bytes;
      return true;
    }

    /** Gives everything back, for good. Safe to call twice. */
    synchronized void close() {
      var _ = resize(0);
      closed = true;
    }
  }
}
