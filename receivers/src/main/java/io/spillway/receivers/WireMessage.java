package io.spillway.receivers;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Slice;

/** One gRPC message as it came. */
sealed interface WireMessage {

  /** The bytes, and what they are compressed with. */
  record Bytes(Codec codec, Slice body) implements WireMessage {}

  /** The bytes could not be read, through no fault of the sender. */
  record Unreadable(Throwable cause) implements WireMessage {}
}
