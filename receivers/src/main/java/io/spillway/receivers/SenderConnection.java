package io.spillway.receivers;

import io.grpc.Attributes;
import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What is known of one connection while it is open. Safe on any thread. */
final class SenderConnection {
  /** Where a gRPC transport keeps it. */
  static final Attributes.Key<SenderConnection> OF_TRANSPORT =
      Attributes.Key.create("spillway-connection");

  private static final AttributeKey<SenderConnection> OF_CHANNEL =
      AttributeKey.valueOf(SenderConnection.class, "connection");

  private final Admission.Share share;

  private SenderConnection(Admission.Share share) {
    this.share = share;
  }

  /**
   * @param address the sender's; null if it is not known
   */
  static SenderConnection open(Admission admission, @Nullable SocketAddress address) {
    return new SenderConnection(admission.join(machine(address)));
  }

  /** Opens one that is closed with its channel. */
  static void open(Admission admission, Channel channel) {
    SenderConnection connection = open(admission, channel.remoteAddress());
    channel.attr(OF_CHANNEL).set(connection);
    var _ = channel.closeFuture().addListener(closed -> connection.close());
  }

  /** The one that was opened on a channel. */
  static SenderConnection of(Channel channel) {
    return Objects.requireNonNull(channel.attr(OF_CHANNEL).get());
  }

  Admission.Share share() {
    return share;
  }

  /** To be called once. */
  void close() {
    share.leave();
  }

  /** Sockets of files are of this machine. */
  private static InetAddress machine(@Nullable SocketAddress address) {
    return address instanceof InetSocketAddress network && network.getAddress() != null
        ? network.getAddress()
        : InetAddress.getLoopbackAddress();
  }
}
