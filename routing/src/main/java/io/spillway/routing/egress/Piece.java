package io.spillway.routing.egress;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block.Request;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is sent, retried and accounted as one: a whole block, a run of its original requests, or a
 * part of one request. The pieces of a block that are waiting or in flight never overlap.
 */
final class Piece {
  /** As in the lane, the backlog last. */
  static final Comparator<Piece> ORDER =
      Comparator.<Piece, Boolean>comparing(piece -> piece.held.backlog)
          .thenComparingLong(piece -> piece.held.block.index())
          .thenComparingInt(piece -> piece.firstItem);

  final Held held;

  /** Original requests {@code [from, to)} of the block. */
  private final int from;

  private final int to;
  private final int offset;
  private final int firstItem;

  /** Uncompressed bytes, and items. */
  final int length;

  final int items;

  /** The bytes if this is a part of one request, which has tags of its own. */
  private final @Nullable Slice part;

  /** Whether it must be sent in a request of its own. */
  boolean alone;

  /** The largest request that it may be merged into, in uncompressed bytes. */
  int mergeLimit = Integer.MAX_VALUE;

  /** Whether a sink may have taken it in an attempt that failed. */
  boolean maybeTaken;

  /** Whether it was held up by a failed probe and must not be again. */
  boolean probed;

  /** How often another went before it, though it is older, since it was sent last. */
  int passedOver;

  /** Not to be sent before this time, apart from what its exporter's state allows. */
  long notBefore;

  /** Whether it was sent last in gzip that a sender made. */
  private boolean wentAsItCame;

  /** Whether it must not be again. */
  private boolean anew;

  private Map<String, Strikes> strikes = Map.of();

  private Piece(
      Held held,
      int from,
      int to,
      int offset,
      int firstItem,
      int length,
      int items,
      @Nullable Slice part) {
    this.held = held;
    this.from = from;
    this.to = to;
    this.offset = offset;
    this.firstItem = firstItem;
    this.length = length;
    this.items = items;
    this.part = part;
  }

  static Piece whole(Held held) {
    Piece piece =
        new Piece(
            held,
            0,
            held.requests.size(),
            0,
            0,
            held.block.uncompressedLength(),
            held.block.items(),
            null);
    piece.alone = !piece.canBeCut();
    return piece;
  }

  /** Whether smaller pieces can be made of it, and larger ones with others. */
  boolean canBeCut() {
    return held.block.signal().concatenates();
  }

  boolean isWhole() {
    return part == null && from == 0 && to == held.requests.size();
  }

  /** Index in the block of the first original request in it, and that after the last. */
  int firstRequest() {
    return from;
  }

  int endRequest() {
    return to;
  }

  String tenant(int request) {
    return held.requests.get(request).tenant();
  }

  /** Uncompressed bytes that are here of one of the original requests. */
  int lengthOf(int request) {
    return part == null ? held.requests.get(request).length() : length;
  }

  /** Items that are here of one of the original requests. */
  int itemsOf(int request) {
    return part == null ? held.requests.get(request).items() : items;
  }

  /** Original requests in it; 1 for a part of one. */
  int requests() {
    return to - from;
  }

  /**
   * The original requests one after the other, in groups of at most {@code limit} bytes or one
   * request. Groups without items are left out: there is nothing to deliver.
   */
  List<Piece> groups(int limit) {
    List<Piece> groups = new ArrayList<>();
    int start = from;
    int startOffset = offset;
    int startItem = firstItem;
    int bytes = 0;
    int count = 0;
    for (int i = from; i < to; i++) {
      Request request = held.requests.get(i);
      if (i > start && (long) bytes + request.length() > limit) {
        addTo(groups, new Piece(held, start, i, startOffset, startItem, bytes, count, null));
        start = i;
        startOffset += bytes;
        startItem += count;
        bytes = 0;
        count = 0;
      }
      bytes += request.length();
      count += request.items();
    }
    addTo(groups, new Piece(held, start, to, startOffset, startItem, bytes, count, null));
    return groups;
  }

  /**
   * A part of the one request this is.
   *
   * @param itemsBefore items of this piece that come before the part
   */
  Piece part(Slice bytes, int itemsBefore, int items) {
    Piece piece =
        new Piece(held, from, to, offset, firstItem + itemsBefore, bytes.length(), items, bytes);
    return inherit(piece);
  }

  private void addTo(List<Piece> groups, Piece piece) {
    if (piece.items > 0) {
      groups.add(inherit(piece));
    }
  }

  private Piece inherit(Piece child) {
    child.alone = alone;
    child.mergeLimit = mergeLimit;
    child.maybeTaken = maybeTaken;
    child.probed = probed;
    return child;
  }

  /** Takes down what it is being sent in. */
  void sentIn(Slice payload) {
    wentAsItCame = payload == held.block.payload() && held.block.hasSendersGzip();
  }

  /**
   * From now on it is not sent in gzip that a sender made: there is some that we can read and the
   * sink cannot.
   *
   * @return false if it was not sent so last
   */
  boolean compressAnew() {
    anew |= wentAsItCame;
    return wentAsItCame;
  }

  boolean mustBeCompressedAnew() {
    return anew;
  }

  /** From now on it goes alone, and is judged by that. */
  void isolate() {
    alone = true;
    strikes = Map.of();
  }

  Slice bytes() throws MalformedRequestException {
    return part != null ? part : held.uncompressed().sub(offset, length);
  }

  /** Failures at an exporter; starts counting with the first call for it. */
  Strikes strikesAt(String exporter) {
    if (strikes.isEmpty()) {
      strikes = new HashMap<>();
    }
    return strikes.computeIfAbsent(exporter, _ -> new Strikes());
  }

  int failuresAt(String exporter) {
    Strikes at = strikes.get(exporter);
    return at == null ? 0 : at.failures();
  }

  int suspicionAt(String exporter) {
    Strikes at = strikes.get(exporter);
    return at == null ? 0 : at.suspicion();
  }
}
