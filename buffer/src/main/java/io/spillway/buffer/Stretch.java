package io.spillway.buffer;

import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.Settlement.Part;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A part of a lane that is read and settled in order, with a cursor of its own. A lane has one
 * until a backlog is set aside; then the backlog is one, and what comes after it another.
 *
 * <pre>
 *   start ....... cursor ........ read ........ end, or what was appended
 *        settled        in flight      unread
 * </pre>
 *
 * <p>Guarded by the lock of the {@link LaneAccount} that it belongs to.
 */
final class Stretch {
  private static final long NO_INDEX = Long.MIN_VALUE;

  /** Where it begins; no block before it lies behind the index. */
  final Totals start;

  final long startIndex;

  /** Where the next stretch begins; null for the last one. */
  private @Nullable Totals end;

  private Totals cursor;
  private long cursorIndex;
  private Totals read;
  private long readIndex;

  /** The item after the highest that was ever handed out. */
  private long sent;

  private final ArrayDeque<Entry> window = new ArrayDeque<>();

  private Stretch(Totals start, long startIndex, Totals cursor, long cursorIndex, long sent) {
    this.start = start;
    this.startIndex = startIndex;
    this.cursor = cursor;
    this.cursorIndex = cursorIndex;
    this.read = cursor;
    this.readIndex = cursorIndex;
    this.sent = sent;
  }

  /** The only stretch of a lane: everything before the cursor is settled. */
  static Stretch only(Totals cursor, long cursorIndex, long sent) {
    return new Stretch(cursor, cursorIndex, cursor, cursorIndex, sent);
  }

  /**
   * A new last stretch, of which nothing was handed out.
   *
   * @param from an index at or before its first block
   * @param startIndex an index at or behind the last block before it
   */
  static Stretch after(Totals start, long from, long startIndex) {
    return new Stretch(start, startIndex, start, from, start.items());
  }

  /** A block, or a run of items that were lost, between the cursor and the read position. */
  static final class Entry {
    final Stretch stretch;
    final long index;
    final long nextIndex;
    final Totals end;
    final int items;
    final boolean redelivery;
    final @Nullable Instant firstAccepted;
    @Nullable List<? extends Part> parts;
    long lost;
    @Nullable DropReason lostReason;

    private Entry(Stretch stretch, BlockHeader header, long index, long nextIndex) {
      this.stretch = stretch;
      this.index = index;
      this.nextIndex = nextIndex;
      this.end = header.end();
      this.items = header.items();
      this.redelivery = header.firstItem() < stretch.sent;
      this.firstAccepted = Instant.ofEpochMilli(header.firstAccepted());
    }

    private Entry(Stretch stretch, Totals end, long nextIndex, DropReason reason) {
      this.stretch = stretch;
      this.index = NO_INDEX;
      this.nextIndex = nextIndex;
      this.end = end;
      this.items = 0;
      this.redelivery = false;
      this.firstAccepted = null;
      lose(reason, end.items() - stretch.read.items());
    }

    private boolean isSettled() {
      return parts != null || lostReason != null;
    }

    private void lose(DropReason reason, long count) {
      lostReason = reason;
      lost = count;
    }
  }

  Totals cursor() {
    return cursor;
  }

  long cursorIndex() {
    return cursorIndex;
  }

  Totals read() {
    return read;
  }

  long readIndex() {
    return readIndex;
  }

  int inFlight() {
    return window.size();
  }

  /** Settled since it began. */
  Totals settled() {
    return cursor.minus(start);
  }

  /** How far it reaches, in a lane that was written up to {@code appended}. */
  Totals reach(Totals appended) {
    return end == null ? appended : end;
  }

  boolean isUnread(Totals appended) {
    return read.isBefore(reach(appended));
  }

  /** Whether all of it is settled and nothing more can come. */
  boolean isDone() {
    return end != null && window.isEmpty() && !read.isBefore(end);
  }

  /** When its oldest block in flight was accepted; null if none is. */
  @Nullable Instant oldestInFlight() {
    for (Entry entry : window) {
      if (entry.firstAccepted != null) {
        return entry.firstAccepted;
      }
    }
    return null;
  }

  /** Lets another stretch begin where this one ends now. */
  void endAt(Totals end) {
    this.end = end;
  }

  /** Goes on at another index; the numbers stay. */
  void restartAt(long index) {
    cursorIndex = index;
    readIndex = index;
  }

  Entry handOut(BlockHeader header, long index, long nextIndex) {
    Entry entry = new Entry(this, header, index, nextIndex);
    window.add(entry);
    read = header.end();
    readIndex = nextIndex;
    return entry;
  }

  /** Says whether more was handed out now than ever before. */
  boolean noteSent() {
    boolean more = sent < read.items();
    sent = Math.max(sent, read.items());
    return more;
  }

  /** Loses what lies between the read position and {@code to}, and reads on there. */
  void pass(Totals to, long nextIndex, DropReason reason) {
    Entry entry = new Entry(this, read.max(to), nextIndex, reason);
    window.add(entry);
    read = entry.end;
    readIndex = nextIndex;
  }

  /**
   * Loses everything unsettled before {@code boundary}, as far as it belongs to this stretch.
   *
   * @param nextIndex the first index after the boundary
   */
  void giveUp(Totals boundary, long nextIndex, DropReason reason, Map<Long, Entry> inFlight) {
    Totals to = end != null && end.isBefore(boundary) ? end : boundary;
    for (Entry entry : window) {
      if (entry.end.items() <= to.items() && !entry.isSettled()) {
        entry.lose(reason, entry.items);
        inFlight.remove(entry.index);
      }
    }
    if (read.isBefore(to)) {
      pass(to, nextIndex, reason);
    }
  }

  /** Moves the cursor over what is settled from it on, and tells of each entry that it passes. */
  void advance(Consumer<Entry> settled) {
    for (Entry entry = window.peek(); entry != null && entry.isSettled(); entry = window.peek()) {
      window.remove();
      settled.accept(entry);
      cursor = entry.end;
      cursorIndex = entry.nextIndex;
    }
  }

  boolean isFirst(Entry entry) {
    return window.peek() == entry;
  }

  /** Never goes back. */
  void cursorAtLeast(long index) {
    cursorIndex = Math.max(cursorIndex, index);
  }

  // ---- in the checkpoint, as one of several

  void write(ByteBuffer to) {
    start.write(to);
    to.putLong(startIndex);
    cursor.write(to);
    to.putLong(cursorIndex).putLong(sent);
  }

  static Stretch read(ByteBuffer from) {
    return new Stretch(
        Totals.read(from), from.getLong(), Totals.read(from), from.getLong(), from.getLong());
  }

  long sent() {
    return sent;
  }
}
