package io.spillway.buffer;

import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.LaneId;
import org.jspecify.annotations.Nullable;

/** Makes the payload of a block, as it stands on disk with a good CRC, readable. */
@FunctionalInterface
interface PayloadOpener {
  /**
   * For the payloads of one lane.
   *
   * @param cipher of encrypted ones; null if there are no keys
   */
  static PayloadOpener of(LaneId lane, @Nullable BlockCipher cipher) {
    return (header, stored) ->
        header.encrypted()
            ? switch (BlockCipher.open(cipher, lane, header, stored)) {
              case BlockCipher.Opened.Plain(Slice plain) -> new Content.Payload(plain);
              case BlockCipher.Opened.Locked(String reason) -> new Content.Locked(reason);
            }
            : new Content.Payload(stored);
  }

  Content open(BlockHeader header, Slice stored);
}
