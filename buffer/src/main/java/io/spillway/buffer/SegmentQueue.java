package io.spillway.buffer;

import io.spillway.otlp.Slice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.TreeMap;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.SyncMode;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.TailerState;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueStore;
import net.openhft.chronicle.wire.DocumentContext;
import org.jspecify.annotations.Nullable;

/**
 * One Chronicle queue with what it lacks: disk blocks are reserved before the mapping is touched,
 * segments roll by size, every open starts a new segment, and damaged segments are set aside.
 *
 * <p>{@link #append}, {@link #roll} and {@link #force} belong to one thread; {@link #next} and
 * {@link #seek} to one thread at a time; the rest is safe on any thread. A queue that threw
 * anything but {@link DiskFullException} from {@link #append} must be closed and opened again.
 */
final class SegmentQueue implements AutoCloseable {

  /**
   * Chronicle writes more than the record: a header and two index pages at the front of a segment,
   * now and then another index page, and the end mark. All of it stays below this.
   */
  static final int SLACK_BYTES = 256 * 1024;

  /** The largest record; Chronicle takes up to a quarter of a mapped block. */
  static final int MAX_RECORD_BYTES = 2 * 1024 * 1024;

  private static final long MAPPED_BLOCK_BYTES = 4L * MAX_RECORD_BYTES;
  private static final long MIN_STEP_BYTES = 128 * 1024;
  private static final long MAX_STEP_BYTES = 4L * 1024 * 1024;
  private static final long LOCK_TIMEOUT_MILLIS = 1000;

  static {
    ChronicleSettings.apply();
  }

  private final SegmentFiles files;
  private final long segmentBytes;
  private final DiskBudget budget;
  private final SizeRollCycle rollCycle;
  private final int firstCycle;
  private final SingleChronicleQueue queue;

  /** Reserved bytes of every segment on disk by its number; guarded by itself. */
  private final TreeMap<Integer, Long> segments = new TreeMap<>();

  // The appending thread's.
  private @Nullable ExcerptAppender appender;
  private int forced = -1;

  // Written by the appending thread, read by hints on others.
  private volatile int segment = -1;
  private volatile long position;
  private volatile long allocated;
  private volatile int writtenCycle;

  // The reading thread's.
  private ExcerptTailer tailer;
  private int tailerCycle;

