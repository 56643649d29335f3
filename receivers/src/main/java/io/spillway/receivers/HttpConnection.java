package io.spillway.receivers;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
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
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import io.spillway.otlp.stage.Answer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/1.1 connection. It has one request at a time and reads no further while that one is
 * being answered, so pipelined requests are answered in order and wait in the sender's socket.
 *
 * <pre>
 *   HEAD ──export──▶ BODY ──end──▶ ANSWER ──written──▶ HEAD, or LINGER if we close
 *     └──refused──▶ DISCARD ──end or enough──▶ ANSWER
 * </pre>
 *
 * <p>A refused sender may be in the middle of a large body and not look at the answer before it is
 * through; closing at once would reset the connection and take the answer with it. So a short rest
 * is read first (DISCARD), and when there is more the answer goes out, our side is closed, and the
 * rest is read and thrown away until the sender closes too (LINGER; RFC 9112 §9.6).
 *
 * <p>Only {@link Export#answer} is called by other threads.
 */
final class HttpConnection extends ChannelInboundHandlerAdapter {
  /** Rest of a refused body that is read to keep the connection. */
  static final int MAX_DISCARDED_BYTES = 256 << 10;

  private final HttpServer server;

  /** Decoded parts that wait for the answer before them; bounded by what one read brings. */
  private final Deque<HttpObject> pending = new ArrayDeque<>();

  private State state = State.HEAD;
  private boolean pumping;
  private boolean inputEnded;
  private long discardedBytes;
  private HttpFraming framing = HttpFraming.UNKNOWN;
  private @Nullable Export export;
  private @Nullable FullHttpResponse refusal;
  private @Nullable ScheduledFuture<?> deadline;

  HttpConnection(HttpServer server) {
    this.server = server;
  }

  private enum State {
    HEAD,
    BODY,
    DISCARD,
    ANSWER,
    LINGER,
    CLOSED
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    awaitHead(ctx);
    ctx.read();
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
    if (export != null && state != State.ANSWER) {
      export.abandon();
    }
    state = State.CLOSED;
    disarm();
    pending.forEach(ReferenceCountUtil::release);
    pending.clear();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (!(cause instanceof IOException)) {
      server.connectionFailed(cause);
    }
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
      switch (state) {
        case HEAD -> {
          if (part instanceof HttpRequest head) {
            takeHead(ctx, head);
          }
        }
        case BODY -> {
          if (part instanceof HttpContent content && export != null) {
            takeBody(ctx, export, content);
          }
        }
        case DISCARD -> {
          if (part instanceof HttpContent content && refusal != null) {
            discard(ctx, refusal, content);
          }
        }
        case LINGER, ANSWER, CLOSED -> {}
      }
    } finally {
      ReferenceCountUtil.release(part);
    }
  }

  private boolean takesInput() {
    return state != State.ANSWER && state != State.CLOSED;
  }

  private void readOn(ChannelHandlerContext ctx) {
    if (takesInput()) {
      ctx.read();
    }
  }

  private void awaitHead(ChannelHandlerContext ctx) {
    state = State.HEAD;
    arm(ctx, server.timeouts().head(), () -> close(ctx));
  }

  private void takeHead(ChannelHandlerContext ctx, HttpRequest head) {
    if (head.decoderResult().isFailure()) {
      framing = HttpFraming.UNKNOWN;
      respond(ctx, garbage(head.decoderResult().cause()), false);
      return;
    }
    framing = HttpFraming.of(head);
    switch (server.access().read(head)) {
      case HttpHead.Refused refused -> {
        if (refused.signal() != null) {
          Exchange exchange = server.intake().begin(refused.signal(), Transport.HTTP);
          exchange.settle(new Answer.Invalid(refused.reason()));
        }
        refuse(ctx, refused.response());
      }
      case HttpHead.Accepted accepted -> begin(ctx, accepted);
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

  private void begin(ChannelHandlerContext ctx, HttpHead.Accepted head) {
    Exchange exchange = server.intake().begin(head.signal(), Transport.HTTP);
    if (framing.contentLength() > server.maxRequestBytes()) {
      refuse(ctx, head, exchange, tooLarge("of " + framing.contentLength() + " bytes"));
      return;
    }
    if (!server.enter()) {
      refuse(ctx, head, exchange, HttpServer.STOPPING);
      return;
    }
    export = new Export(ctx, head, exchange);
    state = State.BODY;
    arm(ctx, server.timeouts().body(), () -> bodyLate(ctx));
    if (framing.expectsContinue()) {
      ChannelFuture _ =
          ctx.writeAndFlush(
              new DefaultFullHttpResponse(
                  HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER));
    }
  }

  private void takeBody(ChannelHandlerContext ctx, Export current, HttpContent content) {
    if (content.decoderResult().isFailure()) {
      Answer answer = new Answer.Invalid("damaged chunked body");
      if (current.exchange.settle(answer)) {
        respond(ctx, HttpReply.of(answer, current.head.signal(), current.head.json()), false);
      }
      return;
    }
    switch (current.body.append(content.content())) {
      case TAKEN -> {
        if (content instanceof LastHttpContent) {
          state = State.ANSWER;
          disarm();
          current.submit();
        }
      }
      case TOO_LARGE -> {
        refuse(ctx, current.head, current.exchange, tooLarge("body"));
        takeRest(ctx, content);
      }
      case NO_ROOM -> {
        refuse(ctx, current.head, current.exchange, server.intake().noRoom());
        takeRest(ctx, content);
      }
    }
  }

  /** The part that made us refuse may be the last one. */
  private void takeRest(ChannelHandlerContext ctx, HttpContent content) {
    if (state == State.DISCARD && refusal != null) {
      discard(ctx, refusal, content);
    }
  }

  private Answer tooLarge(String what) {
    return new Answer.TooLarge(
        0,
        "request "
            + what
            + " exceeds the limit of "
            + server.maxRequestBytes()
            + " bytes. Send smaller batches, or raise max_request_body_size.");
  }

  private void refuse(
      ChannelHandlerContext ctx, HttpHead.Accepted head, Exchange exchange, Answer answer) {
    exchange.settle(answer);
    refuse(ctx, HttpReply.of(answer, head.signal(), head.json()));
  }

  private void refuse(ChannelHandlerContext ctx, FullHttpResponse response) {
    if (framing.expectsContinue() || framing.contentLength() > MAX_DISCARDED_BYTES) {
      respond(ctx, response, false);
      return;
    }
    state = State.DISCARD;
    refusal = response;
    discardedBytes = 0;
    arm(ctx, server.timeouts().body(), () -> respond(ctx, response, false));
  }

  private void discard(ChannelHandlerContext ctx, FullHttpResponse response, HttpContent content) {
    discardedBytes += content.content().readableBytes();
    if (content.decoderResult().isFailure() || discardedBytes > MAX_DISCARDED_BYTES) {
      respond(ctx, response, false);
    } else if (content instanceof LastHttpContent) {
      respond(ctx, response, true);
    }
  }

  /** 503, because a sender drops its data on 408. */
  private void bodyLate(ChannelHandlerContext ctx) {
    Export late = export;
    Answer answer =
        new Answer.Unavailable(
            0,
            Intake.FAILURE_RETRY_AFTER,
            "the body was not complete within " + server.timeouts().body().toSeconds() + " s");
    if (late != null && late.exchange.settle(answer)) {
      respond(ctx, HttpReply.of(answer, late.head.signal(), late.head.json()), false);
    }
  }

  /**
   * @param bodyRead whether the connection stands at the start of the next request
   */
  private void respond(ChannelHandlerContext ctx, FullHttpResponse response, boolean bodyRead) {
    refusal = null;
    if (state == State.CLOSED) {
      ReferenceCountUtil.release(response);
      leave();
      return;
    }
    state = State.ANSWER;
    boolean close = !bodyRead || !framing.keepAlive() || server.isStopping();
    HttpUtil.setKeepAlive(response.headers(), framing.version(), !close);
    arm(ctx, server.timeouts().write(), () -> close(ctx));
    ChannelFuture _ =
        ctx.writeAndFlush(response)
            .addListener((ChannelFuture written) -> written(ctx, written.isSuccess(), close));
  }

  private void written(ChannelHandlerContext ctx, boolean success, boolean close) {
    leave();
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

  /** Our side of the connection is done; the sender may still be sending. */
  private void linger(ChannelHandlerContext ctx) {
    state = State.LINGER;
    arm(ctx, server.timeouts().linger(), () -> close(ctx));
    ChannelFuture _ = ((DuplexChannel) ctx.channel()).shutdownOutput();
  }

  private void leave() {
    if (export != null) {
      export = null;
      server.exit();
    }
  }

  private static void close(ChannelHandlerContext ctx) {
    ChannelFuture _ = ctx.close();
  }

  private void arm(ChannelHandlerContext ctx, Duration timeout, Runnable action) {
    disarm();
    deadline = ctx.executor().schedule(action, timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void disarm() {
    if (deadline != null) {
      deadline.cancel(false);
      deadline = null;
    }
  }

  /** An export whose body is being read or that waits for its answer. */
  private final class Export implements Intake.Reply {
    private final ChannelHandlerContext ctx;
    private final HttpHead.Accepted head;
    private final Exchange exchange;
    private final HttpBody body;

    Export(ChannelHandlerContext ctx, HttpHead.Accepted head, Exchange exchange) {
      this.ctx = ctx;
      this.head = head;
      this.exchange = exchange;
      this.body = new HttpBody(exchange, framing.contentLength(), server.maxRequestBytes());
    }

    void submit() {
      Intake intake = server.intake();
      intake.take(
          exchange, head.codec(), head.json(), body.slice(), server.maxRequestBytes(), this);
    }

    void abandon() {
      exchange.abandon();
      leave();
    }

    @Override
    public void answer(Answer answer) {
      if (!exchange.settle(answer)) {
        return;
      }
      FullHttpResponse response = HttpReply.of(answer, head.signal(), head.json());
      if (ctx.executor().inEventLoop()) {
        respond(ctx, response, true);
        return;
      }
      try {
        ctx.executor().execute(() -> respond(ctx, response, true));
      } catch (RejectedExecutionException e) {
        // The receiver was closed at its deadline, and the connection with it.
        ReferenceCountUtil.release(response);
      }
    }

    @Override
    public void undecodable(Answer.Invalid answer) {
      answer(answer);
    }
  }
}
