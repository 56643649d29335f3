package io.spillway.exporters;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.spillway.otlp.stage.WireBytes;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Opens one connection: resolves, tries the allowed addresses in turn, and shakes hands if the
 * endpoint is encrypted. Belongs to one event loop.
 */
final class HttpDial {
  private final Endpoint endpoint;
  private final @Nullable SslContext tls;
  private final String serverName;
  private final EventLoop loop;
  private final Dialer dialer;
  private final Duration timeout;
  private final WireBytes wireBytes;
  private final Result result;
  private @Nullable SinkChannel channel;
  private boolean ended;

  /** How a dial ends. One of the two is called, once, on the event loop, unless it is cancelled. */
  interface Result {
    void connected(SinkChannel channel);

    void failed(Throwable failure);
  }

  /**
   * @param tls null if the endpoint is plaintext
   * @param serverName the name expected in the sink's certificate
   * @param timeout of one address
   * @param wireBytes of the attempt that dials
   */
  HttpDial(
      Endpoint endpoint,
      @Nullable SslContext tls,
      String serverName,
      EventLoop loop,
      Dialer dialer,
      Duration timeout,
      WireBytes wireBytes,
      Result result) {
    this.endpoint = endpoint;
    this.tls = tls;
    this.serverName = serverName;
    this.loop = loop;
    this.dialer = dialer;
    this.timeout = timeout;
    this.wireBytes = wireBytes;
    this.result = result;
  }

  void start() {
    dialer.resolve(
        endpoint,
        addresses -> onLoop(() -> connect(addresses)),
        failure -> onLoop(() -> end(failure)));
  }

  private void onLoop(Runnable step) {
    loop.execute(step);
  }

  /** Leaves no connection behind and calls nobody back. */
  void cancel() {
    ended = true;
    if (channel != null) {
      var _ = channel.close();
    }
  }

  private void connect(List<InetSocketAddress> addresses) {
    Duration each = timeout.dividedBy(addresses.size());
    connectNext(addresses.iterator(), each, new ConnectException("no address"));
  }

  private void connectNext(
      Iterator<InetSocketAddress> addresses, Duration each, Throwable lastFailure) {
    if (ended) {
      return;
    }
    if (!addresses.hasNext()) {
      end(lastFailure);
      return;
    }
    SinkChannel dialled = dialer.channel(endpoint, each.toMillis() / 2);
    dialled.chargeTo(wireBytes);
    channel = dialled;
    ChannelFuture connecting = bootstrap(dialled, each).connect(addresses.next());
    connecting.addListener(
        done -> {
          if (done.isSuccess()) {
            shakeHands(dialled);
          } else {
            connectNext(addresses, each, done.cause());
          }
        });
  }

  private Bootstrap bootstrap(SinkChannel dialled, Duration each) {
    return new Bootstrap()
        .group(loop)
        .channelFactory(() -> dialled)
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.max(1, each.toMillis()))
        .option(ChannelOption.TCP_NODELAY, true)
        .option(ChannelOption.SO_KEEPALIVE, true)
        // Else a failed write closes the channel and with it the answer that explains it.
        .option(ChannelOption.AUTO_CLOSE, false)
        .handler(new ChannelInboundHandlerAdapter());
  }

  private void shakeHands(SinkChannel connected) {
    if (ended) {
      var _ = connected.close();
    } else if (tls == null) {
      end(connected);
    } else {
      SslHandler handler = tls.newHandler(connected.alloc(), serverName, endpoint.port());
      handler.setHandshakeTimeoutMillis(timeout.toMillis());
      connected.pipeline().addLast(handler);
      handler
          .handshakeFuture()
          .addListener(
              done -> {
                if (done.isSuccess()) {
                  end(connected);
                } else {
                  var _ = connected.close();
                  end(done.cause());
                }
              });
    }
  }

  private void end(SinkChannel connected) {
    if (ended) {
      var _ = connected.close();
    } else {
      ended = true;
      result.connected(connected);
    }
  }

  private void end(Throwable failure) {
    if (!ended) {
      ended = true;
      result.failed(failure);
    }
  }
}
