package io.spillway.tests.harness;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import io.grpc.CallOptions;
import io.grpc.Codec;
import io.grpc.CompressorRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A sender of OTLP/gRPC that finds the relay again when it comes back elsewhere. */
public final class GrpcWire implements Wire {

  private static final int DEADLINE_SECONDS = 60;
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  /** OTLP §Failures, RESOURCE_EXHAUSTED apart. */
  private static final Set<Status.Code> RETRYABLE =
      Set.of(
          Status.Code.CANCELLED,
          Status.Code.DEADLINE_EXCEEDED,
          Status.Code.ABORTED,
          Status.Code.OUT_OF_RANGE,
          Status.Code.UNAVAILABLE,
          Status.Code.DATA_LOSS);

  private final Supplier<String> authority;
  private final String encoding;
  private final CompressorRegistry compressors;
  private @Nullable ManagedChannel channel;
  private String connectedTo = "";

  /**
   * Prepares a wire; nothing is dialled.
   *
   * @param authority host and port, asked for before each request
   */
  public GrpcWire(Supplier<String> authority, Encoding encoding) {
    this(authority, encoding.token(), compressors());
  }

  private GrpcWire(Supplier<String> authority, String encoding, CompressorRegistry compressors) {
    this.authority = authority;
    this.encoding = encoding;
    this.compressors = compressors;
  }

  /** A wire that says gzip and sends bodies as they are: for bodies that are bombs or broken. */
  public static GrpcWire sayingGzip(Supplier<String> authority) {
    CompressorRegistry registry = CompressorRegistry.newEmptyInstance();
    registry.register(new Named("gzip", Encoding.IDENTITY));
    return new GrpcWire(authority, "gzip", registry);
  }

  @Override
  public Reply send(Kind kind, byte[] request) {
    return call(Grpc.export(kind), encoding, request);
  }

  /** Calls any method with any registered encoding, for requests that are not as they should be. */
  public Reply call(String service, String method, String withEncoding, byte[] request) {
    return call(Grpc.method(service, method), withEncoding, request);
  }

  private Reply call(MethodDescriptor<byte[], byte[]> method, String withEncoding, byte[] request) {
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
    if (!withEncoding.equals("identity")) {
      options = options.withCompression(withEncoding);
    }
    try {
      byte[] response = ClientCalls.blockingUnaryCall(channel(), method, options, request);
      return new Reply(response.length == 0, false, "OK", null, ByteString.copyFrom(response));
    } catch (StatusRuntimeException e) {
      return refusal(e);
    }
  }

  @Override
  public void close() {
    ManagedChannel open = channel;
    channel = null;
    if (open != null) {
      open.shutdownNow();
    }
  }

  private static Reply refusal(StatusRuntimeException e) {
    Duration retryAfter = retryInfo(e.getTrailers());
    Status.Code code = e.getStatus().getCode();
    // A cause is never on the wire: the connection ended without an answer.
    boolean unanswered = e.getStatus().getCause() instanceof IOException;
    boolean retryable =
        unanswered
            || RETRYABLE.contains(code)
            || (code == Status.Code.RESOURCE_EXHAUSTED && retryAfter != null);
    return new Reply(
        false,
        retryable,
        code + ": " + e.getStatus().getDescription(),
        retryAfter,
        ByteString.EMPTY);
  }

  private ManagedChannel channel() {
    String now = authority.get();
    ManagedChannel open = channel;
    if (open == null || !now.equals(connectedTo)) {
      close();
      open =
          NettyChannelBuilder.forTarget("dns:///" + now)
              .usePlaintext()
              .directExecutor()
              .compressorRegistry(compressors)
              .build();
      channel = open;
      connectedTo = now;
    }
    // Without it a channel that met a dead relay waits before it dials again.
    open.resetConnectBackoff();
    return open;
  }

  private static CompressorRegistry compressors() {
    CompressorRegistry registry = CompressorRegistry.newEmptyInstance();
    registry.register(Codec.Identity.NONE);
    registry.register(new Codec.Gzip());
    registry.register(new Named("zstd", Encoding.ZSTD));
    registry.register(new Named("br", Encoding.IDENTITY));
    return registry;
  }

  /** google.rpc.Status.details = 3: Any.value = 2: RetryInfo.retry_delay = 1. */
  private static @Nullable Duration retryInfo(@Nullable Metadata trailers) {
    byte[] details = trailers == null ? null : trailers.get(DETAILS);
    if (details == null) {
      return null;
    }
    try {
      byte[] any = field(details, 3);
      byte[] delay = any == null ? null : field(field(any, 2), 1);
      return delay == null ? null : duration(delay);
    } catch (IOException e) {
      throw new AssertionError("grpc-status-details-bin is no google.rpc.Status", e);
    }
  }

  private static byte @Nullable [] field(byte @Nullable [] message, int number) throws IOException {
    CodedInputStream in = CodedInputStream.newInstance(message == null ? new byte[0] : message);
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (WireFormat.getTagFieldNumber(tag) == number
          && WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED) {
        return in.readByteArray();
      }
      in.skipField(tag);
    }
    return null;
  }

  private static Duration duration(byte[] message) throws IOException {
    CodedInputStream in = CodedInputStream.newInstance(message);
    Duration duration = Duration.ZERO;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 1 -> duration = duration.plusSeconds(in.readInt64());
        case 2 -> duration = duration.plusNanos(in.readInt32());
        default -> in.skipField(tag);
      }
    }
    return duration;
  }

  private record Named(String name, Encoding encoding) implements io.grpc.Compressor {
    @Override
    public String getMessageEncoding() {
      return name;
    }

    @Override
    public OutputStream compress(OutputStream out) throws IOException {
      return encoding.compressing(out);
    }
  }
}
