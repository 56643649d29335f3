package io.spillway.buffer;

import io.spillway.buffer.Finding.Kind;
import io.spillway.buffer.LaneReport.Depth;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.stage.Block.Request;
import io.spillway.otlp.wire.RequestScanner;
import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Counts a lane anew from its blocks, and says where they disagree with each other or with the
 * books. Beside a running relay it judges what was there when it began; what is settled and deleted
 * meanwhile is not missed. An interrupt ends it with an {@link IOException}. For one use, on one
 * thread.
 */
final class LaneCheck {
  private final LaneReader lane;
  private final Depth depth;
  private final Consumer<? super Finding> listener;
  private final RequestScanner scanner = new RequestScanner();
  private long blocks;
  private long items;
  private long bytes;
  private long waiting;
  private long missing;
  private long unreadable;
  private long locked;
  private long findings;

  LaneCheck(LaneReader lane, Depth depth, Consumer<? super Finding> listener) {
    this.lane = lane;
    this.depth = depth;
    this.listener = listener;
  }

  LaneReport run() throws IOException {
    LaneBooks books = lane.books(); // before the blocks: what it counts must be there
    Totals first;
    Totals end;
    try (LaneBlocks all = lane.blocks(Selection.ALL, this::report)) {
      for (StoredBlock b = all.next(); b != null; b = all.next()) {
        blocks++;
        items += b.items();
        bytes += b.storedLength();
        waiting += books.owedItems(b.firstItem(), b.endItem());
        look(b, all);
      }
      first = all.first();
      end = all.end();
    }
    compare(books, first, end);
    long cursor = books.cursor().items();
    return new LaneReport(
        lane.id(),
        depth,
        blocks,
        items,
        bytes,
        first == null ? cursor : first.items(),
        end == null ? cursor : end.items(),
        waiting,
        cursor,
        books.appended().items(),
        missing,
        unreadable,
        locked,
        findings);
  }

  private void report(Finding finding) {
    if (finding.kind() == Kind.MISSING && isSettledAhead(finding)) {
      return; // delivered and deleted, while the backlog before it waits
    }
    findings++;
    long concerned = finding.toItem() - finding.fromItem();
    switch (finding.kind()) {
      case MISSING -> missing += concerned;
      case BAD_PAYLOAD -> unreadable += concerned;
      case STRAY_BYTES, REPEATED, BOOKS -> {}
    }
    listener.accept(finding);
  }

  /** By the books as they are now: a relay may have gone on. */
  private boolean isSettledAhead(Finding gap) {
    try {
      return lane.books().isAhead(gap.fromItem(), gap.toItem());
    } catch (IOException e) {
      return false;
    }
  }

  private void report(Kind kind, StoredBlock block, String what) {
    report(
        new Finding(
            kind, block.segment(), block.position(), block.firstItem(), block.endItem(), what));
  }

  // ---- one block

  private void look(StoredBlock block, LaneBlocks all) throws IOException {
    String boundaries = boundaries(block);
    if (boundaries != null) {
      report(Kind.BAD_PAYLOAD, block, boundaries);
      return;
    }
    if (depth == Depth.HEADERS) {
      return;
    }
    switch (all.content()) {
      case Content.Payload(Slice payload) -> {
        String wrong = payload(block, payload);
        if (wrong != null) {
          report(Kind.BAD_PAYLOAD, block, wrong);
        }
      }
      case Content.Damaged(String reason) -> report(Kind.BAD_PAYLOAD, block, reason);
      case Content.Locked _ -> locked++;
    }
  }

  /** Null if the requests add up to the block. */
  private static @Nullable String boundaries(StoredBlock block) {
    long length = 0;
    long count = 0;
    for (Request request : block.requests()) {
      if (request.length() < 0 || request.items() < 0) {
        return "a request has a negative length or count";
      }
      length += request.length();
      count += request.items();
    }
    return length == block.uncompressedLength() && count == block.items()
        ? null
        : "its requests add up to %d bytes and %d items (expected %d and %d)"
            .formatted(length, count, block.uncompressedLength(), block.items());
  }

  /** Null if the payload is what the header says. */
  private @Nullable String payload(StoredBlock block, Slice payload) {
    Slice plain;
    try {
      plain =
          payload.isEmpty()
              ? payload
              : Decompression.decompress(block.codec(), payload, block.uncompressedLength());
    } catch (MalformedRequestException | PayloadTooLargeException e) {
      return "cannot be decompressed: " + e.getMessage();
    }
    if (plain.length() != block.uncompressedLength()) {
      return "decompresses to %d bytes (expected %d)"
          .formatted(plain.length(), block.uncompressedLength());
    }
    int offset = 0;
    for (Request request : block.requests()) {
      String wrong = request(block, plain.sub(offset, request.length()), request.items());
      if (wrong != null) {
        return "the request at byte " + offset + " of its content " + wrong;
      }
      offset += request.length();
    }
    return null;
  }

  private @Nullable String request(StoredBlock block, Slice request, int expected) {
    try {
      scanner.scan(block.signal(), request);
    } catch (MalformedRequestException e) {
      return "is malformed: " + e.getMessage();
    }
    return scanner.items() == expected
        ? null
        : "holds %d items (expected %d)".formatted(scanner.items(), expected);
  }

  // ---- the books

  private void compare(LaneBooks books, @Nullable Totals first, @Nullable Totals end)
      throws IOException {
    long now = lane.cursorItem(); // what was settled meanwhile may be gone
    Totals marked = books.marked();
    if (!books.hasCheckpoint()) {
      if (first != null) {
        books("there is no checkpoint. A relay takes the first block as the cursor and sends all.");
      }
    } else if (first != null && first.items() > now) {
      missing(now, first.items(), "before the first block on disk");
    }
    if (marked == null && first != null) {
      books("there is no append mark. A relay takes the last block as the end.");
    }
    long proved = Math.max(end == null ? 0 : end.items(), marked == null ? 0 : marked.items());
    long cursor = books.cursor().items();
    if (cursor > proved && (end != null || marked != null)) {
      books("the cursor is at item %d, beyond the last item %d".formatted(cursor, proved));
      return;
    }
    long found = Math.max(end == null ? 0 : end.items(), now);
    if (books.appended().items() > found) {
      missing(found, books.appended().items(), "after the last block on disk");
    }
    if (books.ledger().unaccounted() != 0) {
      books(
          "the counts of settled items and the cursor differ by %d"
              .formatted(books.ledger().unaccounted()));
    }
  }

  private void missing(long from, long to, String where) {
    report(new Finding(Kind.MISSING, null, -1, from, to, "not there, " + where));
  }

  private void books(String what) {
    report(new Finding(Kind.BOOKS, null, -1, 0, 0, what));
  }
}
