package io.spillway.receivers;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelId;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.local.LocalServerChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http2.Http2FrameCodec;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A connection without a network, which behaves as a socket does: it is read only when asked to be,
 * and either side can end. Time passes when told to. Counts the buffers that are not given back.
 */
final class FuzzChannel extends EmbeddedChannel implements DuplexChannel {
  /** By its parent a connection is known as that of a server. */
  private static final Channel LISTENING = new LocalServerChannel();

  private final UnpooledByteBufAllocator buffers = new UnpooledByteBufAllocator(false, true);

  // Both are set while the constructor of the superclass runs, so they have no initial value here.
  private boolean reading;
  private boolean outputShutdown;
  private boolean inputShutdown;

  FuzzChannel(ChannelHandler handler) {
    super(LISTENING, DefaultChannelId.newInstance(), true, false, handler);
    config().setAllocator(buffers).setAutoRead(false);
  }

  @Override
  protected void doBeginRead() {
    reading = true;
  }

  /** Whether the next bytes would be read. */
  boolean isReading() {
    return isOpen() && reading;
  }

  /** Bytes come from the sender. */
  void receive(byte[] bytes, int from, int to) {
    reading = false;
    pipeline().fireChannelRead(buffers.heapBuffer(to - from).writeBytes(bytes, from, to - from));
    pipeline().fireChannelReadComplete();
    runPendingTasks();
  }

  /** The sender sends no more. */
  void endInput() {
    inputShutdown = true;
    if (pipeline().get(Http2FrameCodec.class) != null) {
      // There both sides end at once.
      close();
    } else {
      pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    }
    runPendingTasks();
  }

  void pass(Duration time) {
    advanceTimeBy(time.toNanos(), TimeUnit.NANOSECONDS);
    runPendingTasks();
  }

  /** What was sent so far and not taken yet. */
  byte[] takeSent() {
    ByteArrayOutputStream sent = new ByteArrayOutputStream();
    for (ByteBuf part = readOutbound(); part != null; part = readOutbound()) {
      byte[] bytes = new byte[part.readableBytes()];
      part.readBytes(bytes).release();
      sent.writeBytes(bytes);
    }
    return sent.toByteArray();
  }

  /** Bytes in buffers of this connection that nobody released. */
  long heldBytes() {
    return buffers.metric().usedHeapMemory() + buffers.metric().usedDirectMemory();
  }

  @Override
  public boolean isInputShutdown() {
    return inputShutdown;
  }

  @Override
  public ChannelFuture shutdownInput() {
    return shutdownInput(newPromise());
  }

  @Override
  public ChannelFuture shutdownInput(ChannelPromise promise) {
    inputShutdown = true;
    return promise.setSuccess();
  }

  @Override
  public boolean isOutputShutdown() {
    return outputShutdown;
  }

  @Override
  public ChannelFuture shutdownOutput() {
    return shutdownOutput(newPromise());
  }

  @Override
  public ChannelFuture shutdownOutput(ChannelPromise promise) {
    outputShutdown = true;
    return promise.setSuccess();
  }

  @Override
  public boolean isShutdown() {
    return inputShutdown && outputShutdown;
  }

  @Override
  public ChannelFuture shutdown() {
    return shutdown(newPromise());
  }

  @Override
  public ChannelFuture shutdown(ChannelPromise promise) {
    inputShutdown = true;
    return shutdownOutput(promise);
  }
}
