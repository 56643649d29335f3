package io.spillway.buffer;

import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the blocks of one side of a lane out of its queue, in order, and judges each: next and
 * good, already settled, not the lane's own, damaged, too old, or locked for want of a key. What is
 * damaged is counted by the gap in the item numbers and set aside; nothing is given up before the
 * lane was read once more from its front, nor while the disk itself is at fault.
 *
 * <p>For one thread at a time; {@link #held} and {@link #isStalled} are safe on any.
 */
final class BlockReader {
  private static final Logger log = LoggerFactory.getLogger(BlockReader.class);

  /** How often a block whose key is missing is tried again. */
  private static final long RETRY_KEY_NANOS = 1_000_000_000L;

  private final LaneId id;
  private final Side side;
  private final LaneAccount account;
  private final Quarantine quarantine;
  private final @Nullable BlockCipher cipher;
  private final InstantSource clock;
  private final Supplier<Duration> maxAge;
  private final BooleanSupplier diskAtFault;
  private final LogLimit logLimit;
  private final LogLimit damageLimit;

  /** Where in the queue it reads; null until the first read after the queue was opened. */
  private @Nullable QueueReader position;

  /** The stretch that {@link #position} is in; null if it must be found anew. */
  private @Nullable Stretch stretch;

  /** Since the position was found, something was read that the cursor had not passed. */
  private boolean reads;

  private boolean rescanned;
  private long tryKeyAtNanos;
  private volatile boolean stalled;
  private volatile @Nullable String held;

  /**
   * @param maxAge older blocks are given up
   * @param diskAtFault whether what looks damaged may be the disk's trouble; slow
   */
  BlockReader(
      LaneId id,
      Side side,
      LaneAccount account,
      Quarantine quarantine,
      @Nullable BlockCipher cipher,
      InstantSource clock,
      Supplier<Duration> maxAge,
      BooleanSupplier diskAtFault) {
    this.id = id;
    this.side = side;
    this.account = account;
    this.quarantine = quarantine;
    this.cipher = cipher;
    this.clock = clock;
    this.maxAge = maxAge;
    this.diskAtFault = diskAtFault;
    this.logLimit = new LogLimit(clock);
    this.damageLimit = new LogLimit(clock);
  }

  /** A queue was opened, and is read from the cursor on. */
  void opened() {
    position = null;
    stretch = null;
  }

  /** Where to read on was changed in the books. */
  void reposition() {
    stretch = null;
  }

  /** Why the next block cannot be handed out, though it is whole; null if it can. */
  @Nullable String held() {
    return held;
  }

  /** Whether it cannot go on until the queue was opened again. */
  boolean isStalled() {
    return stalled;
  }

  /** The queue that it could not go on with is gone. */
  void calm() {
    stalled = false;
  }

  /** The next block to hand out; null if what is unread cannot be read now. */
  @Nullable Block next(SegmentQueue q) {
    if (held != null && System.nanoTime() - tryKeyAtNanos < 0) {
      return null;
    }
    held = null;
    while (held == null) {
      // In this order: what was counted before we look must be there when we look.
      Stretch unread = account.stretch(side);
      if (unread == null) {
        return null;
      }
      Totals reach = account.reach(unread);
      SegmentQueue.End written = q.written();
      if (!account.read(unread).isBefore(reach)) {
        return null;
      }
      try {
        QueueReader from = positioned(q, unread);
        QueueReader.Document document = from.next(written);
        Block block = null;
        if (document != null) {
          block = take(q, unread, from, document);
        } else if (!rescan(from) && !isDiskAtFault()) {
          lose(q, unread, reach, q.indexAfter(written), from.cycle(), from.position());
        }
        if (block != null || stalled) {
          return block;
        }
      } catch (IOException e) {
        warn("a segment of " + side + " data cannot be read now; trying again", e);
        return null;
      }
    }
    return null;
  }

  /** The header of the block that {@link #next} would look at; null if there is none. */
  @Nullable BlockHeader peek(SegmentQueue q) throws IOException {
    Stretch unread = account.stretch(side);
    return unread == null || !account.read(unread).isBefore(account.reach(unread))
        ? null
        : positioned(q, unread).peek();
  }

  private QueueReader positioned(SegmentQueue q, Stretch unread) throws IOException {
    QueueReader at = position;
    if (at == null) {
      at = q.reader();
      position = at;
    }
    if (stretch != unread) {
      at.seek(account.readIndex(unread));
      stretch = unread;
      reads = false;
      rescanned = false;
    }
    return at;
  }

  /**
   * The block in a document, if it is next and good; otherwise what is wrong is counted and null
   * returned.
   */
  private @Nullable Block take(
      SegmentQueue q, Stretch unread, QueueReader from, QueueReader.Document document) {
    BlockHeader header = document.header();
    long index = document.index();
    int cycle = q.cycleOf(index);
    Totals read = account.read(unread);
    Totals reach = account.reach(unread);
    if (!read.isBefore(header.end())) {
      if (reads) {
        stray(q, document, header.items());
      }
      return null; // before the cursor
    }
    if (cycle < q.firstCycle() && account.appended().isBefore(header.end())) {
      stray(q, document, header.items());
      return null;
    }
    if (header.firstItem() < read.items()) {
      // The rest of its items are a gap before the next block.
      stray(q, document, read.items() - header.firstItem());
      return null;
    }
    boolean beyond = side == Side.BACKLOG && reach.isBefore(header.end());
    if (beyond || read.isBefore(header.start())) {
      if (rescan(from) || isDiskAtFault()) {
        return null;
      }
      lose(q, unread, beyond ? reach : header.start(), index, cycle, document.passed());
    }
    if (beyond) {
      return null; // the rest of what was set aside is not there
    }
    Slice payload = document.payload();
    if (payload == null
        || (document.fromDisk() && BlockHeader.crc(payload) != header.payloadCrc())) {
      if (isDiskAtFault()) {
        return null;
      }
      lose(q, unread, header.end(), document.nextIndex(), cycle, SegmentQueue.positionOf(index));
      return null;
    }
    reads = true;
    Instant expiry = Instant.ofEpochMilli(header.lastAccepted()).plus(maxAge.get());
    if (header.items() == 0 || expiry.isBefore(clock.instant())) {
      account.pass(unread, header.end(), document.nextIndex(), DropReason.EXPIRED);
      return null;
    }
    Slice plain = header.encrypted() ? unlock(from, header, payload) : payload;
    return plain == null
        ? null
        : account.handOut(unread, header, index, document.nextIndex(), plain);
  }

  /** Null if that takes a key that is not there: then the block is kept and tried again. */
  private @Nullable Slice unlock(QueueReader from, BlockHeader header, Slice payload) {
    return switch (BlockCipher.open(cipher, id, header, payload)) {
      case BlockCipher.Opened.Plain(Slice plain) -> plain;
      case BlockCipher.Opened.Locked(String reason) -> {
        from.back();
        held = reason;
        tryKeyAtNanos = System.nanoTime() + RETRY_KEY_NANOS;
        long suppressed = damageLimit.permit();
        if (suppressed >= 0) {
          log.error(
              "buffer {}: {}. Nothing is lost; delivery waits until the key is back in"
                  + " buffer::encryption::key_file ({} more suppressed)",
              id,
              reason,
              suppressed);
        }
        yield null;
      }
    };
  }

  /** A dying disk makes good data look damaged: then reading waits until it is well. */
  private boolean isDiskAtFault() {
    stalled |= diskAtFault.getAsBoolean();
    return stalled;
  }

  /** Before anything is given up, the lane is read once more from its front. */
  private boolean rescan(QueueReader from) {
    if (reads || rescanned) {
      return false;
    }
    rescanned = true;
    return from.skipTo(0);
  }

  /**
   * Counts what is missing up to {@code end}, and keeps what is in its place.
   *
   * @param cycle where the damage is, from {@code position} on
   */
  private void lose(
      SegmentQueue q, Stretch unread, Totals end, long nextIndex, int cycle, long position) {
    reads = true;
    Totals read = account.read(unread);
    boolean within = q.cycleOf(nextIndex) == cycle;
    long length = within ? SegmentQueue.positionOf(nextIndex) - position : Long.MAX_VALUE;
    Path kept = setAside(q, cycle, position, length, read.items());
    account.pass(unread, end, nextIndex, DropReason.CORRUPT);
    damaged(end.items() - read.items(), "are unreadable on disk", cycle, kept);
  }

  /** A good record with numbers that are taken: its items were never in the lane's own count. */
  private void stray(SegmentQueue q, QueueReader.Document document, long items) {
    int cycle = q.cycleOf(document.index());
    long position = SegmentQueue.positionOf(document.index());
    long length = SegmentQueue.positionOf(document.nextIndex()) - position;
    Path kept = setAside(q, cycle, position, length, document.header().firstItem());
    account.stray(items);
    damaged(items, "bear item numbers that are not theirs", cycle, kept);
  }

  private @Nullable Path setAside(
      SegmentQueue q, int cycle, long position, long length, long firstItem) {
    int most = (int) Math.clamp(length, 0, 2L * q.maxRecordBytes());
    Slice bytes = q.bytes(cycle, position, most);
    return bytes.isEmpty() ? null : quarantine.record(id, cycle, position, firstItem, bytes);
  }

  private void damaged(long items, String what, int cycle, @Nullable Path kept) {
    long suppressed = damageLimit.permit();
    if (suppressed >= 0) {
      log.error(
          "buffer {}: {} items in segment {} {}; counted as dropped{reason=\"corrupt\"}. {}. Look"
              + " with {} ({} more suppressed)",
          id,
          items,
          cycle,
          what,
          kept == null
              ? "Nothing is left of them to keep"
              : "What is left of them is kept as " + kept,
          quarantine.commands(id),
          suppressed);
    }
  }

  private void warn(String what, Throwable e) {
    long suppressed = logLimit.permit();
    if (suppressed >= 0) {
      log.warn("buffer {}: {} ({} more suppressed)", id, what, suppressed, e);
    }
  }
}
