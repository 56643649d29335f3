package io.spillway.otlp.rpc;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A {@code google.rpc.Status}, with the {@code RetryInfo} it may carry.
 *
 * @param code a canonical gRPC status code, 0 to 16
 * @param retryDelay from {@code google.rpc.RetryInfo}; null if absent
 */
public record RpcStatus(int code, String message, @Nullable Duration retryDelay) {

  public byte[] toProtobuf() {
    throw new UnsupportedOperationException();
  }

  public byte[] toJson() {
    throw new UnsupportedOperationException();
  }

  /** Unknown details are skipped. */
  public static RpcStatus parse(Slice protobuf) throws MalformedRequestException {
    throw new UnsupportedOperationException();
  }

  /** Lenient: anything missing stays empty. */
  public static RpcStatus parseJson(Slice json) throws MalformedRequestException {
    throw new UnsupportedOperationException();
  }
}
