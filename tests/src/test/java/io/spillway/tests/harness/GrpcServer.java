package io.spillway.tests.harness;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.grpc.Codec;
import io.grpc.Decompressor;
import io.grpc.DecompressorRegistry;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The OTLP/gRPC side of a {@link CapturingSink}. */
final class GrpcServer implements CapturingSink.Server {

  private static final int MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);
  private static final io.grpc.Context.Key<Map<String, String>> HEADERS =
      io.grpc.Context.key("headers");

  private final CapturingSink sink;
  private final Server server;

  GrpcServer(CapturingSink sink) {
    this.sink = sink;
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .decompressorRegistry(
                DecompressorRegistry.getDefaultInstance()
                    .with(Codec.Identity.NONE, true)
                    .with(new Zstd(), true));
    for (Kind kind : Kind.values()) {
      builder.addService(ServerInterceptors.intercept(service(kind), GrpcServer::keepHeaders));
    }
    try {
      server = builder.build().start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public int port() {
    return server.getPort();
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private ServerServiceDefinition service(Kind kind) {
    var method = Grpc.export(kind);
    return ServerServiceDefinition.builder(
            ServiceDescriptor.newBuilder(kind.grpcService()).addMethod(method).build())
        .addMethod(method, ServerCalls.asyncUnaryCall((body, reply) -> serve(kind, body, reply)))
        .build();
  }

  private void serve(Kind kind, byte[] body, StreamObserver<byte[]> reply) {
    Map<String, String> headers = HEADERS.get();
    Encoding encoding = Encoding.ofToken(headers.getOrDefault("grpc-encoding", "identity"));
    try {
      answer(
          sink.take(new CapturedRequest(kind, encoding, headers, ByteString.copyFrom(body))),
          reply);
    } catch (IOException e) {
      reply.onError(Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException());
    }
  }

  private static void answer(@Nullable Fault fault, StreamObserver<byte[]> reply) {
    switch (fault) {
      case null -> succeed(new byte[0], reply);
      case Fault.PartlyRejecting(int rejected, String message) ->
          succeed(Grpc.partialSuccess(rejected, message), reply);
      case Fault.Answering(_, Status.Code code, Duration retryAfter) ->
          reply.onError(
              Status.fromCode(code)
                  .withDescription("as told")
                  .asRuntimeException(retryInfo(code, retryAfter)));
      // The call stays open until its client gives it up.
      case Fault.Hanging _, Fault.Playing _, Fault.Refused _, Fault.Resetting _ -> {}
    }
  }

  private static void succeed(byte[] response, StreamObserver<byte[]> reply) {
    reply.onNext(response);
    reply.onCompleted();
  }

  private static @Nullable Metadata retryInfo(Status.Code code, @Nullable Duration retryAfter) {
    if (retryAfter == null) {
      return null;
    }
    Metadata trailers = new Metadata();
    trailers.put(DETAILS, rpcStatus(code.value(), retryAfter));
    return trailers;
  }

  /** google.rpc.Status{code = 1, details = 3: Any{type_url = 1, value = 2: RetryInfo}}. */
  private static byte[] rpcStatus(int code, Duration retryAfter) {
    byte[] duration = message(out -> out.writeInt64(1, retryAfter.toSeconds()));
    byte[] retryInfo = message(out -> out.writeByteArray(1, duration));
    byte[] any =
        message(
            out -> {
              out.writeString(1, "type.googleapis.com/google.rpc.RetryInfo");
              out.writeByteArray(2, retryInfo);
            });
    return message(
        out -> {
          out.writeInt32(1, code);
          out.writeByteArray(3, any);
        });
  }

  private interface Fields {
    void write(CodedOutputStream out) throws IOException;
  }

  private static byte[] message(Fields fields) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      CodedOutputStream out = CodedOutputStream.newInstance(bytes);
      fields.write(out);
      out.flush();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static <Q, R> ServerCall.Listener<Q> keepHeaders(
      ServerCall<Q, R> call, Metadata metadata, ServerCallHandler<Q, R> next) {
    Map<String, String> headers = new HashMap<>();
    for (String name : metadata.keys()) {
      if (!name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
        headers.put(name, metadata.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER)));
      }
    }
    io.grpc.Context context = io.grpc.Context.current().withValue(HEADERS, Map.copyOf(headers));
    return io.grpc.Contexts.interceptCall(context, call, metadata, next);
  }

  private static final class Zstd implements Decompressor {
    @Override
    public String getMessageEncoding() {
      return "zstd";
    }

    @Override
    public InputStream decompress(InputStream in) throws IOException {
      return Encoding.ZSTD.decompressing(in);
    }
  }
}
