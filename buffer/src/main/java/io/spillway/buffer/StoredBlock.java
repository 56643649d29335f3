package io.spillway.buffer;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import java.time.Instant;
import java.util.List;

/**
 * What a block's header says, and where the block lies.
 *
 * @param segment file name of its segment
 * @param position where its header starts in the file
 * @param number of the block in the lane
 * @param firstItem number of its first item in the lane
 * @param requests the original requests in order
 * @param storedLength bytes of the payload on disk
 */
public record StoredBlock(
    Signal signal,
    Codec codec,
    String segment,
    long position,
    long number,
    long firstItem,
    int items,
    List<Block.Request> requests,
    int uncompressedLength,
    int storedLength,
    Instant firstAccepted,
    Instant lastAccepted) {

  static StoredBlock of(BlockHeader header, String segment, long position) {
    return new StoredBlock(
        header.signal(),
        header.codec(),
        segment,
        position,
        header.blockNumber(),
        header.firstItem(),
        header.items(),
        header.requests(),
        header.uncompressedLength(),
        header.payloadLength(),
        Instant.ofEpochMilli(header.firstAccepted()),
        Instant.ofEpochMilli(header.lastAccepted()));
  }

  public StoredBlock {
    requests = List.copyOf(requests);
  }

  /** The number of the first item after it. */
  public long endItem() {
    return firstItem + items;
  }

  /** The block as a lane would hand it out. */
  public Block with(Slice payload) {
    return new Block(
        signal,
        codec,
        number,
        firstItem,
        items,
        requests,
        uncompressedLength,
        payload,
        firstAccepted,
        lastAccepted,
        true);
  }
}
