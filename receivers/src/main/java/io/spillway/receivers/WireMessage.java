package io.spillway.receivers;

import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Encoding;

/** One gRPC message as it came. */
sealed interface WireMessage {

  /** The bytes, and what they are compressed with. */
  record Bytes(Encoding encoding, Slice body) implements WireMessage {}

  /** The bytes could not be read, through no fault of the sender. */
  record Unreadable(Throwable cause) implements WireMessage {}
}
