package io.spillway.exporters;

import io.grpc.Decompressor;
import io.grpc.DecompressorRegistry;
import io.grpc.Grpc;
import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslProvider;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.rpc.ExportResponse;
import io.spillway.otlp.rpc.RpcStatus;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** A gRPC-Java server that keeps request bodies as they came, compressed or not. */
final class GrpcSink implements Sink {
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private final Server server;
  private final List<Received> received = new CopyOnWriteArrayList<>();
  private final List<String> clients = new CopyOnWriteArrayList<>();
  private final List<Runnable> heldCalls = new CopyOnWriteArrayList<>();
  private final AtomicInteger abandoned = new AtomicInteger();
  private volatile boolean holding;

  /** What is done with each request. */
  volatile Script script = call -> answer(call, new byte[0]);

  /** One answer. */
  interface Script {
    void run(ServerCall<Slice, Slice> call);
  }

  GrpcSink(int port, @Nullable Tls tls) {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
            .maxInboundMessageSize(64 << 20)
            .decompressorRegistry(
                DecompressorRegistry.emptyInstance()
                    .with(new AsItCame("gzip"), true)
                    .with(new AsItCame("zstd"), true))
            .fallbackHandlerRegistry(new Methods());
    try {
      if (tls != null) {
        var context =
            GrpcSslContexts.configure(
                io.netty.handler.ssl.SslContextBuilder.forServer(
                    tls.server().certificate().toFile(), tls.server().key().toFile()),
                SslProvider.JDK);
        if (tls.trustedClients() != null) {
          context.trustManager(tls.trustedClients().toFile()).clientAuth(ClientAuth.REQUIRE);
        }
        builder.sslContext(context.build());
      }
      server = builder.build().start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void answer(ServerCall<Slice, Slice> call, byte[] message) {
    call.sendHeaders(new Metadata());
    call.sendMessage(Slice.of(message));
    call.close(Status.OK, new Metadata());
  }

  static void fail(ServerCall<Slice, Slice> call, Status status, @Nullable Duration after) {
    Metadata trailers = new Metadata();
    if (after != null) {
      trailers.put(DETAILS, new RpcStatus(status.getCode().value(), "", after).toProtobuf());
    }
    call.close(status, trailers);
  }

  @Override
  public int port() {
    return server.getPort();
  }

  @Override
  public List<Received> received() {
    return received;
  }

  @Override
  public List<String> clients() {
    return clients;
  }

  @Override
  public void answerPartialSuccess(long rejected, String message) {
    script = call -> answer(call, new ExportResponse(rejected, message).toProtobuf());
  }

  @Override
  public void answerThrottled(Duration after) {
    script = call -> fail(call, Status.UNAVAILABLE, after);
  }

  @Override
  public void hold() {
    holding = true;
  }

  @Override
  public void release() {
    holding = false;
    heldCalls.forEach(Runnable::run);
    heldCalls.clear();
  }

  @Override
  public int abandoned() {
    return abandoned.get();
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Methods extends HandlerRegistry {
    @Override
    public @Nullable ServerMethodDefinition<?, ?> lookupMethod(
        String name, @Nullable String authority) {
      return Arrays.stream(Signal.values())
          .filter(signal -> name.equals(signal.grpcService() + "/Export"))
          .map(signal -> ServerMethodDefinition.create(method(name), handler(signal)))
          .findAny()
          .orElse(null);
    }
  }

  private static String client(@Nullable SSLSession session) {
    try {
      return session == null ? "" : session.getPeerPrincipal().getName();
    } catch (SSLPeerUnverifiedException e) {
      return "";
    }
  }

  private static MethodDescriptor<Slice, Slice> method(String name) {
    return MethodDescriptor.<Slice, Slice>newBuilder()
        .setType(MethodDescriptor.MethodType.UNARY)
        .setFullMethodName(name)
        .setRequestMarshaller(SliceMarshaller.INSTANCE)
        .setResponseMarshaller(SliceMarshaller.INSTANCE)
        .build();
  }

  private ServerCallHandler<Slice, Slice> handler(Signal signal) {
    return (call, metadata) -> {
      Map<String, String> headers = new HashMap<>();
      for (String key : metadata.keys()) {
        if (!key.endsWith("-bin")) {
          headers.put(key, metadata.get(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER)));
        }
      }
      call.request(2);
      return new ServerCall.Listener<>() {
        private boolean held;

        @Override
        public void onMessage(Slice message) {
          clients.add(client(call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION)));
          received.add(new Received(signal, headers, message));
        }

        @Override
        public void onHalfClose() {
          if (holding) {
            held = true;
            heldCalls.add(
                () -> {
                  if (!call.isCancelled()) {
                    script.run(call);
                  }
                });
          } else {
            script.run(call);
          }
        }

        @Override
        public void onCancel() {
          if (held) {
            abandoned.incrementAndGet();
          }
        }
      };
    };
  }

  /** Takes a compression by name and leaves the bytes alone. */
  private record AsItCame(String name) implements Decompressor {
    @Override
    public String getMessageEncoding() {
      return name;
    }

    @Override
    public InputStream decompress(InputStream in) {
      return in;
    }
  }
}
