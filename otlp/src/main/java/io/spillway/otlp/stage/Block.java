package io.spillway.otlp.stage;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.GzipMembers;
import java.time.Instant;
import java.util.List;

/**
 * One record of a lane: whole requests, one after the other, compressed together.
 *
 * @param index position in the lane; grows with every block
 * @param firstSequence number of the first item in the lane; item numbers have no gaps
 * @param items items in the block; 0 only if it carries nothing but sampling counts
 * @param requests the original requests in order, as lengths within the uncompressed bytes and item
 *     counts
 * @param uncompressedLength bytes of protobuf
 * @param payload the stored bytes, compressed with {@code codec}
 * @param firstAccepted when the oldest request in it was accepted
 * @param redelivery whether the block may have reached a sink before the last restart
 */
public record Block(
    Signal signal,
    Codec codec,
    long index,
    long firstSequence,
    int items,
    List<Request> requests,
    int uncompressedLength,
    Slice payload,
    Instant firstAccepted,
    Instant lastAccepted,
    boolean redelivery) {

  public Block {
    requests = List.copyOf(requests);
  }

  /** Whether there is gzip in the payload that a sender made, as far as one can see. */
  public boolean hasSendersGzip() {
    return codec == Codec.GZIP && !GzipMembers.isOurs(payload, uncompressedLength);
  }

  /**
   * One original request inside a block.
   *
   * @param length uncompressed bytes
   * @param tenant see {@link Sender#tenant}
   */
  public record Request(int length, int items, String tenant) {
    /** One of no tenant. */
    public Request(int length, int items) {
      this(length, items, "");
    }
  }
}
