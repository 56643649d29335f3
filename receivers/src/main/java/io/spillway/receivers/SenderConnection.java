package io.spillway.receivers;

import io.grpc.Attributes;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.AttributeKey;
import io.spillway.otlp.stage.Sender;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Objects;
import java.util.function.Supplier;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** What is known of one connection while it is open. Safe on any thread. */
final class SenderConnection {
  /** Where a gRPC transport keeps it. */
  static final Attributes.Key<SenderConnection> OF_TRANSPORT =
      Attributes.Key.create("spillway-connection");

  private static final AttributeKey<SenderConnection> OF_CHANNEL =
      AttributeKey.valueOf(SenderConnection.class, "connection");

  private final Admission.Share share;
  private final Supplier<@Nullable SSLSession> session;
  private volatile @Nullable String certificateTenant;
  private volatile Sender sender = Sender.UNKNOWN;

  private SenderConnection(Admission.Share share, Supplier<@Nullable SSLSession> session) {
    this.share = share;
    this.session = session;
  }

  /**
   * @param address the sender's; null if it is not known
   * @param session asked for once the sender may send; gives null without TLS
   */
  static SenderConnection open(
      Admission admission,
      @Nullable SocketAddress address,
      Supplier<@Nullable SSLSession> session) {
    return new SenderConnection(admission.join(machine(address)), session);
  }

  /** Opens one that is closed with its channel. */
  static void open(Admission admission, Channel channel) {
    SenderConnection connection =
        open(
            admission,
            channel.remoteAddress(),
            () -> {
              SslHandler tls = channel.pipeline().get(SslHandler.class);
              return tls == null ? null : tls.engine().getSession();
            });
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

  /** Whom the sender's certificate names; empty if nobody. */
  String certificateTenant() {
    String known = certificateTenant;
    if (known == null) {
      known = Objects.requireNonNullElse(CertificateTenant.of(session.get()), "");
      certificateTenant = known;
    }
    return known;
  }

  /** Who sent the last request; most connections have one sender. */
  Sender sender() {
    return sender;
  }

  void sender(Sender last) {
    sender = last;
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
