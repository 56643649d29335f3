package io.spillway.buffer;

import io.spillway.otlp.Slice;

/** Makes the payload of a block, as it stands on disk with a good CRC, readable. */
@FunctionalInterface
interface PayloadOpener {
  /** For payloads that are stored as they are. */
  PayloadOpener PLAIN = (header, stored) -> new Content.Payload(stored);

  Content open(BlockHeader header, Slice stored);
}
