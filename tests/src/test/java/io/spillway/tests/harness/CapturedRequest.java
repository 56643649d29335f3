package io.spillway.tests.harness;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import java.util.Map;

/**
 * A request that a sink took.
 *
 * @param headers names in lower case; of repeated ones the last
 * @param body decompressed
 */
public record CapturedRequest(
    Kind kind, Encoding encoding, Map<String, String> headers, ByteString body) {

  public Message message() {
    try {
      return kind.parse(body);
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError("a sink took a request that is no protobuf", e);
    }
  }
}
