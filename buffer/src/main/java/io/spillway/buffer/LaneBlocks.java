package io.spillway.buffer;

import io.spillway.buffer.Finding.Kind;
import io.spillway.buffer.SegmentReader.Found;
import io.spillway.otlp.Slice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Goes over the blocks that a lane has on disk, oldest first, one at a time: up to those that were
 * there when it was made, and perhaps some that came since. What it cannot read it reports and
 * passes. A segment that a relay deletes meanwhile is no damage: it was settled. Belongs to one
 * thread.
 */
public final class LaneBlocks implements AutoCloseable {
  private final Path directory;
  private final PayloadOpener opener;
  private final Selection selection;
  private final Consumer<? super Finding> findings;
  private final Deque<Integer> segments;

  private @Nullable SegmentReader segment;
  private @Nullable Found current;
  private @Nullable Totals first;
  private @Nullable Totals end;
  private String lastSegment = "";
  private long lastPosition;
  private boolean deletedMeanwhile;

  /**
   * @param segments by number, oldest first
   * @param findings told of damage in front of each block before the block is returned
   */
  LaneBlocks(
      Path directory,
      List<Integer> segments,
      PayloadOpener opener,
      Selection selection,
      Consumer<? super Finding> findings) {
    this.directory = directory;
    this.segments = new ArrayDeque<>(segments);
    this.opener = opener;
    this.selection = selection;
    this.findings = findings;
  }

  /** The next block of the selection; null at the end. */
  public @Nullable StoredBlock next() throws IOException {
    while (true) {
      SegmentReader reader = reader();
      if (reader == null) {
        current = null;
        return null;
      }
      Found found = reader.next();
      if (found == null) {
        reader.close();
        segment = null;
        continue;
      }
      inspect(found.header(), reader);
      StoredBlock block = StoredBlock.of(found.header(), reader.name(), found.position());
      lastSegment = reader.name();
      lastPosition = reader.position();
      current = found;
      if (selection.holds(block)) {
        return block;
      }
    }
  }

  /** Reads what is in the block that {@link #next} returned last. */
  public Content content() throws IOException {
    Found found = Objects.requireNonNull(current, "no block");
    Slice payload = Objects.requireNonNull(segment).payload(found);
    BlockHeader header = found.header();
    if (payload.length() < header.payloadLength()) {
      return new Content.Damaged(
          "the file ends after %d of %d payload bytes"
              .formatted(payload.length(), header.payloadLength()));
    }
    if (BlockHeader.crc(payload) != header.payloadCrc()) {
      return new Content.Damaged("the payload's CRC32C is wrong");
    }
    return opener.open(header, payload);
  }

  @Override
  public void close() throws IOException {
    if (segment != null) {
      segment.close();
      segment = null;
    }
  }

  /** Where the first block that was passed starts; null before it. */
  @Nullable Totals first() {
    return first;
  }

  /** Where the last block that was passed ends; null before it. */
  @Nullable Totals end() {
    return end;
  }

  private @Nullable SegmentReader reader() throws IOException {
    while (segment == null) {
      Integer next = segments.poll();
      if (next == null) {
        return null;
      }
      segment = SegmentReader.open(SegmentNames.find(directory, next));
      deletedMeanwhile |= segment == null;
    }
    return segment;
  }

  /** Compares a header with the block before it. */
  private void inspect(BlockHeader header, SegmentReader reader) {
    Totals start = header.start();
    Totals before = end;
    boolean gap = before != null && before.isBefore(start);
    if (before != null && (start.items() < before.items() || start.blocks() < before.blocks())) {
      findings.accept(
          new Finding(
              Kind.REPEATED,
              reader.name(),
              reader.position(),
              header.firstItem(),
              header.firstItem() + header.items(),
              "the block has numbers that an earlier block has (expected item %d, block %d)"
                  .formatted(before.items(), before.blocks())));
    } else if (gap && !deletedMeanwhile) {
      findings.accept(missing(Objects.requireNonNull(before), start, reader));
    } else if (!gap && reader.strayFrom() >= 0) {
      findings.accept(
          new Finding(
              Kind.STRAY_BYTES,
              reader.name(),
              reader.strayFrom(),
              header.firstItem(),
              header.firstItem(),
              "%d bytes are no block; no item is missing"
                  .formatted(reader.strayTo() - reader.strayFrom())));
    }
    deletedMeanwhile = false;
    if (first == null) {
      first = start;
    }
    end = before == null ? header.end() : before.max(header.end());
  }

  private Finding missing(Totals before, Totals start, SegmentReader reader) {
    boolean stray = reader.strayFrom() >= 0;
    long blocks = start.blocks() - before.blocks();
    return new Finding(
        Kind.MISSING,
        stray ? reader.name() : lastSegment,
        stray ? reader.strayFrom() : lastPosition,
        before.items(),
        start.items(),
        "%d block%s unreadable".formatted(blocks, blocks == 1 ? " is" : "s are")
            + (stray
                ? "; %d bytes are no block".formatted(reader.strayTo() - reader.strayFrom())
                : ""));
  }
}
