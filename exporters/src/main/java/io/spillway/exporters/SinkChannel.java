package io.spillway.exporters;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.spillway.otlp.stage.WireBytes;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * A socket to a sink, or to a proxy on the way: asks the policy in the moment it connects, and
 * counts the bytes that the socket took and gave.
 *
 * <p>Netty does not say how much of what was flushed the kernel took. So the first handler adds up
 * what is flushed, and what is left after each write is subtracted: the difference was written, to
 * the byte, also when a write breaks off. Belongs to one event loop.
 */
final class SinkChannel extends NioSocketChannel {
  /** What handlers are told, as a user event. */
  enum Notice {
    /** To finish what the connection carries, and to close it then. */
    RETIRE
  }

  private static final InetSocketAddress NOWHERE = InetSocketAddress.createUnresolved("nowhere", 0);

  private final Dialer dialer;
  private final Endpoint endpoint;
  private final Traffic traffic;
  private final Flushed flushed = new Flushed();
  private final ChannelOutboundBuffer.MessageProcessor addPending = this::addPending;
  private @Nullable WireBytes attempt;

  private volatile InetSocketAddress remote = NOWHERE;
  private boolean cutOff;
  private boolean retired;

  /** Bytes flushed and not written yet, as of the last time they were added up. */
  private long pending;

  /**
   * @param endpoint whose allowed addresses may be connected to
   */
  SinkChannel(Dialer dialer, Endpoint endpoint) {
    this.dialer = dialer;
    this.endpoint = endpoint;
    this.traffic = dialer.traffic();
    pipeline().addFirst(flushed);
  }

  /** Charges what is written from now on to this attempt; null if the connection is nobody's. */
  void chargeTo(@Nullable WireBytes attempt) {
    this.attempt = attempt;
  }

  @Override
  protected boolean doConnect(SocketAddress remote, SocketAddress local) throws Exception {
    if (!(remote instanceof InetSocketAddress address) || address.isUnresolved()) {
      throw new IOException("not a resolved address: " + remote);
    }
    this.remote = address;
    dialer.opening(this, address.getAddress());
    return super.doConnect(remote, local);
  }

  @Override
  protected void doClose() throws Exception {
    dialer.closed(this);
    super.doClose();
  }

  /** The endpoint it was opened for, also if a proxy is on the way. */
  Endpoint endpoint() {
    return endpoint;
  }

  /** What it is connected to, or about to be. */
  InetSocketAddress remote() {
    return remote;
  }

  /** Closes it at once; what it carries fails with this cause. Safe on any thread. */
  void cutOff(PolicyDeniedException cause) {
    onLoop(
        () -> {
          if (!cutOff) {
            cutOff = true;
            // In this wrapping gRPC passes the cause on to its calls; others unwrap it.
            pipeline()
                .fireExceptionCaught(
                    Http2Exception.connectionError(
                        Http2Error.INTERNAL_ERROR, cause, "cut off by the egress policy"));
            unsafe().close(unsafe().voidPromise());
          }
        });
  }

  /** Lets it finish what it carries and then close. Safe on any thread. */
  void retire() {
    onLoop(
        () -> {
          retired = true;
          pipeline().fireUserEventTriggered(Notice.RETIRE);
        });
  }

  /** Whether it is to close when it has finished. For handlers that came after the notice. */
  boolean isRetired() {
    return retired;
  }

  private void onLoop(Runnable step) {
    if (!eventLoop().isShuttingDown()) {
      eventLoop().execute(step);
    }
  }

  @Override
  protected void doWrite(ChannelOutboundBuffer out) throws Exception {
    boolean failed = true;
    try {
      super.doWrite(out);
      failed = false;
    } finally {
      pending = 0;
      out.forEachFlushedMessage(addPending);
      long written = flushed.unwritten - pending;
      // After a failure Netty throws away what is left.
      flushed.unwritten = failed ? 0 : pending;
      if (written > 0) {
        traffic.sent(written, attempt);
      }
    }
  }

  private boolean addPending(Object message) {
    if (message instanceof ByteBuf bytes) {
      pending += bytes.readableBytes();
    }
    return true;
  }

  @Override
  protected int doReadBytes(ByteBuf into) throws Exception {
    int read = super.doReadBytes(into);
    if (read > 0) {
      traffic.received(read);
    }
    return read;
  }

  /** Adds up what is flushed, as the last handler before the socket. */
  private static final class Flushed extends ChannelOutboundHandlerAdapter {
    /** Bytes handed over and not flushed yet. */
    private long waiting;

    /** Bytes flushed and not known to be written. */
    long unwritten;

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
      if (message instanceof ByteBuf bytes) {
        waiting += bytes.readableBytes();
      }
      var _ = ctx.write(message, promise);
    }

    @Override
    public void flush(ChannelHandlerContext ctx) {
      unwritten += waiting;
      waiting = 0;
      ctx.flush();
    }
  }
}
