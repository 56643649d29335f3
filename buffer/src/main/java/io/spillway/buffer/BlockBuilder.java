package io.spillway.buffer;

import io.spillway.buffer.HandOver.Pending;
import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes a block of the appends that wait: their bytes one after the other, compressed, encrypted if
 * there are keys, and the header that goes before them. For one thread.
 *
 * <p>Gzip that a sender made takes the place of ours where the lane allows it. The payload is a
 * gzip stream of the same bytes then, which is all that readers ask of it.
 */
final class BlockBuilder implements AutoCloseable {
  /**
   * A shorter request is compressed together with its neighbours: a member of its own would cost
   * more bytes than its compression costs time. So a block has few members, too.
   */
  static final int MIN_MEMBER_BYTES = 4096;

  private final LaneId id;
  private final InstantSource clock;
  private final @Nullable BlockCipher cipher;
  private final BlockCompressor compressor = new BlockCompressor();
  private byte[] merged = new byte[0];

  BlockBuilder(LaneId id, @Nullable BlockCipher cipher, InstantSource clock) {
    this.id = id;
    this.cipher = cipher;
    this.clock = clock;
  }

  /**
   * A block ready to be stored.
   *
   * @param payload valid until the next block is built; for good if it is keepable
   * @param isKeepable whether a reader may have it as it is
   */
  record Built(BlockHeader header, Slice payload, boolean isKeepable) {}

  /**
   * @param before the lane's totals without this block
   * @throws IOException if it could not be encrypted
   */
  Built build(List<Pending> appends, Codec codec, GzipPassthrough passthrough, Totals before)
      throws IOException {
    int length = bytesOf(appends);
    Slice payload = length == 0 ? Slice.EMPTY : payload(appends, codec, passthrough);
    BlockHeader header = header(appends, codec, before, length, payload);
    if (cipher == null || payload.isEmpty()) {
      return new Built(header, payload, cipher == null);
    }
    try {
      BlockCipher.Sealed sealed = cipher.seal(id, header, payload);
      return new Built(sealed.header(), sealed.payload(), false);
    } catch (GeneralSecurityException e) {
      throw new IOException("encrypting failed", e);
    }
  }

  @Override
  public void close() {
    compressor.close();
  }

  private BlockHeader header(
      List<Pending> block, Codec codec, Totals before, int length, Slice payload) {
    List<Block.Request> requests = new ArrayList<>(block.size());
    int items = 0;
    long sampledOut = 0;
    long firstAccepted = Long.MAX_VALUE;
    long lastAccepted = Long.MIN_VALUE;
    for (Pending append : block) {
      if (append.request().length() > 0 || append.items() > 0) {
        requests.add(new Block.Request(append.request().length(), append.items(), append.tenant()));
      }
      items = Math.addExact(items, append.items());
      sampledOut += append.sampledOut();
      firstAccepted = Math.min(firstAccepted, append.acceptedMillis());
      lastAccepted = Math.max(lastAccepted, append.acceptedMillis());
    }
    return new BlockHeader(
        id.signal(),
        codec,
        payload.length(),
        BlockHeader.crc(payload),
        length,
        items,
        before.items(),
        before.blocks(),
        block.isEmpty() ? clock.millis() : firstAccepted,
        block.isEmpty() ? clock.millis() : lastAccepted,
        before.sampledOut() + sampledOut,
        before.bytes() + payload.length(),
        requests,
        false);
  }

  private Slice payload(List<Pending> block, Codec codec, GzipPassthrough passthrough) {
    if (codec == Codec.GZIP && passthrough != GzipPassthrough.OFF) {
      Slice sole = block.size() == 1 ? block.getFirst().request().gzip() : null;
      if (sole != null) {
        return sole;
      }
      if (passthrough == GzipPassthrough.ON
          && block.stream().anyMatch(append -> member(append) != null)) {
        return members(block);
      }
    }
    return compressor.compress(codec, merge(block, codec));
  }

  /** What can be a member beside others as it came; null if nothing. */
  private static @Nullable Slice member(Pending append) {
    return append.request().length() < MIN_MEMBER_BYTES ? null : append.request().gzip();
  }

  /** Members as they came, and between them ours of everything else. None is empty. */
  private Slice members(List<Pending> block) {
    List<Slice> members = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < block.size(); i++) {
      Slice member = member(block.get(i));
      if (member != null) {
        compress(block.subList(start, i), members);
        members.add(member);
        start = i + 1;
      }
    }
    compress(block.subList(start, block.size()), members);
    return Slice.concat(members);
  }

  private void compress(List<Pending> some, List<Slice> members) {
    if (bytesOf(some) > 0) {
      members.add(compressor.compress(Codec.GZIP, merge(some, Codec.GZIP)));
    }
  }

  /**
   * The requests one after the other; valid until the next call, but for good if a reader may get
   * them as they are.
   */
  private Slice merge(List<Pending> block, Codec codec) {
    if (block.size() == 1) {
      return block.getFirst().request().plain();
    }
    int length = bytesOf(block);
    byte[] to = codec == Codec.NONE && cipher == null ? new byte[length] : scratch(length);
    int at = 0;
    for (Pending append : block) {
      at = append.request().plain().copyTo(to, at);
    }
    return new Slice(to, 0, length);
  }

  private byte[] scratch(int length) {
    if (merged.length < length) {
      merged = new byte[Math.min(HandOver.MAX_BLOCK_BYTES, Math.max(length, 2 * merged.length))];
    }
    return merged;
  }

  /** Uncompressed. */
  static int bytesOf(List<Pending> block) {
    int bytes = 0;
    for (Pending append : block) {
      bytes += append.request().length();
    }
    return bytes;
  }
}
