package io.spillway.routing.egress;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.wire.RequestSplitter;
import io.spillway.otlp.wire.RequestSplitter.Part;
import java.util.ArrayList;
import java.util.List;

/** Cuts pieces into smaller ones: between original requests first, then between items. */
final class Cutter {

  private Cutter() {}

  /** Each original request by itself, never to be merged again. */
  static List<Piece> toRequests(Piece piece) throws MalformedRequestException {
    piece.held.keepUncompressed();
    List<Piece> requests = piece.groups(0);
    requests.forEach(request -> request.alone = true);
    return requests;
  }

  /**
   * Pieces of at most {@code limit} bytes as far as possible: some may still be larger, and are
   * then smaller than this piece; empty if it cannot be cut, as a rule because it is a single item.
   *
   * @throws MalformedRequestException if the block is unreadable
   */
  static List<Piece> toSize(Piece piece, int limit) throws MalformedRequestException {
    List<Piece> pieces = piece.requests() > 1 ? requests(piece, limit) : items(piece, limit);
    pieces.forEach(cut -> cut.mergeLimit = Math.min(cut.mergeLimit, limit));
    return pieces;
  }

  private static List<Piece> requests(Piece piece, int limit) throws MalformedRequestException {
    piece.held.keepUncompressed();
    return piece.groups(limit);
  }

  private static List<Piece> items(Piece piece, int limit) throws MalformedRequestException {
    if (piece.items == 1 || !piece.canBeCut()) {
      return List.of();
    }
    piece.held.keepUncompressed();
    List<Part> parts = split(piece.held.block.signal(), piece.bytes(), limit);
    return parts.size() < 2 ? List.of() : pieces(piece, parts);
  }

  private static List<Piece> pieces(Piece piece, List<Part> parts)
      throws MalformedRequestException {
    List<Piece> pieces = new ArrayList<>();
    int before = 0;
    for (Part part : parts) {
      if (part.items() > 0) {
        pieces.add(piece.part(part.request(), before, part.items()));
        before += part.items();
      }
    }
    if (before != piece.items) {
      throw new MalformedRequestException(before + " items (expected " + piece.items + ")");
    }
    return pieces;
  }

  /**
   * Parts of at most {@code limit} bytes or, if one item is larger, of at most that item's size:
   * found by bisection, and it then is alone in its part.
   */
  private static List<Part> split(Signal signal, Slice request, int limit) {
    int tooSmall = limit - 1;
    int enough = request.length();
    List<Part> best = List.of();
    int size = limit;
    while (enough - tooSmall > 1) {
      try {
        best = RequestSplitter.split(signal, request, size);
        enough = size;
      } catch (PayloadTooLargeException _) {
        tooSmall = size;
      }
      size = tooSmall + (enough - tooSmall) / 2;
    }
    return best;
  }
}
