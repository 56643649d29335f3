package io.spillway.receivers;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.DecoratingHttp2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.HttpConversionUtil;
import io.netty.util.AsciiString;

/**
 * Gives the codec's own refusal of a head that is too large the body that OTLP asks for (OTLP
 * §OTLP/HTTP Failures). The codec refuses while it decodes, before there is a stream to answer on,
 * so the encoder is the one place to add to it. Whether the request was JSON was in the head that
 * nobody has: the body is protobuf.
 */
final class Http2HeadRefusal extends DecoratingHttp2ConnectionEncoder {
  private static final HttpResponseStatus TOO_LARGE =
      HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE;

  private Http2HeadRefusal(Http2ConnectionEncoder encoder) {
    super(encoder);
  }

  static Http2FrameCodecBuilder codec() {
    return new Builder();
  }

  @Override
  public ChannelFuture writeHeaders(
      ChannelHandlerContext ctx,
      int streamId,
      Http2Headers headers,
      int padding,
      boolean endStream,
      ChannelPromise promise) {
    if (!endStream || !AsciiString.contentEquals(TOO_LARGE.codeAsText(), headers.status())) {
      return super.writeHeaders(ctx, streamId, headers, padding, endStream, promise);
    }
    FullHttpResponse refusal =
        HttpReply.refusal(
            TOO_LARGE,
            "the head of the request exceeds " + HttpServer.MAX_HEADER_BYTES + " bytes",
            false);
    Http2Headers withBody = HttpConversionUtil.toHttp2Headers(refusal, false);
    ChannelFuture written = super.writeHeaders(ctx, streamId, withBody, padding, false, promise);
    ChannelFuture _ =
        writeData(
            ctx, streamId, Unpooled.wrappedBuffer(refusal.content()), 0, true, ctx.newPromise());
    flush(ctx);
    return written;
  }

  /** Now, not with the next flush: the codec resets the stream right behind its refusal. */
  private void flush(ChannelHandlerContext ctx) {
    try {
      flowController().writePendingBytes();
    } catch (Http2Exception e) {
      ctx.fireExceptionCaught(e);
    }
  }

  private static final class Builder extends Http2FrameCodecBuilder {
    Builder() {
      gracefulShutdownTimeoutMillis(0); // Http2Connection decides when to close.
    }

    @Override
    protected Http2FrameCodec build(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
      return super.build(decoder, new Http2HeadRefusal(encoder), settings);
    }
  }
}
