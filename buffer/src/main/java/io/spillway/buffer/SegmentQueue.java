package io.spillway.buffer;

import io.spillway.otlp.Slice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.SyncMode;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.wire.DocumentContext;
import org.jspecify.annotations.Nullable;

/**
 * One Chronicle queue with what it lacks: disk blocks are reserved before the mapping is touched,
 * segments roll by size, every open starts a new segment, and reading survives damage: Chronicle
 * writes, {@link QueueReader} reads.
 *
 * <p>An index is a segment's number in the upper half and a quarter of a position in the segment in
 * the lower; it only grows.
 *
 * <p>{@link #append}, {@link #roll} and {@link #force} belong to one thread; the rest is safe on
 * any thread. A queue that threw anything but {@link DiskFullException} from {@link #append} must
 * be closed and opened again.
 */
final class SegmentQueue implements AutoCloseable {
  /**
   * Chronicle writes more than the record: a header and two index pages at the front of a segment,
   * now and then another index page, and the end mark. All of it stays below this.
   */
  static final int SLACK_BYTES = 256 * 1024;

  /** A larger record begins another segment rather than reach far beyond the end of one. */
  private static final int LARGE_RECORD_BYTES = 2 * 1024 * 1024;

  /** The largest record of any queue, see {@link HandOver#MAX_WHOLE_BYTES}. */
  static final int LARGEST_RECORD_BYTES = 2 * HandOver.MAX_WHOLE_BYTES;

  /** Chronicle takes records of up to a quarter of a mapped block. */
  private static final long MAPPED_BLOCK_RECORDS = 4;

  private static final long MIN_STEP_BYTES = 128 * 1024;
  private static final long MAX_STEP_BYTES = 4L * 1024 * 1024;
  private static final long LOCK_TIMEOUT_MILLIS = 1000;

  static {
    ChronicleSettings.apply();
  }

  private final SegmentFiles files;
  private final long segmentBytes;
  private final int maxRecordBytes;
  private final DiskBudget.Share budget;
  private final SizeRollCycle rollCycle;
  private final int firstCycle;
  private final SingleChronicleQueue queue;

  /** Reserved bytes of every segment on disk by its number; guarded by itself. */
  private final TreeMap<Integer, Long> segments = new TreeMap<>();

  // The appending thread's.
  private @Nullable ExcerptAppender appender;
  private int forced = -1;
  private long lastPassed;

  // Written by the appending thread, read by hints on others.
  private volatile int segment = -1;
  private volatile long position;
  private volatile long allocated;
  private volatile int writtenCycle;
  private volatile End written;

  private final List<QueueReader> readers = new CopyOnWriteArrayList<>();
  private final RecentBlocks recent;

