package io.spillway.receivers;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Counts the connections of one listener and closes those over its limit as they come. Stands in
 * the pipeline of the listening channel, before what registers a connection with a network thread.
 */
final class ConnectionLimit extends ChannelInboundHandlerAdapter {
  private final int max;
  private final AtomicInteger open;
  private final Consumer<Channel> admitted;
  private final Runnable refused;

  /**
   * @param open the connections that are open, of this listener
   * @param admitted is given each connection that may go on, not registered yet
   * @param refused is told of each other one
   */
  ConnectionLimit(int max, AtomicInteger open, Consumer<Channel> admitted, Runnable refused) {
    this.max = max;
    this.open = open;
    this.admitted = admitted;
    this.refused = refused;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    Channel connection = (Channel) message;
    if (open.incrementAndGet() > max) {
      open.decrementAndGet();
      connection.unsafe().closeForcibly();
      refused.run();
      return;
    }
    ChannelFuture _ = connection.closeFuture().addListener(closed -> open.decrementAndGet());
    admitted.accept(connection);
    ctx.fireChannelRead(connection);
  }
}
