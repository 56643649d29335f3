package io.spillway.buffer;

import io.spillway.otlp.Slice;

/** What came out of reading a block's payload. */
public sealed interface Content {

  /** The payload, compressed with the block's codec. */
  record Payload(Slice bytes) implements Content {}

  /** The bytes are not those that were written, or no longer there. */
  record Damaged(String reason) implements Content {}

  /** The payload is there, but the key that opens it is not. */
  record Locked(String reason) implements Content {}
}
