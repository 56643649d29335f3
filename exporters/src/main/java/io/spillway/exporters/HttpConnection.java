package io.spillway.exporters;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import io.netty.util.concurrent.PromiseCombiner;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.WireBytes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/1.1 connection: one exchange at a time, kept open between them. Everything happens on
 * the connection's event loop.
 */
final class HttpConnection extends ChannelInboundHandlerAdapter {
  private static final int MAX_INITIAL_LINE = 4096;
  private static final int MAX_HEADERS = 16 << 10;
  private static final int MAX_CHUNK = 64 << 10;

  /** An unused connection is closed after this long; most sinks close theirs after a minute. */
  private static final int IDLE_SECONDS = 30;

  /** What the sink may still say after it stopped taking the request, for example 413. */
  private static final int LAST_WORDS_MILLIS = 1000;

  /**
   * A body is copied to memory outside the heap and from there to the socket in pieces of this
   * size: the second copy finds it in the processor's cache, and no buffer of a whole request is
   * allocated.
   */
  private static final int PIECE_BYTES = 128 * 1024;

  private final SinkChannel channel;
  private final Owner owner;
  private @Nullable Exchange exchange;
  private @Nullable HttpResponse response;
  private ByteArrayOutputStream body = new ByteArrayOutputStream();
  private boolean informational;
  private boolean truncated;
  private boolean retired;
  private boolean requestWritten;
  private @Nullable Throwable failure;

  /** What becomes of a connection that nobody uses. */
  interface Owner {
    /** The exchange ended well and the connection can be used again. */
    void reusable(HttpConnection connection);

    /** The connection is gone. */
    void closed(HttpConnection connection);
  }

  /** One request and its answer. One of the two methods is called, once. */
  interface Exchange {
    void answered(HttpAnswer answer);

    /** The connection broke before the answer was complete. */
    void lost(Throwable failure);
  }

  private HttpConnection(SinkChannel channel, Owner owner) {
    this.channel = channel;
    this.owner = owner;
    this.retired = channel.isRetired(); // perhaps before it was connected
  }

  /** Puts HTTP onto a connected channel. The owner hears when it closes. */
  static HttpConnection on(SinkChannel channel, Owner owner) {
    HttpConnection connection = new HttpConnection(channel, owner);
    ChannelPipeline pipeline = channel.pipeline();
    pipeline.addLast(new HttpClientCodec(MAX_INITIAL_LINE, MAX_HEADERS, MAX_CHUNK));
    pipeline.addLast(new IdleStateHandler(0, 0, IDLE_SECONDS, TimeUnit.SECONDS));
    pipeline.addLast(connection);
    return connection;
  }

  boolean isUsable() {
    return channel.isActive() && exchange == null && !retired;
  }

  /**
   * Sends a request and waits for its answer. The connection must be usable.
   *
   * @param wireBytes where the bytes of this exchange are counted
   */
  void send(FullHttpRequest request, WireBytes wireBytes, Exchange exchange) {
    this.exchange = exchange;
    channel.chargeTo(wireBytes);
    response = null;
    body = new ByteArrayOutputStream();
    informational = false;
    truncated = false;
    requestWritten = false;
    write(request)
        .addListener(
            written -> {
              requestWritten = written.isSuccess();
              if (!written.isSuccess()) {
                writeFailed(written.cause());
              }
            });
  }

  /** Fails with what failed first. */
  private Future<Void> write(FullHttpRequest request) {
    ByteBuf content = request.content();
    if (content.readableBytes() <= PIECE_BYTES) {
      return channel.writeAndFlush(request);
    }
    Promise<Void> all = channel.eventLoop().newPromise();
    PromiseCombiner pieces = new PromiseCombiner(channel.eventLoop());
    pieces.add(
        channel.write(
            new DefaultHttpRequest(
                request.protocolVersion(), request.method(), request.uri(), request.headers())));
    while (content.readableBytes() > PIECE_BYTES) {
      HttpContent piece = new DefaultHttpContent(content.readRetainedSlice(PIECE_BYTES));
      pieces.add(channel.writeAndFlush(piece));
    }
    pieces.add(channel.writeAndFlush(new DefaultLastHttpContent(content)));
    pieces.finish(all);
    return all;
  }

  /** The answer may be there already, unread: a sink that refuses a large body does not read it. */
  private void writeFailed(Throwable cause) {
    if (failure == null) {
      failure = cause;
    }
    if (channel.isActive()) {
      var _ = channel.eventLoop().schedule(this::close, LAST_WORDS_MILLIS, TimeUnit.MILLISECONDS);
    } else {
      gone();
    }
  }

  /** Ends the exchange, if there is one, as lost. */
  void close() {
    var _ = channel.close();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    try {
      if (exchange == null) {
        close(); // nobody asked
      } else if (message instanceof HttpObject object && object.decoderResult().isFailure()) {
        fail(new NotHttpException(object.decoderResult().cause()));
      } else {
        read(message);
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private void read(Object message) {
    if (message instanceof HttpResponse head) {
      informational = head.status().codeClass() == HttpStatusClass.INFORMATIONAL;
      if (!informational) {
        response = head;
      }
    }
    if (message instanceof HttpContent content && !informational) {
      append(content.content());
      if (truncated || content instanceof LastHttpContent) {
        end();
      }
    }
  }

  private void append(ByteBuf bytes) {
    int room = HttpOutcomes.MAX_RESPONSE_BYTES - body.size();
    truncated = bytes.readableBytes() > room;
    try {
      bytes.readBytes(body, Math.min(room, bytes.readableBytes()));
    } catch (IOException e) {
      throw new AssertionError("an array took no bytes", e);
    }
  }

  private void end() {
    Exchange ended = exchange;
    HttpResponse head = response;
    if (ended == null || head == null) {
      return;
    }
    exchange = null;
    HttpAnswer answer =
        new HttpAnswer(head.status(), head.headers(), Slice.of(body.toByteArray()), truncated);
    if (requestWritten
        && !truncated
        && HttpUtil.isKeepAlive(head)
        && channel.isActive()
        && !retired) {
      channel.chargeTo(null);
      owner.reusable(this);
    } else {
      close();
    }
    ended.answered(answer);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    gone();
  }

  private void gone() {
    owner.closed(this);
    lose(failure == null ? new ClosedChannelException() : failure);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    fail(cause);
  }

  private void fail(Throwable cause) {
    failure = cause;
    close();
  }

  private void lose(Throwable cause) {
    Exchange lost = exchange;
    exchange = null;
    if (lost != null) {
      lost.lost(cause);
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    retired |= event == SinkChannel.Notice.RETIRE;
    if ((retired || event instanceof IdleStateEvent) && exchange == null) {
      close();
    }
  }
}
