package io.spillway.receivers;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.HttpConversionUtil;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.EventExecutor;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/2 stream: one request and its answer (RFC 9113 §8.1). What goes wrong here ends the
 * stream and leaves the connection to the others. Used by the event loop of the connection.
 */
final class Http2Stream extends ChannelInboundHandlerAdapter {
  private static final String CONTINUE = "100";

  private final HttpServer server;
  private final Http2Upgrade.@Nullable First first;
  private @Nullable HttpExchange exchange;

  /**
   * @param first what to answer, if the request was read in HTTP/1.1
   */
  Http2Stream(HttpServer server, Http2Upgrade.@Nullable First first) {
    this.server = server;
    this.first = first;
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    if (first != null) {
      new Carrier(ctx).answer(first.response(), true, first.done());
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object frame) {
    try {
      switch (frame) {
        case Http2HeadersFrame headers -> takeHeaders(ctx, headers);
        case Http2DataFrame data -> take(data.content(), data.isEndStream());
        default -> {}
      }
    } finally {
      ReferenceCountUtil.release(frame);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (exchange != null) {
      exchange.abandon();
    }
  }

  /** What is wrong with the sender's frames is told to it by the codec, which also closes. */
  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (!(cause instanceof Http2Exception)) {
      server.connectionFailed(cause);
      ChannelFuture _ = ctx.close();
    }
  }

  private void takeHeaders(ChannelHandlerContext ctx, Http2HeadersFrame frame) {
    if (exchange == null) {
      start(ctx, frame.headers(), frame.isEndStream());
    } else {
      take(Unpooled.EMPTY_BUFFER, frame.isEndStream());
    }
  }

  private void start(ChannelHandlerContext ctx, Http2Headers headers, boolean ended) {
    if (headers.path() == null) {
      // CONNECT has none.
      reset(ctx, Http2Error.PROTOCOL_ERROR);
      return;
    }
    HttpRequest head;
    HttpFraming framing;
    try {
      head = HttpConversionUtil.toHttpRequest(0, headers, true);
      framing = HttpFraming.ofStream(head, ended);
    } catch (Http2Exception | IllegalArgumentException e) {
      reset(ctx, Http2Error.PROTOCOL_ERROR);
      return;
    }
    HttpExchange started = new HttpExchange(server, new Carrier(ctx), framing);
    exchange = started;
    started.start(head);
    if (ended) {
      take(Unpooled.EMPTY_BUFFER, true);
    }
  }

  private void take(ByteBuf content, boolean last) {
    if (exchange != null) {
      exchange.take(content, last);
    }
  }

  private static void reset(ChannelHandlerContext ctx, Http2Error error) {
    ChannelFuture _ =
        ctx.writeAndFlush(new DefaultHttp2ResetFrame(error))
            .addListener(ChannelFutureListener.CLOSE);
  }

  private final class Carrier implements HttpCarrier {
    private final ChannelHandlerContext ctx;
    private final Deadline deadline;

    Carrier(ChannelHandlerContext ctx) {
      this.ctx = ctx;
      this.deadline = new Deadline(ctx.executor());
    }

    @Override
    public EventExecutor executor() {
      return ctx.executor();
    }

    @Override
    public SenderConnection connection() {
      return SenderConnection.of(ctx.channel().parent());
    }

    @Override
    public Deadline deadline() {
      return deadline;
    }

    @Override
    public void askForBody() {
      Http2Headers headers = new DefaultHttp2Headers().status(CONTINUE);
      ChannelFuture _ = ctx.writeAndFlush(new DefaultHttp2HeadersFrame(headers));
    }

    @Override
    public void answer(FullHttpResponse response, boolean bodyRead, Runnable done) {
      if (!ctx.channel().isActive()) {
        ReferenceCountUtil.release(response);
        done.run();
        return;
      }
      deadline.arm(server.timeouts().write(), () -> reset(ctx, Http2Error.CANCEL));
      ChannelFuture _ =
          write(response)
              .addListener(
                  (ChannelFuture written) -> {
                    deadline.disarm();
                    done.run();
                    if (!bodyRead || !written.isSuccess()) {
                      // The sender may stop sending; its answer is complete (RFC 9113 §8.1).
                      reset(ctx, Http2Error.NO_ERROR);
                    }
                  });
    }

    private ChannelFuture write(FullHttpResponse response) {
      Http2Headers headers = HttpConversionUtil.toHttp2Headers(response, false);
      ByteBuf body = response.content();
      if (!body.isReadable()) {
        response.release();
        return ctx.writeAndFlush(new DefaultHttp2HeadersFrame(headers, true));
      }
      ChannelFuture _ = ctx.write(new DefaultHttp2HeadersFrame(headers));
      return ctx.writeAndFlush(new DefaultHttp2DataFrame(body, true));
    }
  }
}
