package io.spillway.relay.buffer;

import io.spillway.buffer.Content;
import io.spillway.buffer.Finding;
import io.spillway.buffer.LaneBlocks;
import io.spillway.buffer.LaneReader;
import io.spillway.buffer.Selection;
import io.spillway.buffer.StoredBlock;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Block.Request;
import java.io.IOException;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/**
 * The blocks of a lane as far as they can be read; what cannot be is said on standard error and
 * counted. Holds one block at a time. Belongs to one thread.
 */
final class StoredRequests implements AutoCloseable {
  private final LaneReader lane;
  private final LaneBlocks blocks;
  private final PrintWriter err;
  private long unreadable;

  StoredRequests(LaneReader lane, Selection selection, PrintWriter err) throws IOException {
    this.lane = lane;
    this.err = err;
    this.blocks = lane.blocks(selection, this::report);
  }

  /** The next readable block with its payload as stored; null at the end. */
  @Nullable Block next() throws IOException {
    for (StoredBlock b = blocks.next(); b != null; b = blocks.next()) {
      if (b.requests().isEmpty()) {
        continue; // counts what was sampled out
      }
      switch (blocks.content()) {
        case Content.Payload(Slice payload) -> {
          return b.with(payload);
        }
        case Content.Damaged(String reason) -> report(b, reason);
        case Content.Locked(String reason) -> report(b, reason);
      }
    }
    return null;
  }

  /** Things that were wrong with blocks. */
  long unreadable() {
    return unreadable;
  }

  @Override
  public void close() throws IOException {
    blocks.close();
  }

  private void report(StoredBlock block, String reason) {
    report(
        new Finding(
            Finding.Kind.BAD_PAYLOAD,
            block.segment(),
            block.position(),
            block.firstItem(),
            block.endItem(),
            reason));
  }

  private void report(Finding finding) {
    unreadable++;
    err.println(lane.id() + ": " + finding);
    err.flush();
  }

  /** What is done with each request. */
  interface Sink {
    /** False to stop. */
    boolean take(Slice bytes, Request request) throws IOException;
  }

  /** Hands out the original requests of a block, decompressed; false if the sink had enough. */
  boolean each(Block block, Sink sink) throws IOException {
    Slice plain;
    try {
      plain = plain(block);
    } catch (MalformedRequestException e) {
      unreadable++;
      err.printf("%s: items from %d: %s%n", lane.id(), block.firstSequence(), e.getMessage());
      return true;
    }
    int offset = 0;
    for (Request request : block.requests()) {
      if (!sink.take(plain.sub(offset, request.length()), request)) {
        return false;
      }
      offset += request.length();
    }
    return true;
  }

  /** The protobuf bytes of a block, whose requests fill them exactly. */
  static Slice plain(Block block) throws MalformedRequestException {
    long expected = block.requests().stream().mapToLong(Request::length).sum();
    try {
      Slice plain =
          Decompression.decompress(block.codec(), block.payload(), block.uncompressedLength());
      if (plain.length() == expected) {
        return plain;
      }
      throw new MalformedRequestException(
          "decompresses to %d bytes (expected %d)".formatted(plain.length(), expected));
    } catch (PayloadTooLargeException e) {
      throw new MalformedRequestException(String.valueOf(e.getMessage()));
    }
  }
}
