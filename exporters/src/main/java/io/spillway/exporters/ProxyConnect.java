package io.spillway.exporters;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.spillway.otlp.stage.ErrorClass;
import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Asks a proxy for a tunnel to the sink (RFC 9110 §9.3.6) and then leaves the pipeline. Until the
 * proxy has answered, the handlers behind see a connection that is still being made: neither the
 * connect promise completes nor the channel gets active for them. Whatever the proxy does except
 * open the tunnel is a failure to connect, said with a {@link ProxyException}.
 */
final class ProxyConnect extends ChannelDuplexHandler {
  /** What a proxy may say before the tunnel; more is no proxy. */
  static final int MAX_HEAD_BYTES = 16 << 10;

  private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.[01] (\\d{3})(?: (.*))?");

  private final ProxyAddress proxy;
  private final String sink;
  private final long timeoutMillis;
  private final StringBuilder head = new StringBuilder();
  private @Nullable ChannelPromise connected;
  private @Nullable Future<?> clock;
  private boolean ended;

  /**
   * @param timeoutMillis for the proxy's answer
   */
  ProxyConnect(ProxyAddress proxy, Endpoint sink, long timeoutMillis) {
    this.proxy = proxy;
    this.sink = sink.authority();
    this.timeoutMillis = timeoutMillis;
  }

  @Override
  public void connect(
      ChannelHandlerContext ctx,
      SocketAddress remote,
      SocketAddress local,
      ChannelPromise promise) {
    connected = promise;
    ctx.connect(remote, local)
        .addListener(
            done -> {
              if (!done.isSuccess()) {
                ended = true;
                promise.tryFailure(done.cause());
              }
            });
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    clock =
        ctx.executor()
            .schedule(
                () -> fail(ctx, ErrorClass.CONNECT, "did not answer in " + timeoutMillis + " ms"),
                timeoutMillis,
                TimeUnit.MILLISECONDS);
    var _ = ctx.writeAndFlush(ctx.alloc().buffer().writeBytes(request().getBytes(ISO_8859_1)));
  }

  private String request() {
    String authorization =
        proxy.authorization() == null
            ? ""
            : "Proxy-Authorization: " + proxy.authorization() + "\r\n";
    return "CONNECT " + sink + " HTTP/1.1\r\nHost: " + sink + "\r\n" + authorization + "\r\n";
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    try {
      while (!ended && bytes.isReadable()) {
        head.append((char) bytes.readUnsignedByte());
        if (head.length() > MAX_HEAD_BYTES) {
          fail(ctx, ErrorClass.CONNECT, "answered with more than a head");
        } else if (endsHead()) {
          answered(ctx, bytes);
        }
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private boolean endsHead() {
    int length = head.length();
    return head.charAt(length - 1) == '\n'
        && (head.indexOf("\r\n\r\n", length - 4) >= 0 || head.indexOf("\n\n", length - 2) >= 0);
  }

  /**
   * @param rest what came behind the head: the sink's first words
   */
  private void answered(ChannelHandlerContext ctx, ByteBuf rest) {
    Matcher status = STATUS_LINE.matcher(head.substring(0, head.indexOf("\n")).stripTrailing());
    if (!status.matches()) {
      fail(ctx, ErrorClass.CONNECT, "did not answer in HTTP/1.1");
      return;
    }
    int code = Integer.parseInt(status.group(1));
    if (code >= 200 && code < 300) {
      open(ctx, rest);
    } else if (code >= 100 && code < 200) {
      head.setLength(0); // the answer is still to come
    } else {
      String words =
          "HTTP " + code + " " + SinkWords.clean(status.group(2) == null ? "" : status.group(2));
      refused(ctx, code, words.stripTrailing());
    }
  }

  private void refused(ChannelHandlerContext ctx, int code, String words) {
    if (code == 407) {
      fail(
          ctx,
          ErrorClass.AUTH,
          proxy.authorization() == null
              ? "wants a user and password in proxy_url: " + words
              : "does not take the user and password of proxy_url: " + words);
    } else if (code >= 300 && code < 400) {
      fail(ctx, ErrorClass.CONNECT, "redirects, which is not followed: " + words);
    } else {
      fail(ctx, ErrorClass.CONNECT, "refused to connect to " + sink + ": " + words);
    }
  }

  private void open(ChannelHandlerContext ctx, ByteBuf rest) {
    end();
    ctx.pipeline().remove(this);
    if (connected != null) {
      connected.trySuccess();
    }
    ctx.fireChannelActive();
    if (rest.isReadable()) {
      ctx.fireChannelRead(rest.readRetainedSlice(rest.readableBytes()));
      ctx.fireChannelReadComplete();
    }
  }

  private void fail(ChannelHandlerContext ctx, ErrorClass error, String what) {
    fail(ctx, new ProxyException(error, "proxy " + proxy.authority() + " " + what));
  }

  private void fail(ChannelHandlerContext ctx, Throwable cause) {
    if (!ended) {
      end();
      if (connected != null) {
        connected.tryFailure(cause);
      }
      var _ = ctx.close();
    }
  }

  private void end() {
    ended = true;
    if (clock != null) {
      clock.cancel(false);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    fail(ctx, ErrorClass.CONNECT, "closed the connection before it answered");
    ctx.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    fail(ctx, cause);
  }
}
