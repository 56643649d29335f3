package io.spillway.receivers;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/1.1 connection. It has one request at a time and reads no further while that one is
 * being answered, so pipelined requests are answered in order and wait in the sender's socket.
 *
 * <pre>
 *   HEAD ──▶ TURN ──answered──▶ HEAD, or LINGER if we close
 * </pre>
 *
 * <p>Closing while the sender is in the middle of a body would reset the connection and take the
 * answer with it. So our side is closed after the answer, and the rest is read and thrown away
 * until the sender closes too (LINGER; RFC 9112 §9.6).
 *
 * <p>Used by the event loop of the connection.
 */
final class HttpConnection extends ChannelInboundHandlerAdapter {
  private final HttpServer server;
  private final Deadline deadline;

  /** Decoded parts that wait for the answer before them; bounded by what one read brings. */
  private final Deque<HttpObject> pending = new ArrayDeque<>();

  private State state = State.HEAD;
  private boolean pumping;
  private boolean inputEnded;
  private @Nullable Turn turn;

  HttpConnection(HttpServer server, EventExecutor executor) {
    this.server = server;
    this.deadline = new Deadline(executor);
  }

  private enum State {
    HEAD,
    TURN,
    LINGER,
    CLOSED
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    awaitHead(ctx);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object part) {
    pending.add((HttpObject) part);
    pump(ctx);
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    readOn(ctx);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      inputEnded = true;
      pump(ctx);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    state = State.CLOSED;
    if (turn != null) {
      turn.exchange.abandon();
    }
    leave();
  }

  private void leave() {
    deadline.disarm();
    pending.forEach(ReferenceCountUtil::release);
    pending.clear();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    server.connectionFailed(cause);
    close(ctx);
  }

  /** Works through what was decoded, up to where an answer has to be waited for. Never nests. */
  private void pump(ChannelHandlerContext ctx) {
    if (pumping) {
      return;
    }
    pumping = true;
    try {
      for (HttpObject part; takesInput() && (part = pending.poll()) != null; ) {
        takeAndRelease(ctx, part);
      }
    } finally {
      pumping = false;
    }
    if (inputEnded && takesInput()) {
      close(ctx);
    }
  }

  private void takeAndRelease(ChannelHandlerContext ctx, HttpObject part) {
    try {
      if (state == State.HEAD && part instanceof HttpRequest head) {
        takeHead(ctx, head);
      } else if (state == State.TURN && turn != null && part instanceof HttpContent content) {
        takeBody(turn.exchange, content);
      }
    } finally {
      ReferenceCountUtil.release(part);
    }
  }

  private boolean takesInput() {
    return switch (state) {
      case HEAD, LINGER -> true;
      case TURN -> turn != null && turn.exchange.takesBody();
      case CLOSED -> false;
    };
  }

  private void readOn(ChannelHandlerContext ctx) {
    if (takesInput()) {
      ctx.read();
    }
  }

  private void awaitHead(ChannelHandlerContext ctx) {
    state = State.HEAD;
    turn = null;
    deadline.arm(server.timeouts().head(), () -> close(ctx));
  }

  private void takeHead(ChannelHandlerContext ctx, HttpRequest head) {
    state = State.TURN;
    deadline.disarm();
    boolean readable = head.decoderResult().isSuccess();
    HttpFraming framing = readable ? HttpFraming.of(head) : HttpFraming.UNKNOWN;
    Turn next = new Turn(ctx, framing, readable ? Http2Upgrade.asked(ctx, head) : null);
    turn = next;
    if (readable) {
      next.exchange.start(head);
    } else {
      next.answer(garbage(head.decoderResult().cause()), false, () -> {});
    }
  }

  private static void takeBody(HttpExchange exchange, HttpContent content) {
    if (content.decoderResult().isFailure()) {
      exchange.damaged("damaged chunked body");
    } else {
      exchange.take(content.content(), content instanceof LastHttpContent);
    }
  }

  private static FullHttpResponse garbage(Throwable cause) {
    HttpResponseStatus status =
        switch (cause) {
          case TooLongHttpLineException line -> HttpResponseStatus.REQUEST_URI_TOO_LONG;
          case TooLongHttpHeaderException headers ->
              HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE;
          default -> HttpResponseStatus.BAD_REQUEST;
        };
    return HttpReply.refusal(status, "not an HTTP/1.1 request: " + cause.getMessage(), false);
  }

  /** Our side of the connection is done; the sender may still be sending. */
  private void linger(ChannelHandlerContext ctx) {
    state = State.LINGER;
    deadline.arm(server.timeouts().linger(), () -> close(ctx));
    HttpServer.endOutput(ctx);
  }

  private static void close(ChannelHandlerContext ctx) {
    ChannelFuture _ = ctx.close();
  }

  /** One request and its answer. */
  private final class Turn implements HttpCarrier {
    private final ChannelHandlerContext ctx;
    private final HttpFraming framing;
    private final HttpExchange exchange;

    /** The settings of a sender that wants to go on in HTTP/2. */
    private final @Nullable Http2Settings upgrade;

    Turn(ChannelHandlerContext ctx, HttpFraming framing, @Nullable Http2Settings upgrade) {
      this.ctx = ctx;
      this.framing = framing;
      this.upgrade = upgrade;
      this.exchange = new HttpExchange(server, this, framing);
    }

    @Override
    public EventExecutor executor() {
      return ctx.executor();
    }

    @Override
    public SenderConnection connection() {
      return SenderConnection.of(ctx.channel());
    }

    @Override
    public Deadline deadline() {
      return deadline;
    }

    @Override
    public void askForBody() {
      ChannelFuture _ =
          ctx.writeAndFlush(
              new DefaultFullHttpResponse(
                  HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER));
    }

    @Override
    public void answer(FullHttpResponse response, boolean bodyRead, Runnable done) {
      if (state == State.CLOSED) {
        ReferenceCountUtil.release(response);
        done.run();
        return;
      }
      boolean close = !bodyRead || !framing.keepAlive() || server.isStopping();
      if (upgrade != null && !close && pending.isEmpty() && !inputEnded) {
        state = State.CLOSED;
        leave();
        Http2Upgrade.perform(ctx, server, upgrade, new Http2Upgrade.First(response, done));
        return;
      }
      HttpUtil.setKeepAlive(response.headers(), framing.version(), !close);
      deadline.arm(server.timeouts().write(), () -> close(ctx));
      ChannelFuture _ =
          ctx.writeAndFlush(response)
              .addListener(
                  (ChannelFuture written) -> {
                    done.run();
                    written(written.isSuccess(), close);
                  });
    }

    private void written(boolean success, boolean close) {
      if (state == State.CLOSED) {
        return;
      }
      if (!success) {
        close(ctx);
        return;
      }
      if (close) {
        linger(ctx);
      } else {
        awaitHead(ctx);
      }
      pump(ctx);
      readOn(ctx);
    }
  }
}
