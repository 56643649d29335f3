package io.spillway.buffer;

import io.spillway.buffer.HandOver.Pending;
import io.spillway.otlp.Codec;
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
 */
final class BlockBuilder implements AutoCloseable {
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
  Built build(List<Pending> appends, Codec codec, Totals before) throws IOException {
    Slice bytes = merge(appends, codec);
    Slice payload = bytes.isEmpty() ? bytes : compressor.compress(codec, bytes);
    BlockHeader header = header(appends, codec, before, bytes.length(), payload);
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
      if (!append.request().isEmpty() || append.items() > 0) {
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

  /**
   * The requests one after the other; valid until the next call, but for good if a reader may get
   * them as they are.
   */
  private Slice merge(List<Pending> block, Codec codec) {
    if (block.size() == 1) {
      return block.getFirst().request();
    }
    int length = bytesOf(block);
    byte[] to = codec == Codec.NONE && cipher == null ? new byte[length] : scratch(length);
    int at = 0;
    for (Pending append : block) {
      Slice r = append.request();
      System.arraycopy(r.array(), r.offset(), to, at, r.length());
      at += r.length();
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
