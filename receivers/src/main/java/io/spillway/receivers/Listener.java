package io.spillway.receivers;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.spillway.otlp.tls.TlsConfigException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one protocol listens with: its address, the limit of its connections, its TLS and the
 * credentials of its senders. Safe on any thread.
 */
final class Listener implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OtlpReceiver.class);

  private final Transport transport;
  private final Endpoint endpoint;
  private final ListenerConfig config;
  private final ReceiverListener listener;
  private final AtomicInteger connections = new AtomicInteger();
  private final @Nullable ServerTls tls;
  private final @Nullable CredentialFile credentials;
  private final Access access;
  private volatile boolean bound;

  private Listener(
      Transport transport,
      Endpoint endpoint,
      ListenerConfig config,
      ReceiverListener listener,
      @Nullable ServerTls tls,
      @Nullable CredentialFile credentials) {
    this.transport = transport;
    this.endpoint = endpoint;
    this.config = config;
    this.listener = listener;
    this.tls = tls;
    this.credentials = credentials;
    this.access = credentials == null ? Access.OPEN : new Access(credentials);
  }

  /**
   * Reads the files and follows them from now on; binds nothing.
   *
   * @param files reads them, and may block
   * @throws IOException if TLS cannot be set up
   */
  static Listener open(
      Transport transport,
      Endpoint endpoint,
      ListenerConfig config,
      ReceiverListener listener,
      ScheduledExecutorService files)
      throws IOException {
    String path = "receivers::otlp::protocols::" + transport.label();
    TlsServerConfig tlsConfig = config.tls();
    ServerTls tls = null;
    if (tlsConfig != null) {
      ServerTls.Use use = transport == Transport.GRPC ? ServerTls.Use.GRPC : ServerTls.Use.HTTP;
      try {
        tls = new ServerTls(path + "::tls", tlsConfig, use, files);
      } catch (TlsConfigException e) {
        throw new IOException(path + "::tls::" + e.key() + ": " + e.text(), e);
      }
      tls.start();
    }
    AuthConfig auth = config.auth();
    CredentialFile credentials = null;
    if (auth != null) {
      credentials = new CredentialFile(path + "::auth", auth, System::nanoTime);
      credentials.start(files);
    }
    return new Listener(transport, endpoint, config, listener, tls, credentials);
  }

  /** Where to bind. Removes a socket file that a process left behind. */
  SocketAddress address() throws IOException {
    Path socket = endpoint.socket();
    if (socket == null) {
      return new InetSocketAddress(InetAddress.getByName(endpoint.host()), endpoint.port());
    }
    SocketFile.removeStale(socket);
    return UnixDomainSocketAddress.of(socket);
  }

  /** The address was bound: a socket file is ours from now on. */
  void bound() {
    bound = true;
  }

  /** Whether the address is one of a network, not of a file. */
  boolean isNetwork() {
    return endpoint.socket() == null;
  }

  /** Makes the channel to listen with. */
  ChannelFactory<ServerChannel> channels() {
    return () -> {
      ServerChannel channel =
          isNetwork() ? new NioServerSocketChannel() : new NioServerDomainSocketChannel();
      channel
          .pipeline()
          .addLast(
              new ConnectionLimit(
                  config.maxConnections(),
                  connections,
                  this::prepare,
                  () -> listener.turnedAway(transport, TurnedAway.CONNECTION_LIMIT)));
      return channel;
    };
  }

  /** gRPC puts the TLS of {@link #sslContext} into its pipelines by itself. */
  private void prepare(Channel connection) {
    ServerTls current = tls;
    if (current == null) {
      return;
    }
    connection
        .pipeline()
        .addLast(new HandshakeWatch(() -> listener.turnedAway(transport, TurnedAway.HANDSHAKE)));
    if (transport == Transport.HTTP) {
      SslHandler handler = current.context().newHandler(ByteBufAllocator.DEFAULT);
      handler.setHandshakeTimeoutMillis(ServerTls.HANDSHAKE_TIMEOUT.toMillis());
      connection.pipeline().addLast(handler);
    }
  }

  /** Null to serve unencrypted. */
  @Nullable SslContext sslContext() {
    return tls == null ? null : tls.context();
  }

  Access access() {
    return access;
  }

  ReceiverListener events() {
    return listener;
  }

  /** Open connections. */
  int connections() {
    return connections.get();
  }

  /** When the certificate in use expires; null without TLS. */
  @Nullable Instant certificateExpires() {
    return tls == null ? null : tls.expires();
  }

  /** Whether files as they are now cannot be used: those of TLS, or the credentials. */
  boolean hasUnusableFiles() {
    return (tls != null && tls.isFailing())
        || (credentials != null && credentials.current() == null);
  }

  /** Ends what follows the files, and takes the socket file away. */
  @Override
  public void close() {
    if (tls != null) {
      tls.close();
    }
    if (credentials != null) {
      credentials.close();
    }
    Path socket = endpoint.socket();
    if (socket != null && bound) {
      bound = false;
      try {
        Files.deleteIfExists(socket);
      } catch (IOException e) {
        LOG.warn(
            "receivers::otlp::protocols::{}::endpoint: {} could not be removed ({}). The next start"
                + " tries again.",
            transport.label(),
            socket,
            e.getClass().getSimpleName());
      }
    }
  }
}
