package io.spillway.receivers;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http2.DefaultHttp2GoAwayFrame;
import io.netty.handler.codec.http2.DefaultHttp2WindowUpdateFrame;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/2 connection (RFC 9113). Each stream is a channel of its own with one {@link
 * Http2Stream} in it; this is what they share: how many there may be, how long a connection without
 * any is kept, and the end. Used by the event loop of the connection.
 *
 * <p>A body is copied out of its frames as they come, so that the flow-control windows hold no
 * memory: they bound what is under way, and the admission bounds what is kept.
 */
final class Http2Connection extends ChannelInboundHandlerAdapter {
  /**
   * Bounds what one connection can have in memory at once; a stream beyond it is refused unread.
   */
  static final int MAX_STREAMS_PER_CONNECTION = 256;

  /** Bytes that may be under way on one stream, and on the connection. */
  private static final int WINDOW_BYTES = 1 << 20;

  private final HttpServer server;
  private final Http2FrameCodec codec;
  private @Nullable Deadline deadline;
  private Http2Upgrade.@Nullable First first;
  private int openStreams;
  private boolean goingAway;

  /**
   * @param first what stream 1 answers, if the connection comes from an upgrade
   */
  Http2Connection(HttpServer server, Http2Upgrade.@Nullable First first) {
    this.server = server;
    this.first = first;
    this.codec =
        Http2HeadRefusal.codec()
            .initialSettings(
                Http2Settings.defaultSettings()
                    .maxConcurrentStreams(MAX_STREAMS_PER_CONNECTION)
                    .initialWindowSize(WINDOW_BYTES)
                    .maxHeaderListSize(HttpServer.MAX_HEADER_BYTES))
            .validateRequiredPseudoHeaders(true)
            .decoupleCloseAndGoAway(true)
            .build();
  }

  void addTo(ChannelPipeline pipeline) {
    pipeline.addLast(codec, new Http2MultiplexHandler(new Streams()), this);
  }

  /** Opens stream 1, whose request was read in HTTP/1.1. */
  void upgraded(Http2Settings settings) throws Http2Exception {
    codec.onHttpServerUpgrade(settings);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    deadline = new Deadline(ctx.executor());
    ctx.channel().config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, false);
    ctx.channel().config().setAutoRead(true);
    ChannelFuture _ =
        ctx.writeAndFlush(
            new DefaultHttp2WindowUpdateFrame(WINDOW_BYTES - Http2CodecUtil.DEFAULT_WINDOW_SIZE));
    if (server.isStopping()) {
      goAway(ctx);
    } else {
      awaitStream(ctx);
    }
  }

  /** Settings, pings and the like: the codec has done what they ask for. */
  @Override
  public void channelRead(ChannelHandlerContext ctx, Object frame) {
    ReferenceCountUtil.release(frame);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event == HttpServer.Stopping.NOW) {
      goAway(ctx);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (deadline != null) {
      deadline.disarm();
    }
  }

  /** What is wrong with the sender's frames is told to it by the codec, which also closes. */
  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (!(cause instanceof Http2Exception)) {
      server.connectionFailed(cause);
      close(ctx);
    }
  }

  private void awaitStream(ChannelHandlerContext ctx) {
    if (deadline != null) {
      deadline.arm(server.timeouts().head(), () -> goAway(ctx));
    }
  }

  private void streamOpened() {
    openStreams++;
    if (deadline != null && !goingAway) {
      deadline.disarm();
    }
  }

  private void streamClosed(ChannelHandlerContext ctx) {
    openStreams--;
    if (openStreams > 0 || !ctx.channel().isActive()) {
      return;
    }
    if (goingAway) {
      linger(ctx);
    } else {
      awaitStream(ctx);
    }
  }

  /**
   * Takes no more streams; those that are open are answered. The sender learns which they are, and
   * sends others again elsewhere.
   */
  private void goAway(ChannelHandlerContext ctx) {
    if (goingAway) {
      return;
    }
    goingAway = true;
    ChannelFuture _ = ctx.writeAndFlush(new DefaultHttp2GoAwayFrame(Http2Error.NO_ERROR));
    if (openStreams == 0) {
      linger(ctx);
    }
  }

  private void linger(ChannelHandlerContext ctx) {
    if (deadline != null) {
      deadline.arm(server.timeouts().linger(), () -> close(ctx));
    }
    HttpServer.endOutput(ctx);
  }

  private static void close(ChannelHandlerContext ctx) {
    ChannelFuture _ = ctx.close();
  }

  private Http2Upgrade.@Nullable First takeFirst(int streamId) {
    Http2Upgrade.First taken = Http2Upgrade.isFirst(streamId) ? first : null;
    first = null;
    return taken;
  }

  private final class Streams extends ChannelInitializer<Http2StreamChannel> {
    @Override
    protected void initChannel(Http2StreamChannel stream) {
      Channel connection = stream.parent();
      streamOpened();
      stream
          .closeFuture()
          .addListener(
              closed -> {
                ChannelHandlerContext ctx = connection.pipeline().context(Http2Connection.this);
                if (ctx != null) {
                  streamClosed(ctx);
                }
              });
      stream.pipeline().addLast(new Http2Stream(server, takeFirst(stream.stream().id())));
    }
  }
}