  private SegmentQueue(SegmentFiles files, long segmentBytes, DiskBudget budget, int firstCycle)
      throws IOException {
    this.files = files;
    this.segmentBytes = segmentBytes;
    this.budget = budget;
    this.firstCycle = firstCycle;
    this.rollCycle = new SizeRollCycle(firstCycle);
    this.queue =
        SingleChronicleQueueBuilder.binary(files.directory())
            .rollCycle(rollCycle)
            .blockSize(MAPPED_BLOCK_BYTES)
            .syncMode(SyncMode.NONE)
            .timeoutMS(LOCK_TIMEOUT_MILLIS)
            .build();
    try {
      if (queue.rollCycle() != rollCycle) {
        throw new IOException(files.directory() + ": the queue replaced its roll cycle");
      }
      inspect(); // before the tailer, which opens the oldest segment whatever is in it
      this.tailer = newTailer();
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Opens the queue in a directory that {@link SegmentFiles#repair} went over.
   *
   * @param firstCycle the number of the first segment this queue writes; above all on disk
   */
  static SegmentQueue open(SegmentFiles files, long segmentBytes, DiskBudget budget, int firstCycle)
      throws IOException {
    return new SegmentQueue(files, segmentBytes, budget, firstCycle);
  }

  // ---- appending thread

  /**
   * Appends one record.
   *
   * @return its index, when the record is in the queue
   * @throws DiskFullException if there is no room; nothing was changed
   * @throws IOException if Chronicle failed; whether the record is stored is not known
   */
  @SuppressWarnings("CatchThrowable") // a full disk can surface as InternalError; see SegmentQueue
  long append(byte[] header, Slice payload) throws IOException {
    int length = header.length + payload.length();
    if (length > MAX_RECORD_BYTES) {
      throw new IllegalArgumentException("record of " + length + " bytes");
    }
    boolean isNew = segment != rollCycle.cycle();
    if (isNew) {
      startSegment(length);
    } else {
      grow(files.segment(segment), position + length + SLACK_BYTES);
    }
    long index;
    try {
      index = write(header, payload);
    } catch (Throwable e) {
      throw new IOException("append to " + files.directory() + " failed: " + e, e);
    }
    writtenCycle = segment;
    if (position >= segmentBytes) {
      roll();
    }
    return index;
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

  private long write(byte[] header, Slice payload) {
    ExcerptAppender to = appender;
    if (to == null) {
      to = queue.createAppender();
      to.singleThreadedCheckDisabled(true);
      appender = to;
    }
    try (DocumentContext document = to.writingDocument()) {
      boolean written = false;
      try {
        Bytes<?> bytes = Objects.requireNonNull(document.wire()).bytes();
        bytes.write(header);
        bytes.write(payload.array(), payload.offset(), payload.length());
        position = bytes.writePosition();
        written = true;
        return document.index();
      } finally {
        if (!written) {
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

  // ---- reading thread

  /** One document as it was read. */
  record Document(long index, Slice bytes) {}

  /** The next document; null if there is none that can be read now. */
  @Nullable Document next() {
    return read(false);
  }

  /** As {@link #next}, which will return the same document. */
  @Nullable Document peek() {
    return read(true);
  }

  private @Nullable Document read(boolean again) {
    try (DocumentContext document = tailer.readingDocument()) {
      if (!document.isPresent()) {
        return null;
      }
      long index = document.index();
      tailerCycle = rollCycle.toCycle(index);
      Bytes<?> bytes = Objects.requireNonNull(document.wire()).bytes();
      long length = bytes.readRemaining();
      boolean damaged = length > MAX_RECORD_BYTES; // then what follows cannot be found either
      if (damaged || again) {
        document.rollbackOnClose();
      }
      if (damaged) {
        return null;
      }
      byte[] copy = new byte[(int) length];
      bytes.read(copy);
      return new Document(index, Slice.of(copy));
    }
  }

  /** Continues reading at an index, or at the first segment after it that exists. */
  void seek(long index) {
    int cycle = rollCycle.toCycle(index);
    restartTailer();
    if (exists(cycle)) {
      tailerCycle = cycle;
      if (tailer.moveToIndex(index)
          || tailer.state() == TailerState.FOUND_IN_CYCLE
          || tailer.state() == TailerState.END_OF_CYCLE) {
        return;
      }
      restartTailer();
    }
    skipTo(cycle);
  }

  /** Continues reading at the start of the first segment from {@code cycle} on; false if none. */
  boolean skipTo(int cycle) {
    Integer next;
    synchronized (segments) {
      next = segments.ceilingKey(cycle);
    }
    if (next == null || next > writtenCycle) {
      return false;
    }
    restartTailer();
    tailerCycle = next;
    tailer.moveToIndex(rollCycle.toIndex(next, 0));
    return true;
  }

  /** The segment that is being read. */
  int readingCycle() {
    return tailerCycle;
  }

  /** After Chronicle threw at us the tailer's state is unknown. */
  private void restartTailer() {
    tailer.close();
    tailer = newTailer();
  }

  private ExcerptTailer newTailer() {
    ExcerptTailer fresh = queue.createTailer();
    fresh.singleThreadedCheckDisabled(true);
    return fresh;
  }

  // ---- any thread

  int cycleOf(long index) {
    return rollCycle.toCycle(index);
  }

  long firstIndexOf(int cycle) {
    return rollCycle.toIndex(cycle, 0);
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

  private boolean exists(int cycle) {
    synchronized (segments) {
      return segments.containsKey(cycle);
    }
  }

  /**
   * Deletes the segments before {@code cycle}, never the newest: Chronicle would append into the
   * deleted file.
   */
  void deleteBefore(int cycle) throws IOException {
    boolean deleted = false;
    synchronized (segments) {
      int end =
          Math.min(cycle, Math.max(writtenCycle, segments.isEmpty() ? 0 : segments.lastKey()));
      for (Map.Entry<Integer, Long> e = segments.firstEntry();
          e != null && e.getKey() < end;
          e = segments.firstEntry()) {
        files.delete(e.getKey());
        budget.release(e.getValue());
        segments.remove(e.getKey());
        deleted = true;
      }
    }
    if (deleted) {
      queue.refreshDirectoryListing();
    }
  }

  /** Closes the queue and takes its segments out of the budget; they stay on disk. */
  @Override
  public void close() {
    try {
      queue.close();
    } finally {
      synchronized (segments) {
        budget.release(reservedBytes());
        segments.clear();
      }
    }
  }

  /** Opens every old segment once, and sets aside those whose header Chronicle cannot read. */
  private void inspect() throws IOException {
    boolean damaged = false;
    for (int cycle : files.cycles()) {
      long end = endOf(cycle);
      if (end < 0) {
        files.quarantine(cycle, "Chronicle cannot read its header");
        damaged = true;
        continue;
      }
      long bytes = Math.min(Files.size(files.segment(cycle)), end + SLACK_BYTES);
      budget.found(bytes);
      synchronized (segments) {
        segments.put(cycle, bytes);
      }
      writtenCycle = Math.max(writtenCycle, cycle);
    }
    if (damaged) {
      queue.refreshDirectoryListing();
    }
  }

  /** About where the last record of a segment ends; -1 if Chronicle cannot open it. */
  private long endOf(int cycle) throws IOException {
    SingleChronicleQueueStore store = null;
    try {
      store = queue.storeForCycle(cycle, 0, false, null);
      long end = store == null ? -1 : store.writePosition();
      return end <= Files.size(files.segment(cycle)) ? end : -1;
    } catch (RuntimeException e) {
      return -1;
    } finally {
      if (store != null) {
        queue.closeStore(store);
      }
    }
  }
}
