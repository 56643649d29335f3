package io.spillway.receivers;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Waits for the first bytes of a connection and serves it in HTTP/2 if they are its preface, else
 * in HTTP/1.1 (RFC 9113 §3.3, §3.4). It stands behind TLS, and asks nobody what was negotiated
 * there: what a sender sends is what it speaks.
 */
final class HttpVersionDetector extends ByteToMessageDecoder {
  private static final ByteBuf PREFACE = Http2CodecUtil.connectionPrefaceBuf();

  private final HttpServer server;
  private @Nullable Deadline deadline;

  HttpVersionDetector(HttpServer server) {
    this.server = server;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    Deadline head = new Deadline(ctx.executor());
    head.arm(server.timeouts().head(), () -> close(ctx));
    deadline = head;
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    ctx.read();
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
    int length = Math.min(in.readableBytes(), PREFACE.readableBytes());
    if (!ByteBufUtil.equals(in, in.readerIndex(), PREFACE, 0, length)) {
      server.serveHttp1(ctx.pipeline());
    } else if (length == PREFACE.readableBytes()) {
      server.serveHttp2(ctx.pipeline());
    } else {
      return;
    }
    // Hands on what was read so far.
    ctx.pipeline().remove(this);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
    super.userEventTriggered(ctx, event);
    if (event instanceof ChannelInputShutdownEvent && !ctx.isRemoved()) {
      close(ctx);
    }
  }

  @Override
  protected void handlerRemoved0(ChannelHandlerContext ctx) {
    if (deadline != null) {
      deadline.disarm();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    server.connectionFailed(cause);
    close(ctx);
  }

  private static void close(ChannelHandlerContext ctx) {
    ChannelFuture _ = ctx.close();
  }
}
