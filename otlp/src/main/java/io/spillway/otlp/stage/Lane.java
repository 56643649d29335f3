package io.spillway.otlp.stage;

import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Slice;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A durable first-in first-out queue of blocks on disk: the unit of isolation between routes and
 * signals.
 *
 * <p>{@link #poll}, {@link #setAside} and {@link #pollBacklog} may be called from one thread at a
 * time, everything else from any.
 */
public interface Lane {

  LaneId id();

  /** The codec that blocks written from now on are compressed with. */
  void codec(Codec codec);

  /** What is to become of gzip that senders made, from now on; at first it is not passed on. */
  void gzipPassthrough(GzipPassthrough passthrough);

  /**
   * Says why an append of this many bytes would be refused right now, or null. A hint that lets the
   * gate refuse a request before part of it is stored elsewhere; the append itself decides.
   */
  @Nullable Refusal refusal(long bytes);

  /**
   * Appends one request. Returns at once; {@code callback} is called exactly once, on the lane's
   * writer thread, or on this thread when the lane refuses without trying.
   *
   * @param request at most {@link #maxAppendBytes} of protobuf; empty when everything was sampled
   *     out. The lane may store the gzip beside it instead of compressing
   * @param items items in {@code request}
   * @param sampledOut items that were sampled out of the original request; counted durably together
   *     with the append
   * @param tenant whose the request is, kept with it; see {@link Sender#tenant}
   */
  void append(
      RequestBytes request, int items, int sampledOut, String tenant, AppendCallback callback);

  /** As above, of no tenant, and not compressed by its sender. */
  default void append(Slice request, int items, int sampledOut, AppendCallback callback) {
    append(RequestBytes.of(request), items, sampledOut, "", callback);
  }

  /**
   * The largest request {@link #append} takes, in bytes. A larger one is split by the caller first.
   */
  int maxAppendBytes();

  /**
   * The next block that was not handed out since the lane was opened, waiting up to {@code
   * timeout}; null if there was none. Blocks come in the order they were written. Whoever polls a
   * block must settle it, or it comes again after a restart. What was {@link #setAside} is left
   * out.
   */
  @Nullable Block poll(Duration timeout) throws InterruptedException;

  /** Has a {@link #poll} that waits return now; if none waits, the next one that would. */
  void wake();

  /**
   * Sets everything aside that was appended and not handed out yet: from now on {@link #poll} hands
   * out what is appended later, and {@link #pollBacklog} the rest. Survives a restart.
   *
   * @return false if there is nothing to set aside, or too much was already and is not drained
   */
  boolean setAside();

  /**
   * The next block of what was set aside, oldest first; null if there is none, or if it cannot be
   * read now: see {@link #hasBacklog}.
   */
  @Nullable Block pollBacklog();

  /** Whether something was set aside and not handed out yet. */
  boolean hasBacklog();

  /**
   * Accounts for all items of a block. The cursor passes it once every earlier block is settled
   * too.
   *
   * @throws IllegalArgumentException if the settlement does not account for exactly {@code
   *     block.items()} items or the block was settled
   */
  void settle(Block block, Settlement settlement);

  /**
   * The number of an item before which nothing is owed any more: what was not settled there was
   * given up, by age, for room or by an operator, and is counted. A block that begins before it is
   * not to be sent again; settling it changes nothing.
   */
  long givenUpBelow();

  /**
   * Says that a block goes out a second time although its first attempt may have been taken;
   * counted as {@code redelivered}.
   */
  void redelivered(Block block);

  /**
   * Keeps what a sink refused for good, before its items are settled as dropped. Blocks until it is
   * on the device.
   *
   * @return whether it is kept; if not, why was logged
   */
  boolean keep(DeadLetter letter);

  /** What is kept of what sinks refused for good. */
  DeadLetterStatus deadLetters();

  LaneStatus status();

  LaneLedger ledger();

  /** How an append ended. */
  interface AppendCallback {
    /** The request is as durable as the lane promises. */
    void appended();

    /** Nothing of the request was stored. */
    void refused(Refusal refusal);
  }

  /** Why a lane takes nothing now, and when to ask again. */
  record Refusal(Duration retryAfter, String reason) {}
}
