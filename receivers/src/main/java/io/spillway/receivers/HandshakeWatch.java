package io.spillway.receivers;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;

/**
 * Hears whether the TLS handshake of a connection failed, whoever put TLS into its pipeline. Goes
 * away with the first bytes.
 */
final class HandshakeWatch extends ChannelInboundHandlerAdapter {
  private final Runnable failed;

  HandshakeWatch(Runnable failed) {
    this.failed = failed;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    SslHandler tls = ctx.pipeline().get(SslHandler.class);
    if (tls != null) {
      Future<?> _ =
          tls.handshakeFuture()
              .addListener(
                  done -> {
                    if (!done.isSuccess()) {
                      failed.run();
                    }
                  });
    }
    ctx.fireChannelRead(message);
    ctx.pipeline().remove(this);
  }
}
