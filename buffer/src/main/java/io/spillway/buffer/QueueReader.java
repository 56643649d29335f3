package io.spillway.buffer;

import io.spillway.buffer.RecentBlocks.Recent;
import io.spillway.buffer.SegmentQueue.End;
import io.spillway.otlp.Slice;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A position in a {@link SegmentQueue}, from which records are read in order. For one thread at a
 * time.
 */
final class QueueReader {
  private static final Logger log = LoggerFactory.getLogger(QueueReader.class);

  private final SegmentFiles files;
  private final SegmentQueue queue;
  private @Nullable SegmentScan scan;
  private int cycle;

  QueueReader(SegmentFiles files, SegmentQueue queue) {
    this.files = files;
    this.queue = queue;
  }

  /**
   * One record as it was read.
   *
   * @param index of the record
   * @param nextIndex of what follows it
   * @param payload null if the file ends in the middle of it
   * @param passed where the record before it ends, or the segment starts
   * @param fromDisk false if it is as it was in memory when it was appended
   */
  record Document(
      BlockHeader header,
      long index,
      long nextIndex,
      @Nullable Slice payload,
      long passed,
      boolean fromDisk) {}

  /**
   * The next record before {@code to}, in whichever segment; null if there is none. Nothing that
   * lies before it can be read any more.
   *
   * @throws IOException if the device fails; the same call may succeed later
   */
  @Nullable Document next(End to) throws IOException {
    for (SegmentScan in = reading(to); in != null; in = reading(to)) {
      long passed = in.end();
      Recent recent = queue.takeRecent(cycle, in.at());
      if (recent != null) {
        in.pass(recent.header(), recent.end());
        return document(recent.header(), in, recent.payload(), passed, false);
      }
      BlockHeader header = in.next(limit(to));
      if (header != null) {
        return document(header, in, in.payload(header), passed, true);
      }
      if (cycle >= to.cycle() || !skipTo(cycle + 1)) {
        return null;
      }
    }
    return null;
  }

  private Document document(
      BlockHeader header, SegmentScan in, @Nullable Slice payload, long passed, boolean fromDisk) {
    return new Document(
        header,
        SegmentQueue.index(cycle, in.position()),
        SegmentQueue.index(cycle, SegmentScan.aligned(in.end())),
        payload,
        passed,
        fromDisk);
  }

  /** Lets {@link #next} return the same record again. */
  void back() {
    SegmentScan in = scan;
    if (in != null) {
      in.back();
    }
  }

  /** The header of the record that {@link #next} would return. */
  @Nullable BlockHeader peek() throws IOException {
    End to = queue.written();
    SegmentScan in = reading(to);
    if (in == null) {
      return null;
    }
    BlockHeader header = in.next(limit(to));
    if (header != null) {
      in.back();
    }
    return header;
  }

  private long limit(End to) {
    return cycle < to.cycle() ? Long.MAX_VALUE : to.position();
  }

  private @Nullable SegmentScan reading(End to) throws IOException {
    while (scan == null && cycle <= to.cycle()) {
      try {
        scan = SegmentScan.open(files.segment(cycle), 0);
      } catch (NoSuchFileException e) {
        if (!skipTo(cycle + 1)) {
          return null; // somebody else deleted it
        }
      }
    }
    return scan;
  }

  /** Continues reading at an index, or at the first segment after it that exists. */
  void seek(long index) throws IOException {
    int wanted = queue.cycleOf(index);
    if (!skipTo(wanted)) {
      close();
      cycle = wanted; // not written yet
    }
    if (cycle != wanted) {
      return;
    }
    try {
      scan = SegmentScan.open(files.segment(wanted), SegmentQueue.positionOf(index));
    } catch (NoSuchFileException e) {
      scan = null;
    }
  }

  /** Continues reading at the start of the first segment from a number on; false if none. */
  boolean skipTo(int wanted) {
    Integer next = queue.segmentFrom(wanted);
    if (next == null) {
      return false;
    }
    close();
    cycle = next;
    return true;
  }

  /** The segment that is being read. */
  int cycle() {
    return cycle;
  }

  /** How far it was read. */
  long position() {
    SegmentScan in = scan;
    return in == null ? 0 : in.end();
  }

  /** Lets go of the file; the next read opens its segment again from the front. */
  void close() {
    SegmentScan open = scan;
    scan = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        log.warn("buffer: {}: closing failed", files.segment(cycle), e);
      }
    }
  }
}
