package io.spillway.buffer;

import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.LaneLedger;
import io.spillway.otlp.stage.Settlement;
import io.spillway.otlp.stage.Settlement.Delivered;
import io.spillway.otlp.stage.Settlement.Dropped;
import io.spillway.otlp.stage.Settlement.Part;
import io.spillway.otlp.stage.Settlement.Rejected;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lane's books: how far it was written, read and settled, and what became of every settled item.
 *
 * <pre>
 *   0 ....... cursor ........ read ........ appended
 *     settled        in flight      unread
 * </pre>
 *
 * <p>A settled block waits in the window until every block before it is settled. Only then the
 * cursor passes it, and in the same write of the checkpoint its items are added to the counts. So
 * at every moment, also after a crash, {@code cursor = Σ delivered + Σ rejected + Σ dropped}; the
 * ledger shows the difference, which is 0 unless something is wrong. {@code appended} comes from
 * the blocks themselves and from the writer's own mark, not from here.
 *
 * <p>A lane with a backlog set aside is in several {@link Stretch}es, each with a cursor and a read
 * position of its own; what is settled then is the sum. They become one again as the backlog
 * drains.
 *
 * <p>{@code sent} is the highest item that was ever handed out, written before it was: after a
 * restart, blocks below it may have reached a sink already.
 *
 * <p>The checkpoint holds, little-endian: version; the first cursor's index and totals; sent;
 * redelivered; appended as it was at that time, a lower bound; dropped by reason; then by exporter
 * its id, delivered and rejected; then items beside the lane's numbers; then the stretches after
 * the first.
 *
 * <p>Safe on any thread.
 */
final class LaneAccount {
  private static final Logger log = LoggerFactory.getLogger(LaneAccount.class);

  /** Blocks handed out and not settled; {@code poll} waits while there are so many. */
  static final int MAX_IN_FLIGHT_BLOCKS = 4096;

  /** Exporter ids that one lane keeps apart; further ones are counted as {@link #OTHER}. */
  static final int MAX_EXPORTERS = 64;

  static final int MAX_EXPORTER_ID_BYTES = 200;

  /** Parts that a lane is in at most; beyond, nothing more is set aside. */
  static final int MAX_STRETCHES = 8;

  static final int CHECKPOINT_BYTES = 16 * 1024;
  static final String OTHER = "other";

  /** Items that were settled, as their numbers prove, by whom is lost with the checkpoint. */
  static final String UNKNOWN = "unknown";

  private static final int VERSION = 1;

  /** On disk a reason is its place here; append only. */
  private static final List<DropReason> REASONS =
      List.of(
          DropReason.EVICTED,
          DropReason.EXPIRED,
          DropReason.BAD_DATA,
          DropReason.TOO_LARGE,
          DropReason.CORRUPT,
          DropReason.OPERATOR);

  private final LaneId id;
  private final InstantSource clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private long changes;

  /**
   * The reader waits for a block, and for nothing else: what is settled is no reason to wake it.
   */
  private boolean waitsForBlocks;

  private boolean woken;
  private final LogLimit logLimit;
  private final DrainRate drainRate;

  private Totals appended = Totals.ZERO;

  /** In order, at least one; the last one grows. */
  private final List<Stretch> stretches = new ArrayList<>();

  private long redelivered;
  private long strays;
  private volatile long givenUpBelow;
  private Totals synced = Totals.ZERO;
  private @Nullable Instant lastSync;

  private final Map<String, long[]> exporters = new LinkedHashMap<>();
  private final Map<DropReason, Long> dropped = new EnumMap<>(DropReason.class);

  private final Map<Long, Stretch.Entry> inFlight = new HashMap<>();

