package io.spillway.receivers;

import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.spillway.otlp.Signal;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.logging.Logger;

/** The OTLP/gRPC endpoint: gRPC-Java on Netty, with bytes for messages. */
final class GrpcServer {
  /** Clients ping idle connections; the default of five minutes would cut many of them off. */
  static final long MIN_PING_INTERVAL_SECONDS = 10;

  /** Bounds what one connection can have in memory at once. */
  static final int MAX_CONCURRENT_CALLS_PER_CONNECTION = 1024;

  /** Kept, or the garbage collector would take it and the filter with it. */
  private static final Logger STREAM_LOG = Logger.getLogger("io.grpc.netty.NettyServerStream");

  private final Server server;

  private GrpcServer(Server server) {
    this.server = server;
  }

  static GrpcServer start(
      InetSocketAddress address,
      int maxRequestBytes,
      Intake intake,
      EventLoopGroup acceptors,
      EventLoopGroup workers)
      throws IOException {
    silenceRefusals();
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(address)
            .channelType(NioServerSocketChannel.class)
            .bossEventLoopGroup(acceptors)
            .workerEventLoopGroup(workers)
            .directExecutor()
            .decompressorRegistry(GrpcBytes.decompressors())
            .maxInboundMessageSize(maxRequestBytes + GrpcBytes.MARKER_BYTES)
            .maxConcurrentCallsPerConnection(MAX_CONCURRENT_CALLS_PER_CONNECTION)
            .permitKeepAliveWithoutCalls(true)
            .permitKeepAliveTime(MIN_PING_INTERVAL_SECONDS, TimeUnit.SECONDS)
            .addStreamTracerFactory(new GrpcCallTracer.Factory(intake));
    GrpcExport export = new GrpcExport(intake, maxRequestBytes);
    for (Signal signal : Signal.values()) {
      builder.addService(
          ServerServiceDefinition.builder(signal.grpcService())
              .addMethod(GrpcBytes.exportMethod(signal), export)
              .build());
    }
    return new GrpcServer(builder.build().start());
  }

  /**
   * gRPC logs a stack trace for each message that it refuses for its size or framing. Senders
   * choose how often, and the listener counts them.
   */
  private static void silenceRefusals() {
    STREAM_LOG.setFilter(entry -> !(entry.getThrown() instanceof StatusRuntimeException));
  }

  InetSocketAddress address() {
    return (InetSocketAddress) server.getListenSockets().getFirst();
  }

  /** Takes no more connections or calls, and tells clients so (GOAWAY). Returns at once. */
  void stopAccepting() {
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
