package io.spillway.receivers;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.ChannelGroupFuture;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.ssl.SslHandler;
import io.spillway.otlp.stage.Answer;
import java.io.IOException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The OTLP/HTTP endpoint: HTTP/1.1 and HTTP/2 on Netty. Safe on any thread. */
final class HttpServer {
  static final int MAX_REQUEST_LINE_BYTES = 8 << 10;
  static final int MAX_HEADER_BYTES = 16 << 10;

  /** The answer to requests that come while the receiver closes. */
  static final Answer STOPPING =
      new Answer.Unavailable(
          0, Duration.ofSeconds(1), "receiver otlp: closing. Send the request again later.");

  private static final int BACKLOG = 1024;
  private static final int MAX_IN_FLIGHT = Integer.MAX_VALUE;

  private static final Logger LOG = LoggerFactory.getLogger(OtlpReceiver.class);

  private final int maxRequestBytes;
  private final HttpService service;
  private final @Nullable OriginPolicy origins;
  private final HttpTimeouts timeouts;
  private final Intake intake;
  private final ChannelGroup connections;
  private final HttpAccess access;
  private final Channel listening;
  private final RepeatedWarning connectionFailures = new RepeatedWarning(LOG, System::nanoTime);

  /** One permit for each request that may be in flight. Whoever holds all of them is the last. */
  private final Semaphore inFlight = new Semaphore(MAX_IN_FLIGHT);

  private volatile boolean stopping;

  HttpServer(
      Listener listener,
      int maxRequestBytes,
      HttpService service,
      HttpTimeouts timeouts,
      Intake intake,
      EventLoopGroup acceptors,
      EventLoopGroup workers)
      throws IOException {
    this.maxRequestBytes = maxRequestBytes;
    this.service = service;
    Cors cors = service.cors();
    this.origins = cors == null ? null : new OriginPolicy(cors);
    this.timeouts = timeouts;
    this.intake = intake;
    this.access = new HttpAccess(listener.access(), listener.events());
    this.connections = new DefaultChannelGroup(acceptors.next(), true);
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(acceptors, workers)
            .channelFactory(listener.channels())
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .childOption(ChannelOption.AUTO_READ, false)
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childHandler(new Connections());
    if (listener.isNetwork()) {
      bootstrap
          .option(ChannelOption.SO_REUSEADDR, true)
          .childOption(ChannelOption.TCP_NODELAY, true);
    }
    ChannelFuture bound = bootstrap.bind(listener.address()).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(bound.cause());
    }
    this.listening = bound.channel();
  }

  int maxRequestBytes() {
    return maxRequestBytes;
  }

  HttpService service() {
    return service;
  }

  /** Null if scripts of pages have nothing to send here. */
  @Nullable OriginPolicy origins() {
    return origins;
  }

  HttpTimeouts timeouts() {
    return timeouts;
  }

  Intake intake() {
    return intake;
  }

  HttpAccess access() {
    return access;
  }

  SocketAddress address() {
    return listening.localAddress();
  }

  /** Serves a connection in HTTP/1.1. */
  void serveHttp1(ChannelPipeline pipeline) {
    HttpDecoderConfig limits =
        new HttpDecoderConfig()
            .setMaxInitialLineLength(MAX_REQUEST_LINE_BYTES)
            .setMaxHeaderSize(MAX_HEADER_BYTES);
    pipeline.addLast(
        new HttpServerCodec(limits), new HttpConnection(this, pipeline.channel().eventLoop()));
  }

  /** Serves a connection in HTTP/2. */
  void serveHttp2(ChannelPipeline pipeline) {
    new Http2Connection(this, null).addTo(pipeline);
  }

  /** Closes our side of a connection, after what was written. */
  static void endOutput(ChannelHandlerContext ctx) {
    SslHandler tls = ctx.pipeline().get(SslHandler.class);
    if (tls == null) {
      ChannelFuture _ = ((DuplexChannel) ctx.channel()).shutdownOutput();
    } else {
      tls.closeOutbound()
          .addListener(
              ended -> {
                ChannelFuture _ = ((DuplexChannel) ctx.channel()).shutdownOutput();
              });
    }
  }

  boolean isStopping() {
    return stopping;
  }

  /** Lets one request in; false once the server stops. */
  boolean enter() {
    return !stopping && inFlight.tryAcquire();
  }

  /** Ends what {@link #enter} began. */
  void exit() {
    inFlight.release();
  }

  /** A connection failed; says so unless the network or the sender is to blame. */
  void connectionFailed(Throwable cause) {
    if (cause instanceof IOException || cause.getCause() instanceof IOException) {
      return;
    }
    connectionFailures.write(
        "receiver otlp/http: a connection failed and was closed. Its sender will send again.",
        cause);
  }

  /** Takes no more connections; open ones are told so, and get 503 for new requests. */
  void stopAccepting() {
    stopping = true;
    listening.close().awaitUninterruptibly();
    connections.forEach(connection -> connection.pipeline().fireUserEventTriggered(Stopping.NOW));
  }

  /** Waits for the requests in flight until the deadline, then closes all connections. */
  void close(long deadlineNanos) throws InterruptedException {
    stopAccepting();
    try {
      if (inFlight.tryAcquire(
          MAX_IN_FLIGHT, Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS)) {
        inFlight.release(MAX_IN_FLIGHT);
      }
    } finally {
      ChannelGroupFuture _ = connections.close();
    }
  }

  private final class Connections extends ChannelInitializer<Channel> {
    @Override
    protected void initChannel(Channel channel) {
      connections.add(channel);
      intake.connected(channel);
      channel.pipeline().addLast(new HttpVersionDetector(HttpServer.this));
    }
  }

  /** What connections hear when the server stops. */
  enum Stopping {
    NOW
  }
}