  private SegmentQueue(
      SegmentFiles files,
      long segmentBytes,
      int maxRecordBytes,
      DiskBudget.Share budget,
      RecentBlocks recent,
      int firstCycle)
      throws IOException {
    this.recent = recent;
    this.files = files;
    this.segmentBytes = segmentBytes;
    this.maxRecordBytes = maxRecordBytes;
    this.budget = budget;
    this.firstCycle = firstCycle;
    this.rollCycle = new SizeRollCycle(firstCycle);
    this.queue =
        SingleChronicleQueueBuilder.binary(files.directory())
            .rollCycle(rollCycle)
            .blockSize(MAPPED_BLOCK_RECORDS * maxRecordBytes)
            .syncMode(SyncMode.NONE)
            .timeoutMS(LOCK_TIMEOUT_MILLIS)
            .build();
    try {
      if (queue.rollCycle() != rollCycle) {
        throw new IOException(files.directory() + ": the queue replaced its roll cycle");
      }
      inspect();
      this.written = new End(writtenCycle, Long.MAX_VALUE);
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Opens the queue in a directory that {@link SegmentFiles#repair} went over.
   *
   * @param maxRecordBytes the largest record; the address space that is mapped goes with it
   * @param recent keeps what is appended for a moment; closed with the queue
   * @param firstCycle the number of the first segment this queue writes; above all on disk
   */
  static SegmentQueue open(
      SegmentFiles files,
      long segmentBytes,
      int maxRecordBytes,
      DiskBudget.Share budget,
      RecentBlocks recent,
      int firstCycle)
      throws IOException {
    return new SegmentQueue(files, segmentBytes, maxRecordBytes, budget, recent, firstCycle);
  }

  /** The largest record that this queue takes. */
  int maxRecordBytes() {
    return maxRecordBytes;
  }

  // ---- appending thread

  /**
   * Appends one record; it is in the queue when this returns.
   *
   * @throws DiskFullException if there is no room; nothing was changed
   * @throws IOException if Chronicle failed; whether the record is stored is not known
   */
  @SuppressWarnings("CatchThrowable") // a full disk can surface as InternalError; see SegmentQueue
  void append(byte[] header, Slice payload) throws IOException {
    int length = header.length + payload.length();
    if (length > maxRecordBytes) {
      throw new IllegalArgumentException("record of " + length + " bytes");
    }
    if (length > LARGE_RECORD_BYTES && position + length > segmentBytes) {
      roll(); // else a segment could be larger by far than what it is meant to hold
    }
    boolean isNew = segment != rollCycle.cycle();
    if (isNew) {
      startSegment(length);
    } else {
      grow(files.segment(segment), position + length + SLACK_BYTES);
    }
    lastPassed = isNew ? 0 : SegmentScan.aligned(position);
    try {
      write(header, payload);
    } catch (Throwable e) {
      throw new IOException("append to " + files.directory() + " failed: " + e, e);
    }
    writtenCycle = segment;
    written = new End(segment, position);
    if (position >= segmentBytes) {
      roll();
    }
  }

  /**
   * Keeps what was appended last for a reader who comes at once.
   *
   * @param payload written by nobody any more
   */
  void remember(BlockHeader header, Slice payload) {
    recent.add(
        new RecentBlocks.Recent(writtenCycle, lastPassed, written.position, header, payload));
  }

  /** The next append starts a new segment. */
  void roll() {
    if (segment == rollCycle.cycle()) {
      rollCycle.roll();
    }
  }

  /** Writes everything appended so far through to the device. */
  void force() throws IOException {
    if (segment < 0) {
      return;
    }
    int from = forced < 0 ? firstCycle : forced;
    for (int cycle = from; cycle <= segment; cycle++) {
      files.force(cycle, cycle != forced);
    }
    forced = segment;
  }

  private void write(byte[] header, Slice payload) {
    ExcerptAppender to = appender;
    if (to == null) {
      to = queue.createAppender();
      to.singleThreadedCheckDisabled(true);
      appender = to;
    }
    try (DocumentContext document = to.writingDocument()) {
      boolean complete = false;
      try {
        Bytes<?> bytes = Objects.requireNonNull(document.wire()).bytes();
        bytes.write(header);
        bytes.write(payload.array(), payload.offset(), payload.length());
        position = bytes.writePosition();
        complete = true;
      } finally {
        if (!complete) {
          document.rollbackOnClose(); // else close() would commit half a record
        }
      }
    }
  }

  private void startSegment(int length) throws IOException {
    int cycle = rollCycle.cycle();
    Path file = files.precreated(cycle);
    allocated = 0;
    position = 0;
    try {
      synchronized (segments) {
        segments.put(cycle, 0L);
      }
      segment = cycle;
      grow(file, (long) length + SLACK_BYTES);
    } catch (DiskFullException e) {
      segment = -1;
      synchronized (segments) {
        segments.remove(cycle);
      }
      Files.deleteIfExists(file);
      throw e;
    }
    position = SLACK_BYTES / 2;
  }

  /** Reserves up to {@code needed}, and some more if there is room, so that it happens rarely. */
  private void grow(Path file, long needed) throws DiskFullException {
    long from = allocated;
    if (needed <= from) {
      return;
    }
    long step = Math.clamp(from, MIN_STEP_BYTES, MAX_STEP_BYTES);
    long to = Math.max(needed, Math.min(from + step, segmentBytes + SLACK_BYTES));
    try {
      budget.reserve(file, from, to);
    } catch (DiskFullException e) {
      if (to == needed) {
        throw e;
      }
      to = needed;
      budget.reserve(file, from, to);
    }
    allocated = to;
    synchronized (segments) {
      segments.merge(segment, to - from, Long::sum);
    }
  }

  // ---- for readers

  /** Where the records end that were written when this was asked for. */
  record End(int cycle, long position) {}

  /** A new reader of this queue; closed together with it. For one thread at a time. */
  QueueReader reader() {
    QueueReader reader = new QueueReader(files, this);
    readers.add(reader);
    return reader;
  }

  /** What readers may read up to; ask before looking at what was counted as appended. */
  End written() {
    return written;
  }

  /** The block that follows a position, if it was appended a moment ago; only once. */
  RecentBlocks.@Nullable Recent takeRecent(int cycle, long position) {
    return recent.take(cycle, position);
  }

  /** The number of the first segment from {@code cycle} on that holds records; null if none. */
  @Nullable Integer segmentFrom(int cycle) {
    Integer next;
    synchronized (segments) {
      next = segments.ceilingKey(cycle);
    }
    return next == null || next > writtenCycle ? null : next;
  }

  /** Bytes of a segment, as they are; fewer if it ends before; empty if it cannot be read. */
  Slice bytes(int cycle, long from, int most) {
    try (SegmentScan in = SegmentScan.open(files.segment(cycle), 0)) {
      return in.upTo(from, most);
    } catch (IOException e) {
      return Slice.EMPTY;
    }
  }

  /** The first index behind everything that was written then. */
  long indexAfter(End end) {
    return end.position == Long.MAX_VALUE
        ? firstIndexOf(firstCycle)
        : index(end.cycle, SegmentScan.aligned(end.position));
  }

  // ---- any thread

  int cycleOf(long index) {
    return (int) (index >>> 32);
  }

  long firstIndexOf(int cycle) {
    return index(cycle, 0);
  }

  static long index(int cycle, long position) {
    return (long) cycle << 32 | position / SegmentScan.ALIGNMENT;
  }

  static long positionOf(long index) {
    return (index & 0xFFFF_FFFFL) * SegmentScan.ALIGNMENT;
  }

  /** The number of the first segment that this queue writes; those below were there before. */
  int firstCycle() {
    return firstCycle;
  }

  /** The newest segment that holds a record. */
  int writtenCycle() {
    return writtenCycle;
  }

  /** Where the last record ends in its segment. */
  long position() {
    return position;
  }

  /** Bytes that would have to be reserved to append this many. */
  long missingBytes(long bytes) {
    boolean rolled = segment != rollCycle.cycle();
    return rolled ? bytes + SLACK_BYTES : Math.max(0, position + bytes + SLACK_BYTES - allocated);
  }

  long reservedBytes() {
    synchronized (segments) {
      long sum = 0;
      for (long bytes : segments.values()) {
        sum += bytes;
      }
      return sum;
    }
  }

  /** The segments that hold records, oldest first. */
  List<Integer> cycles() {
    synchronized (segments) {
      return List.copyOf(segments.headMap(writtenCycle, true).keySet());
    }
  }

  /** A segment that holds records and is not at its path any more; null if there is none. */
  @Nullable Path missing() throws IOException {
    NavigableSet<Integer> there = files.cycles();
    for (int cycle : cycles()) {
      if (!there.contains(cycle)) {
        synchronized (segments) { // it may have been deleted by us in between
          Path file = files.segment(cycle);
          if (segments.containsKey(cycle) && !Files.exists(file)) {
            return file;
          }
        }
      }
    }
    return null;
  }

  /** As {@link #delete}, all segments before {@code cycle}. */
  void deleteBefore(int cycle) throws IOException {
    delete(cycles().stream().filter(segment -> segment < cycle).toList());
  }

  /**
   * Deletes segments, never the newest: Chronicle would append into the deleted file.
   *
   * @param settled segments by number
   */
  void delete(Collection<Integer> settled) throws IOException {
    boolean deleted = false;
    synchronized (segments) {
      int newest = Math.max(writtenCycle, segments.isEmpty() ? 0 : segments.lastKey());
      for (int cycle : settled) {
        Long bytes = cycle < newest ? segments.get(cycle) : null;
        if (bytes != null) {
          files.delete(cycle);
          budget.release(bytes);
          segments.remove(cycle);
          deleted = true;
        }
      }
    }
    if (deleted) {
      queue.refreshDirectoryListing();
    }
  }

  /** Closes the queue and takes its segments out of the budget; they stay on disk. */
  @Override
  public void close() {
    readers.forEach(QueueReader::close);
    recent.close();
    try {
      queue.close();
    } finally {
      synchronized (segments) {
        budget.release(reservedBytes());
        segments.clear();
      }
    }
  }

  /** Counts the segments that were there before. */
  private void inspect() throws IOException {
    for (int cycle : files.cycles()) {
      long bytes = Math.min(Files.size(files.segment(cycle)), segmentBytes + SLACK_BYTES);
      budget.found(bytes);
      synchronized (segments) {
        segments.put(cycle, bytes);
      }
      writtenCycle = Math.max(writtenCycle, cycle);
    }
  }
}
