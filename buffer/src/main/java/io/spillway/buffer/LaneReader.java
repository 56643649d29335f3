package io.spillway.buffer;

import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks at one lane's files without changing them and without its relay's knowledge: beside a
 * running relay, of a stopped one, of a copy. Safe on any thread.
 */
public final class LaneReader {
  private final LaneId id;
  private final Path directory;
  private final PayloadOpener opener;

  LaneReader(LaneId id, Path directory, PayloadOpener opener) {
    this.id = id;
    this.directory = directory;
    this.opener = opener;
  }

  public LaneId id() {
    return id;
  }

  /**
   * The blocks on disk.
   *
   * @param findings told what cannot be read on the way
   */
  public LaneBlocks blocks(Selection selection, Consumer<? super Finding> findings)
      throws IOException {
    List<Integer> segments = segments();
    return new LaneBlocks(
        directory, startingAt(segments, selection.fromItem()), opener, selection, findings);
  }

  /** The number of the first item that is not settled; 0 without a checkpoint. */
  public long cursorItem() throws IOException {
    return books().cursor().items();
  }

  /** The part of a selection that is not settled. */
  public Selection unsettled(Selection of) throws IOException {
    LaneBooks books = books();
    return of.fromItem(books.cursor().items()).without(books.ahead());
  }

  /** Reads the books, the first header of every segment and all headers of the newest one. */
  public LaneSnapshot snapshot() throws IOException {
    LaneBooks books = books();
    List<Head> heads = heads();
    Totals first = null;
    for (Head head : heads) {
      first = first == null && head.first != null ? head.first.start() : first;
    }
    Newest newest = newest(heads);
    List<Path> quarantined = quarantined();
    Totals cursor = books.hasCheckpoint() || first == null ? books.cursor() : first;
    Totals end = newest == null ? books.appended() : books.appended().max(newest.end);
    Totals owed =
        books.owed().plus(end.minus(books.appended())).minus(cursor.minus(books.cursor()));
    return new LaneSnapshot(
        books.ledger(),
        books.hasCheckpoint(),
        first == null ? cursor.items() : first.items(),
        cursor.items(),
        end.items(),
        owed.items(),
        owed.blocks(),
        owed.bytes(),
        heads.size(),
        diskBytes(heads, newest) + bytesOf(quarantined),
        quarantined.size(),
        owed.items() == 0 ? null : oldest(),
        newest == null ? null : newest.accepted);
  }

  /**
   * Compares the blocks with each other and with the books.
   *
   * @param findings told of everything that is wrong, in order
   */
  public LaneReport check(LaneReport.Depth depth, Consumer<? super Finding> findings)
      throws IOException {
    return new LaneCheck(this, depth, findings).run();
  }

  /** The name of the route, safe as a file name. */
  public String fileName() {
    return LanePaths.encode(id.route());
  }

  LaneBooks books() throws IOException {
    return LaneBooks.read(id, directory);
  }

  List<Integer> segments() throws IOException {
    return List.copyOf(SegmentNames.in(directory));
  }

  /** A segment and its first block. */
  private record Head(int segment, long fileBytes, @Nullable BlockHeader first) {}

  /** The newest block. */
  private record Newest(int segment, long position, Totals end, Instant accepted) {}

  private List<Head> heads() throws IOException {
    List<Head> heads = new ArrayList<>();
    for (int segment : segments()) {
      try {
        heads.add(
            new Head(segment, Files.size(SegmentNames.find(directory, segment)), firstOf(segment)));
      } catch (NoSuchFileException e) {
        // Settled and deleted since it was listed.
      }
    }
    return heads;
  }

  private @Nullable BlockHeader firstOf(int segment) throws IOException {
    try (SegmentReader reader = SegmentReader.open(SegmentNames.find(directory, segment))) {
      SegmentReader.Found found = reader == null ? null : reader.next();
      return found == null ? null : found.header();
    }
  }

  private @Nullable Newest newest(List<Head> heads) throws IOException {
    for (Head head : heads.reversed()) {
      Newest newest = null;
      try (SegmentReader reader = SegmentReader.open(SegmentNames.find(directory, head.segment))) {
        SegmentReader.Found found = reader == null ? null : reader.next();
        while (reader != null && found != null) {
          Instant accepted = Instant.ofEpochMilli(found.header().lastAccepted());
          newest = new Newest(head.segment, reader.position(), found.header().end(), accepted);
          found = reader.next();
        }
      }
      if (newest != null) {
        return newest;
      }
    }
    return null;
  }

  private @Nullable Instant oldest() throws IOException {
    try (LaneBlocks blocks = blocks(unsettled(Selection.ALL), finding -> {})) {
      StoredBlock block = blocks.next();
      return block == null ? null : block.firstAccepted();
    }
  }

  /** Leaves out segments that end before an item, as the first block of the next one shows. */
  private List<Integer> startingAt(List<Integer> segments, long item) throws IOException {
    for (int i = segments.size() - 1; i > 0 && item > 0; i--) {
      BlockHeader first = firstOf(segments.get(i));
      if (first != null && first.firstItem() <= item) {
        return segments.subList(i, segments.size());
      }
    }
    return segments;
  }

  /**
   * Chronicle makes its files longer than what is in them, so their lengths do not tell. What is in
   * a finished segment is the difference between its first block and the next segment's.
   */
  private static long diskBytes(List<Head> heads, @Nullable Newest newest) {
    long sum = 0;
    Totals next = newest == null ? null : newest.end;
    for (Head head : heads.reversed()) {
      long used = 0;
      if (newest != null && head.segment == newest.segment) {
        used = newest.position;
      } else if (head.first != null && next != null) {
        used = Math.max(0, next.bytes() - head.first.start().bytes());
      }
      sum += Math.min(head.fileBytes, used + SegmentQueue.SLACK_BYTES);
      next = head.first == null ? next : head.first.start();
    }
    return sum;
  }

  /** What was set aside of this lane lies beside all lanes. */
  private List<Path> quarantined() throws IOException {
    return Quarantine.files(LanePaths.buffer(directory), id);
  }

  private static long bytesOf(List<Path> files) throws IOException {
    long sum = 0;
    for (Path file : files) {
      sum += Files.size(file);
    }
    return sum;
  }
}
