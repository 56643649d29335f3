package io.spillway.receivers;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Compressor;
import io.grpc.CompressorRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.spillway.otlp.Signal;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** An ordinary gRPC client that sends bytes, under whatever encoding it is told to claim. */
final class GrpcSender implements AutoCloseable {
  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };

  /** gRPC has none of its own for sockets of files. */
  private static final EventLoopGroup THREADS =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("unix-sender", true), NioIoHandler.newFactory());

  private final ManagedChannel channel;

  GrpcSender(InetSocketAddress address) {
    this(NettyChannelBuilder.forAddress(address));
  }

  /** One that sends through a Unix domain socket. */
  static GrpcSender unix(Path file) {
    return new GrpcSender(
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(file))
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .eventLoopGroup(THREADS)
            .overrideAuthority("relay"));
  }

  private GrpcSender(NettyChannelBuilder builder) {
    CompressorRegistry compressors = CompressorRegistry.newEmptyInstance();
    for (String encoding : List.of("gzip", "zstd", "snappy", "br", "identity")) {
      compressors.register(new AsItIs(encoding));
    }
    channel = builder.usePlaintext().disableRetry().compressorRegistry(compressors).build();
  }

  ManagedChannel channel() {
    return channel;
  }

  /** Sends one request and waits for its end. */
  Result export(byte[] body) {
    return start(Signal.TRACES.grpcService(), CallOptions.DEFAULT, List.of(body)).join();
  }

  /** Sends one request that claims to be compressed. */
  Result export(String encoding, byte[] body) {
    CallOptions options = CallOptions.DEFAULT.withCompression(encoding);
    return start(Signal.TRACES.grpcService(), options, List.of(body)).join();
  }

  CompletableFuture<Result> start(String service, CallOptions options, List<byte[]> messages) {
    MethodDescriptor<byte[], byte[]> method =
        MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.CLIENT_STREAMING)
            .setFullMethodName(service + "/Export")
            .setRequestMarshaller(BYTES)
            .setResponseMarshaller(BYTES)
            .build();
    ClientCall<byte[], byte[]> call = channel.newCall(method, withDeadline(options));
    CompletableFuture<Result> result = new CompletableFuture<>();
    call.start(new ResultListener(result), new Metadata());
    call.request(1);
    call.setMessageCompression(true);
    messages.forEach(call::sendMessage);
    call.halfClose();
    return result;
  }

  private static CallOptions withDeadline(CallOptions options) {
    return options.getDeadline() == null
        ? options.withDeadlineAfter(20, TimeUnit.SECONDS)
        : options;
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  private static final class ResultListener extends ClientCall.Listener<byte[]> {
    private final CompletableFuture<Result> result;
    private byte[] response;

    ResultListener(CompletableFuture<Result> result) {
      this.result = result;
    }

    @Override
    public void onMessage(byte[] message) {
      response = message;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      result.complete(new Result(status, trailers, response));
    }
  }

  /** Lets bytes through that are compressed already, or only claim to be. */
  private record AsItIs(String encoding) implements Compressor {
    @Override
    public String getMessageEncoding() {
      return encoding;
    }

    @Override
    public OutputStream compress(OutputStream out) {
      return out;
    }
  }

  /** How a call ended. Not a record, because of its array. */
  static final class Result {
    private final Status status;
    private final Metadata trailers;
    private final byte[] response;

    Result(Status status, Metadata trailers, byte[] response) {
      this.status = status;
      this.trailers = trailers;
      this.response = response;
    }

    Status.Code code() {
      return status.getCode();
    }

    @Override
    public String toString() {
      return status.toString();
    }

    String description() {
      return status.getDescription();
    }

    Metadata trailers() {
      return trailers;
    }

    /** Null if there was none. */
    byte[] response() {
      return response;
    }
  }
}
