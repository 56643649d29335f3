package io.spillway.receivers;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.ssl.SslHandler;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The way from HTTP/1.1 to HTTP/2 without TLS (RFC 7540 §3.2). The request that asks for it is read
 * and answered like any other; only its answer goes out on stream 1, once the protocol has changed.
 * An upgrade is never due: a request that we refuse before its end is answered in HTTP/1.1.
 */
final class Http2Upgrade {
  private static final String PROTOCOL = "h2c";
  private static final String SETTINGS = "http2-settings";

  /** Identifier and value (RFC 9113 §6.5.1). */
  private static final int SETTING_BYTES = 6;

  private Http2Upgrade() {}

  /**
   * The answer that the sender waits for.
   *
   * @param done to be run once it was sent or cannot be
   */
  record First(FullHttpResponse response, Runnable done) {}

  /** The settings of a sender that asks to go on in HTTP/2; null if it does not, or not rightly. */
  static @Nullable Http2Settings asked(ChannelHandlerContext ctx, HttpRequest head) {
    List<String> settings = head.headers().getAll(SETTINGS);
    if (settings.size() != 1
        || !head.headers().containsValue(HttpHeaderNames.UPGRADE, PROTOCOL, true)
        || !head.headers().containsValue(HttpHeaderNames.CONNECTION, "upgrade", true)
        || !head.headers().containsValue(HttpHeaderNames.CONNECTION, SETTINGS, true)
        || ctx.pipeline().get(SslHandler.class) != null) {
      return null;
    }
    try {
      return parse(Base64.getUrlDecoder().decode(settings.getFirst()));
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static @Nullable Http2Settings parse(byte[] payload) {
    if (payload.length % SETTING_BYTES != 0) {
      return null;
    }
    Http2Settings settings = new Http2Settings();
    ByteBuffer entries = ByteBuffer.wrap(payload);
    while (entries.hasRemaining()) {
      settings.put(entries.getChar(), Long.valueOf(entries.getInt() & 0xffff_ffffL));
    }
    return settings;
  }

  /** Changes the protocol and gives the first answer. */
  static void perform(
      ChannelHandlerContext ctx, HttpServer server, Http2Settings settings, First first) {
    FullHttpResponse switching =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS, Unpooled.EMPTY_BUFFER);
    switching
        .headers()
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
        .set(HttpHeaderNames.UPGRADE, PROTOCOL);
    ChannelFuture _ = ctx.writeAndFlush(switching);
    ChannelPipeline pipeline = ctx.pipeline();
    ReadAhead readAhead = new ReadAhead();
    pipeline.addBefore(ctx.name(), null, readAhead);
    pipeline.remove(HttpServerCodec.class);
    Http2Connection connection = new Http2Connection(server, first);
    connection.addTo(pipeline);
    pipeline.remove(ctx.handler());
    try {
      connection.upgraded(settings);
      pipeline.remove(readAhead);
    } catch (Http2Exception e) {
      server.connectionFailed(e);
      first.done().run();
      ChannelFuture _ = pipeline.close();
      pipeline.remove(readAhead);
    }
  }

  /**
   * Takes what the HTTP/1.1 codec has read beyond the request and leaves behind when it is removed,
   * and hands it on when it is removed itself: a sender in a hurry does not wait for our answer
   * before it goes on in HTTP/2.
   */
  private static final class ReadAhead extends ChannelInboundHandlerAdapter {
    private final Deque<ByteBuf> parts = new ArrayDeque<>();

    /** Where a buffer does not begin at 0, the HTTP/2 codec fails to say what is wrong with it. */
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object part) {
      parts.add(((ByteBuf) part).slice());
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
      if (parts.isEmpty()) {
        return;
      }
      for (ByteBuf part = parts.poll(); part != null; part = parts.poll()) {
        ctx.fireChannelRead(part);
      }
      ctx.fireChannelReadComplete();
    }
  }

  /** Whether a stream is the one that an upgrade opens. */
  static boolean isFirst(int streamId) {
    return streamId == Http2CodecUtil.HTTP_UPGRADE_STREAM_ID;
  }
}
