package io.spillway.receivers;

import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.ssl.SslContext;
import io.spillway.otlp.Signal;
import java.io.IOException;
import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.logging.Logger;

/** The OTLP/gRPC endpoint: gRPC-Java on Netty, with bytes for messages. */
final class GrpcServer {
  /** Bounds what one connection can have in memory at once. */
  static final int MAX_CONCURRENT_CALLS_PER_CONNECTION = 1024;

  /** Kept, like the next, or the garbage collector would take it and the filter with it. */
  private static final Logger STREAM_LOG = Logger.getLogger("io.grpc.netty.NettyServerStream");

  private static final Logger CONNECTION_LOG =
      Logger.getLogger("io.grpc.netty.NettyServerTransport.connections");

  private final Server server;
  private final HealthService health;

  private GrpcServer(Server server, HealthService health) {
    this.server = server;
    this.health = health;
  }

  static GrpcServer start(
      Listener listener,
      Keepalive keepalive,
      HealthService health,
      int maxRequestBytes,
      Intake intake,
      EventLoopGroup acceptors,
      EventLoopGroup workers)
      throws IOException {
    silenceRefusals();
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(listener.address())
            .channelFactory(listener.channels())
            .bossEventLoopGroup(acceptors)
            .workerEventLoopGroup(workers)
            .directExecutor()
            .decompressorRegistry(GrpcBytes.decompressors())
            .maxInboundMessageSize(maxRequestBytes + GrpcBytes.MARKER_BYTES)
            .maxConcurrentCallsPerConnection(MAX_CONCURRENT_CALLS_PER_CONNECTION)
            .addTransportFilter(new GrpcConnections(intake))
            .addStreamTracerFactory(new GrpcCallTracer.Factory(intake));
    keepalive.applyTo(builder);
    SslContext tls = listener.sslContext();
    if (tls != null) {
      builder
          .sslContext(tls)
          .handshakeTimeout(ServerTls.HANDSHAKE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    }
    GrpcAccess access = new GrpcAccess(listener.access(), listener.events());
    GrpcExport export = new GrpcExport(intake, maxRequestBytes);
    for (Signal signal : Signal.values()) {
      ServerServiceDefinition service =
          ServerServiceDefinition.builder(signal.grpcService())
              .addMethod(GrpcBytes.exportMethod(signal), export)
              .build();
      builder.addService(ServerInterceptors.intercept(service, access));
    }
    builder.addService(health.definition());
    return new GrpcServer(builder.build().start(), health);
  }

  /**
   * gRPC logs a stack trace for each message that it refuses for its size or framing, and for each
   * connection that speaks no HTTP/2. Senders choose how often; the listener counts the messages.
   */
  private static void silenceRefusals() {
    STREAM_LOG.setFilter(entry -> !(entry.getThrown() instanceof StatusRuntimeException));
    CONNECTION_LOG.setFilter(entry -> !(entry.getThrown() instanceof Http2Exception));
  }

  SocketAddress address() {
    return server.getListenSockets().getFirst();
  }

  /** Takes no more connections or calls, and tells clients so (GOAWAY). Returns at once. */
  void stopAccepting() {
    health.stop();
    server.shutdown();
  }

  /** Waits for the calls in flight until the deadline, then abandons them. */
  void close(long deadlineNanos) throws InterruptedException {
    stopAccepting();
    try {
      server.awaitTermination(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
    } finally {
      server.shutdownNow();
    }
  }
}
