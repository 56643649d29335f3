package io.spillway.routing.egress;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Block.Request;
import io.spillway.otlp.stage.Settlement;
import io.spillway.otlp.stage.Settlement.Delivered;
import io.spillway.otlp.stage.Settlement.Dropped;
import io.spillway.otlp.stage.Settlement.Part;
import io.spillway.otlp.stage.Settlement.Rejected;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A block that was read from the lane and is not settled: the account of its items. */
final class Held {
  final Block block;

  /** Whether it is sent when nothing else waits. */
  final boolean backlog;

  /** Whose all requests are; null if they are of several tenants. */
  final @Nullable String soleTenant;

  /** The original requests in order; one for all if the block's own list does not add up. */
  final List<Request> requests;

  private final List<Part> parts = new ArrayList<>();
  private int open;
  private boolean redelivered;
  private @Nullable Slice uncompressed;

  Held(Block block, boolean backlog) {
    this.block = block;
    this.backlog = backlog;
    this.open = block.items();
    this.requests =
        addsUp(block)
            ? block.requests()
            : List.of(new Request(block.uncompressedLength(), block.items()));
    this.soleTenant = soleTenant(requests);
  }

  private static @Nullable String soleTenant(List<Request> requests) {
    String first = requests.isEmpty() ? "" : requests.getFirst().tenant();
    return requests.stream().allMatch(request -> request.tenant().equals(first)) ? first : null;
  }

  private static boolean addsUp(Block block) {
    long bytes = block.requests().stream().mapToLong(Request::length).sum();
    long items = block.requests().stream().mapToLong(Request::items).sum();
    return bytes == block.uncompressedLength() && items == block.items();
  }

  /** Takes down the fate of some items. Says whether it was the last that was open. */
  boolean account(Part part) {
    if (part.items() > open) {
      throw new IllegalStateException(
          "block " + block.index() + ": " + part + " exceeds the " + open + " items left");
    }
    open -= part.items();
    if (part.items() > 0) {
      add(part);
    }
    return open == 0;
  }

  /** Adds to a part of the same kind if there is one, so that the list stays short. */
  private void add(Part part) {
    for (int i = 0; i < parts.size(); i++) {
      Part sum = sum(parts.get(i), part);
      if (sum != null) {
        parts.set(i, sum);
        return;
      }
    }
    parts.add(part);
  }

  private static @Nullable Part sum(Part a, Part b) {
    int items = a.items() + b.items();
    return switch (a) {
      case Delivered(String exporter, int _) ->
          b.equals(new Delivered(exporter, b.items())) ? new Delivered(exporter, items) : null;
      case Rejected(String exporter, int _) ->
          b.equals(new Rejected(exporter, b.items())) ? new Rejected(exporter, items) : null;
      case Dropped(var reason, int _) ->
          b.equals(new Dropped(reason, b.items())) ? new Dropped(reason, items) : null;
    };
  }

  Settlement settlement() {
    return new Settlement(parts);
  }

  /** True the first time. */
  boolean firstRedelivery() {
    boolean first = !redelivered;
    redelivered = true;
    return first;
  }

  /** The protobuf bytes, made anew; {@link #keepUncompressed} keeps them. */
  Slice uncompressed() throws MalformedRequestException {
    if (uncompressed != null) {
      return uncompressed;
    }
    try {
      Slice bytes =
          Decompression.decompress(block.codec(), block.payload(), block.uncompressedLength());
      if (bytes.length() != block.uncompressedLength()) {
        throw new MalformedRequestException(
            bytes.length() + " bytes (expected " + block.uncompressedLength() + ")");
      }
      return bytes;
    } catch (PayloadTooLargeException _) {
      throw new MalformedRequestException(
          "more bytes than expected (" + block.uncompressedLength() + ")");
    }
  }

  /** Keeps the protobuf bytes until the block is settled: it is going to be sent in pieces. */
  void keepUncompressed() throws MalformedRequestException {
    uncompressed = uncompressed();
  }

  /** Bytes of memory held. */
  long bytes() {
    return (long) block.payload().length() + (uncompressed == null ? 0 : uncompressed.length());
  }
}
