package io.spillway.otlp.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolNegotiator;
import io.netty.handler.ssl.SslContext;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSessionContext;

/**
 * A context that another one can take the place of: connections begun afterwards use that. Whoever
 * was given this one, as gRPC was with its channel, need not know.
 *
 * <p>The context as a whole is replaced, not the keys in it: with the sessions of the old one a
 * peer would go on to see the old certificate, and its own would not be judged anew. Safe on any
 * thread.
 */
public final class RenewableSslContext extends SslContext {
  private volatile SslContext current;

  public RenewableSslContext(SslContext first) {
    this.current = first;
  }

  public void renew(SslContext next) {
    current = next;
  }

  @Override
  public boolean isClient() {
    return current.isClient();
  }

  @Override
  public List<String> cipherSuites() {
    return current.cipherSuites();
  }

  @Override
  @SuppressWarnings("deprecation") // demanded by the superclass
  public ApplicationProtocolNegotiator applicationProtocolNegotiator() {
    return current.applicationProtocolNegotiator();
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator) {
    return current.newEngine(allocator);
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator, String host, int port) {
    return current.newEngine(allocator, host, port);
  }

  @Override
  public SSLSessionContext sessionContext() {
    return current.sessionContext();
  }
}