  private @Nullable SlotFile checkpoint;
  private final ByteBuffer scratch =
      ByteBuffer.allocate(CHECKPOINT_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  LaneAccount(LaneId id, InstantSource clock) {
    this.id = id;
    this.clock = clock;
    this.logLimit = new LogLimit(clock);
    this.drainRate = new DrainRate(System.nanoTime());
    startAt(Totals.ZERO, 0, 0);
  }

  private void startAt(Totals cursor, long cursorIndex, long sent) {
    stretches.clear();
    stretches.add(Stretch.only(cursor, cursorIndex, sent));
  }

  // ---- opening

  /**
   * Takes up the books of an earlier process.
   *
   * @return false if the file holds no checkpoint
   */
  boolean load(SlotFile file) {
    lock.lock();
    try {
      checkpoint = file;
      ByteBuffer in = file.found();
      if (in == null || in.getInt() != VERSION) {
        return false;
      }
      long cursorIndex = in.getLong();
      Totals cursor = Totals.read(in);
      startAt(cursor, cursorIndex, in.getLong());
      redelivered = in.getLong();
      appended = Totals.read(in).max(cursor);
      for (int i = in.getInt(), reason = 0; i > 0; i--, reason++) {
        dropped.put(REASONS.get(reason), in.getLong());
      }
      for (int i = in.getInt(); i > 0; i--) {
        byte[] name = new byte[in.getShort()];
        in.get(name);
        exporters.put(
            new String(name, StandardCharsets.UTF_8), new long[] {in.getLong(), in.getLong()});
      }
      strays = in.remaining() < Long.BYTES ? 0 : in.getLong();
      for (int i = in.remaining() < Integer.BYTES ? 0 : in.getInt(); i > 0; i--) {
        add(Stretch.read(in));
      }
      appended = appended.max(last().cursor());
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void add(Stretch next) {
    last().endAt(next.start);
    stretches.add(next);
  }

  private Stretch first() {
    return stretches.getFirst();
  }

  private Stretch last() {
    return stretches.getLast();
  }

  /** Gives up the books that were taken up; only {@code end}, which others prove, is known. */
  void forget(Totals end) {
    lock.lock();
    try {
      startAt(Totals.ZERO, 0, 0);
      appended = end;
      redelivered = 0;
      strays = 0;
      dropped.clear();
      exporters.clear();
    } finally {
      lock.unlock();
    }
  }

  /** Goes on with these books in another file, after the one before was lost with its disk. */
  void reattach(SlotFile file) {
    lock.lock();
    try {
      checkpoint = file;
      write();
      force();
    } finally {
      lock.unlock();
    }
  }

  /** Lets go of the file; the books go on in memory. */
  void detach() {
    lock.lock();
    try {
      SlotFile file = checkpoint;
      checkpoint = null;
      if (file != null) {
        file.close();
      }
    } catch (IOException e) {
      log.debug("buffer {}: closing the checkpoint", id, e);
    } finally {
      lock.unlock();
    }
  }

  /** Learns from the blocks on disk, or from the writer's mark, that the lane got this far. */
  void found(Totals end) {
    published(end);
  }

  /**
   * Starts without a checkpoint at the first block on disk. Its numbers prove that the items before
   * it existed; a segment is only deleted once each of its items is settled, so they were; by whom
   * is lost. They are counted as delivered by {@link #UNKNOWN}. What is on disk may have been sent.
   */
  void startWithoutCheckpoint(Totals first, long firstIndex) {
    lock.lock();
    try {
      appended = appended.max(first);
      startAt(first, firstIndex, appended.items());
      if (first.items() > 0) {
        counts(UNKNOWN)[0] += first.items();
        log.error(
            "buffer {}: the checkpoint is lost. {} settled items are counted as delivered by"
                + " \"{}\"; everything on disk is sent again.",
            id,
            first.items(),
            UNKNOWN);
      }
      write();
    } finally {
      lock.unlock();
    }
  }

  // ---- writer

  Totals appended() {
    lock.lock();
    try {
      return appended;
    } finally {
      lock.unlock();
    }
  }

  /** The lane's records now reach up to here. */
  void published(Totals end) {
    lock.lock();
    try {
      appended = appended.max(end);
      signal();
    } finally {
      lock.unlock();
    }
  }

  /** Everything up to here was written through to the device. */
  void synced(Totals end) {
    lock.lock();
    try {
      synced = synced.max(end);
      lastSync = clock.instant();
    } finally {
      lock.unlock();
    }
  }

  /** Whether records are stored that were not read yet. */
  boolean hasUnread() {
    lock.lock();
    try {
      return stretches.stream().anyMatch(stretch -> stretch.isUnread(appended));
    } finally {
      lock.unlock();
    }
  }

  /** Payload bytes that are owed, and that a loss of power now could take. */
  long unsyncedBytes() {
    lock.lock();
    try {
      return appended.bytes() - Math.max(synced.bytes(), last().cursor().bytes());
    } finally {
      lock.unlock();
    }
  }

  /** When the lane was last written through to the device; null if not yet. */
  @Nullable Instant lastSync() {
    lock.lock();
    try {
      return lastSync;
    } finally {
      lock.unlock();
    }
  }

  /** Every item before this one that was not settled was given up. */
  long givenUpBelow() {
    return givenUpBelow;
  }

  /** Whether every record was read and settled. */
  boolean isDrained() {
    lock.lock();
    try {
      return stretches.size() == 1 && last().inFlight() == 0 && !last().isUnread(appended);
    } finally {
      lock.unlock();
    }
  }

  /** Moves every cursor to this index, durably; the numbers stay and say where to go on. */
  void restartAt(long index) {
    lock.lock();
    try {
      stretches.forEach(stretch -> stretch.restartAt(index));
      write();
      force();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives up everything unsettled before {@code boundary}, durably.
   *
   * @param nextIndex the first index after it; whoever reads must look anew where to go on
   */
  void giveUp(Totals boundary, long nextIndex, DropReason reason) {
    lock.lock();
    try {
      long before = dropped(reason);
      givenUpBelow = Math.max(givenUpBelow, boundary.items());
      for (Stretch stretch : stretches) {
        if (stretch == first() || stretch.start.isBefore(boundary)) {
          stretch.giveUp(boundary, nextIndex, reason, inFlight);
        }
      }
      advance();
      first().cursorAtLeast(nextIndex);
      write();
      force();
      long items = dropped(reason) - before;
      long suppressed = logLimit.permit();
      if (suppressed >= 0) {
        log.error(
            "buffer {}: gave up {} items, counted as dropped{{}} ({} more suppressed)",
            id,
            items,
            reason.label(),
            suppressed);
      }
    } finally {
      lock.unlock();
    }
  }

  // ---- a backlog

  /**
   * Sets everything unread aside as backlog.
   *
   * @param from an index at or before the first block that is appended from now on
   * @param written asked for the index behind the last block that was written; it may be ahead of
   *     what was counted as appended
   * @return false if there is nothing unread, or the lane is in {@link #MAX_STRETCHES} parts
   */
  boolean split(long from, LongSupplier written) {
    lock.lock();
    try {
      if (!last().isUnread(appended) || stretches.size() >= MAX_STRETCHES) {
        return false;
      }
      add(Stretch.after(appended, from, written.getAsLong()));
      write();
      signal();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** The stretch to read next on this side; null if there is none. */
  @Nullable Stretch stretch(Side side) {
    lock.lock();
    try {
      if (side == Side.LIVE) {
        return last();
      }
      for (Stretch stretch : stretches) {
        if (stretch != last() && stretch.isUnread(appended)) {
          return stretch;
        }
      }
      return null;
    } finally {
      lock.unlock();
    }
  }

  /** What was set aside as backlog and is not settled. */
  Totals backlog() {
    lock.lock();
    try {
      Totals sum = Totals.ZERO;
      for (Stretch stretch : stretches) {
        if (stretch != last()) {
          sum = sum.plus(stretch.reach(appended).minus(stretch.cursor()));
        }
      }
      return sum;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Segments, by number, of which nothing is owed any more: those before the first cursor, and
   * those that a later stretch has settled as a whole.
   *
   * @param cycles segments on disk
   */
  List<Integer> settled(List<Integer> cycles) {
    lock.lock();
    try {
      return cycles.stream().filter(this::isSettled).toList();
    } finally {
      lock.unlock();
    }
  }

  private boolean isSettled(int cycle) {
    for (Stretch stretch : stretches) {
      int cursor = LaneRecovery.cycleOf(stretch.cursorIndex());
      int from = stretch == first() ? -1 : LaneRecovery.cycleOf(stretch.startIndex);
      if (from < cycle && cycle < cursor) {
        return true;
      }
    }
    return false;
  }

  /** Changes whenever a cursor enters another segment. */
  long settledMark() {
    lock.lock();
    try {
      long mark = stretches.size();
      for (Stretch stretch : stretches) {
        mark = 31 * mark + LaneRecovery.cycleOf(stretch.cursorIndex());
      }
      return mark;
    } finally {
      lock.unlock();
    }
  }

  /** What was settled beyond the first cursor, by item numbers. */
  List<Span> settledAhead() {
    lock.lock();
    try {
      return stretches.stream()
          .skip(1)
          .map(stretch -> new Span(stretch.start.items(), stretch.cursor().items()))
          .toList();
    } finally {
      lock.unlock();
    }
  }

  // ---- reader

  /**
   * Waits until there is something to read beside the backlog, and room in the window; false if
   * that took too long, or somebody called {@link #wake}.
   */
  boolean awaitUnread(long nanos) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = nanos;
      while (!last().isUnread(appended) || isWindowFull()) {
        if (left <= 0 || woken) {
          return false;
        }
        waitsForBlocks = !last().isUnread(appended) && !isWindowFull();
        left = changed.awaitNanos(left);
      }
      return true;
    } finally {
      woken &= nanos <= 0;
      waitsForBlocks = false;
      lock.unlock();
    }
  }

  /** Ends a wait for something to read; if there is none, the next one. */
  void wake() {
    lock.lock();
    try {
      woken = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  boolean isWindowFull() {
    lock.lock();
    try {
      return stretches.stream().mapToInt(Stretch::inFlight).sum() >= MAX_IN_FLIGHT_BLOCKS;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until something changes, or for this long. */
  void awaitChange(long nanos) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long seen = changes;
      long left = nanos;
      while (changes == seen && left > 0) {
        left = changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  /** How far a stretch was read. */
  Totals read(Stretch stretch) {
    lock.lock();
    try {
      return stretch.read();
    } finally {
      lock.unlock();
    }
  }

  long readIndex(Stretch stretch) {
    lock.lock();
    try {
      return stretch.readIndex();
    } finally {
      lock.unlock();
    }
  }

  /** How far a stretch reaches now. */
  Totals reach(Stretch stretch) {
    lock.lock();
    try {
      return stretch.reach(appended);
    } finally {
      lock.unlock();
    }
  }

  /** The highest index that was read or settled up to. */
  long highestIndex() {
    lock.lock();
    try {
      return last().readIndex();
    } finally {
      lock.unlock();
    }
  }

  /** Puts a block into the window; {@code sent} is written before anybody sees the block. */
  Block handOut(Stretch stretch, BlockHeader header, long index, long nextIndex, Slice payload) {
    lock.lock();
    try {
      Stretch.Entry entry = stretch.handOut(header, index, nextIndex);
      inFlight.put(index, entry);
      if (stretch.noteSent()) {
        write();
      }
      return new Block(
          header.signal(),
          header.codec(),
          index,
          header.firstItem(),
          header.items(),
          header.requests(),
          header.uncompressedLength(),
          payload,
          Instant.ofEpochMilli(header.firstAccepted()),
          Instant.ofEpochMilli(header.lastAccepted()),
          entry.redelivery);
    } finally {
      lock.unlock();
    }
  }

  /** Counts what lies between the read position and {@code end} as dropped, and reads on there. */
  void pass(Stretch stretch, Totals end, long nextIndex, DropReason reason) {
    lock.lock();
    try {
      stretch.pass(end, nextIndex, reason);
      advance();
      write();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Counts items that were found beside the lane's numbers, as after a directory was mended by
   * hand: they are routed and dropped in one.
   */
  void stray(long items) {
    lock.lock();
    try {
      strays += items;
      write();
    } finally {
      lock.unlock();
    }
  }

  // ---- settling

  /** See {@link io.spillway.otlp.stage.Lane#settle}. */
  void settle(Block block, Settlement settlement) {
    check(block, settlement);
    lock.lock();
    try {
      Stretch.Entry entry = inFlight.remove(block.index());
      if (entry == null) {
        if (block.firstSequence() < givenUpBelow) {
          return; // given up meanwhile, and counted
        }
        throw new IllegalArgumentException(
            "lane " + id + ": block " + block.index() + " is not in flight");
      }
      entry.parts = settlement.parts();
      if (entry.stretch.isFirst(entry)) {
        advance();
        write();
      }
    } finally {
      lock.unlock();
    }
  }

  void redelivered(int items) {
    lock.lock();
    try {
      redelivered += items;
      write();
    } finally {
      lock.unlock();
    }
  }

  /** Where the longest run of settled blocks ends. */
  Totals cursor() {
    lock.lock();
    try {
      return first().cursor();
    } finally {
      lock.unlock();
    }
  }

  /** The index after the longest run of settled blocks. */
  long cursorIndex() {
    lock.lock();
    try {
      return first().cursorIndex();
    } finally {
      lock.unlock();
    }
  }

  /** Where the last of all cursors is. */
  Totals highestCursor() {
    lock.lock();
    try {
      return last().cursor();
    } finally {
      lock.unlock();
    }
  }

  private void check(Block block, Settlement settlement) {
    long sum = 0;
    for (Part part : settlement.parts()) {
      if (part.items() < 0) {
        throw new IllegalArgumentException("lane " + id + ": negative count in " + settlement);
      }
      sum += part.items();
    }
    if (sum != block.items()) {
      throw new IllegalArgumentException(
          "lane " + id + ": settlement of " + sum + " items (expected " + block.items() + ")");
    }
  }

  private void signal() {
    changes++;
    changed.signalAll();
  }

  private void advance() {
    long bytes = settled().bytes();
    stretches.forEach(stretch -> stretch.advance(this::count));
    while (first().isDone()) {
      stretches.removeFirst();
    }
    drainRate.settled(settled().bytes() - bytes, System.nanoTime());
    changes++;
    if (!waitsForBlocks) {
      changed.signalAll();
    }
  }

  /** Everything that is settled, as if it had come first. */
  private Totals settled() {
    Totals sum = first().cursor();
    for (Stretch stretch : stretches) {
      if (stretch != first()) {
        sum = sum.plus(stretch.settled());
      }
    }
    return sum;
  }

  private void count(Stretch.Entry entry) {
    if (entry.lostReason != null) {
      dropped.merge(entry.lostReason, entry.lost, Long::sum);
    }
    if (entry.parts == null) {
      return;
    }
    for (Part part : entry.parts) {
      switch (part) {
        case Delivered d -> {
          counts(d.exporter())[0] += d.items();
          redelivered += entry.redelivery ? d.items() : 0;
        }
        case Rejected r -> counts(r.exporter())[1] += r.items();
        case Dropped d -> dropped.merge(d.reason(), (long) d.items(), Long::sum);
      }
    }
  }

  private long dropped(DropReason reason) {
    return dropped.getOrDefault(reason, 0L);
  }

  private long[] counts(String exporter) {
    long[] counts = exporters.get(exporter);
    if (counts != null) {
      return counts;
    }
    boolean fits =
        exporters.size() < MAX_EXPORTERS - 1
            && exporter.getBytes(StandardCharsets.UTF_8).length <= MAX_EXPORTER_ID_BYTES;
    return exporters.computeIfAbsent(fits ? exporter : OTHER, name -> new long[2]);
  }

  // ---- checkpoint

  private void write() {
    SlotFile file = checkpoint;
    if (file == null) {
      return;
    }
    scratch.clear().putInt(VERSION).putLong(first().cursorIndex());
    first().cursor().write(scratch);
    scratch.putLong(first().sent()).putLong(redelivered);
    appended.write(scratch);
    scratch.putInt(REASONS.size());
    for (DropReason reason : REASONS) {
      scratch.putLong(dropped(reason));
    }
    scratch.putInt(exporters.size());
    exporters.forEach(
        (name, counts) -> {
          byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
          scratch.putShort((short) bytes.length).put(bytes);
          scratch.putLong(counts[0]).putLong(counts[1]);
        });
    scratch.putLong(strays).putInt(stretches.size() - 1);
    stretches.stream().skip(1).forEach(stretch -> stretch.write(scratch));
    try {
      file.write(scratch);
    } catch (IOException e) {
      failed(e);
    }
  }

  /** Writes the checkpoint through to the device. */
  void force() {
    lock.lock();
    try {
      if (checkpoint != null) {
        checkpoint.force();
      }
    } catch (IOException e) {
      failed(e);
    } finally {
      lock.unlock();
    }
  }

  /** The numbers in memory stay right; the next write makes up for this one. */
  private void failed(IOException e) {
    long suppressed = logLimit.permit();
    if (suppressed >= 0) {
      log.error(
          "buffer {}: cannot write the checkpoint ({} more suppressed). After a crash now, settled"
              + " blocks would be sent again.",
          id,
          suppressed,
          e);
    }
  }

  /** Writes the checkpoint a last time and closes it. */
  void close() {
    lock.lock();
    try {
      SlotFile file = checkpoint;
      if (file != null) {
        write();
        force();
        file.close();
        checkpoint = null;
      }
    } catch (IOException e) {
      failed(e);
    } finally {
      lock.unlock();
    }
  }

  // ---- showing

  DrainRate drainRate() {
    return drainRate;
  }

  /** What is stored and not settled, as the difference of two positions. */
  Totals unsettled() {
    lock.lock();
    try {
      return appended.minus(settled());
    } finally {
      lock.unlock();
    }
  }

  /** When the oldest block in flight of the first stretch was accepted; null if none is. */
  @Nullable Instant oldestInFlight() {
    lock.lock();
    try {
      return first().oldestInFlight();
    } finally {
      lock.unlock();
    }
  }

  LaneLedger ledger() {
    lock.lock();
    try {
      Map<String, Long> delivered = new LinkedHashMap<>();
      Map<String, Long> rejected = new LinkedHashMap<>();
      Map<String, Long> lost = new LinkedHashMap<>();
      long sum = 0;
      for (Map.Entry<String, long[]> e : exporters.entrySet()) {
        sum += show(delivered, e.getKey(), e.getValue()[0]);
        sum += show(rejected, e.getKey(), e.getValue()[1]);
      }
      for (DropReason reason : REASONS) {
        long beside = reason == DropReason.CORRUPT ? strays : 0;
        sum += show(lost, reason.label(), dropped(reason) + beside) - beside;
      }
      return new LaneLedger(
          id,
          appended.items() + appended.sampledOut() + strays,
          appended.sampledOut(),
          delivered,
          rejected,
          lost,
          appended.items() - settled().items(),
          redelivered,
          settled().items() - sum);
    } finally {
      lock.unlock();
    }
  }

  private static long show(Map<String, Long> counts, String key, long count) {
    if (count != 0) {
      counts.put(key, count);
    }
    return count;
  }
}
