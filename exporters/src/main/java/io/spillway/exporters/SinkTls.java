package io.spillway.exporters;

import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import io.spillway.exporters.CertificateExpiry.Holder;
import io.spillway.otlp.tls.RenewableSslContext;
import io.spillway.otlp.tls.TlsConfigException;
import io.spillway.otlp.tls.TlsFiles;
import io.spillway.otlp.tls.TlsReload;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The TLS of one exporter: its contexts follow their files until this is closed, and certificates
 * are watched. Safe on any thread.
 */
final class SinkTls implements AutoCloseable {
  /** How often it is looked whether a certificate has come close to its end. */
  private static final long CHECK_HOURS = 1;

  private final String exporter;
  private final CertificateWatch watch;
  private final EventLoop loop;
  private final Executor reader;
  private final Runnable renewConnections;
  private final List<TlsReload> reloads = new CopyOnWriteArrayList<>();
  private volatile @Nullable Future<?> checks;
  private volatile boolean closed;

  /**
   * @param exporter its id
   * @param loop keeps the time
   * @param reader runs what blocks
   * @param renewConnections called on a thread of the reader when contexts have changed: what is
   *     open is to be replaced
   */
  SinkTls(
      String exporter,
      CertificateWatch watch,
      EventLoop loop,
      Executor reader,
      Runnable renewConnections) {
    this.exporter = exporter;
    this.watch = watch;
    this.loop = loop;
    this.reader = reader;
    this.renewConnections = renewConnections;
  }

  /** A context for connections to the sink. */
  SslContext toSink(TlsConfig config, TlsContext.Use use) throws TlsConfigException {
    return new Side("tls", config, use, Holder.SINK, Holder.CLIENT).open();
  }

  /** A context for connections to the token endpoint. */
  SslContext toTokenEndpoint(TlsConfig config) throws TlsConfigException {
    return new Side(
            "auth::oauth2::tls",
            config,
            TlsContext.Use.HTTP,
            Holder.TOKEN_ENDPOINT,
            Holder.TOKEN_CLIENT)
        .open();
  }

  boolean isOf(String id) {
    return exporter.equals(id);
  }

  boolean isClosed() {
    return closed;
  }

  /** When certificates expire, as far as they are known. */
  Stream<CertificateExpiry> expiries() {
    return watch.expiries();
  }

  @Override
  public void close() {
    closed = true;
    reloads.forEach(TlsReload::close);
    Future<?> running = checks;
    if (running != null) {
      running.cancel(false);
    }
  }

  /** One context and what it is made of. */
  private final class Side {
    private final String path;
    private final TlsConfig config;
    private final TlsContext.Use use;
    private final Holder peer;
    private final Holder own;

    Side(String path, TlsConfig config, TlsContext.Use use, Holder peer, Holder own) {
      this.path = "exporters::" + exporter + "::" + path;
      this.config = config;
      this.use = use;
      this.peer = peer;
      this.own = own;
    }

    SslContext open() throws TlsConfigException {
      TlsFiles files = TlsFiles.read(config.paths());
      TlsContext first = make(files);
      RenewableSslContext context = new RenewableSslContext(first.context());
      noteOwn(first.own());
      if (config.paths().any() && config.reloadInterval().isPositive()) {
        TlsReload.Taker taker = changed -> take(changed, context);
        TlsReload reload =
            new TlsReload(
                path,
                config.paths(),
                config.reloadInterval(),
                files,
                taker,
                loop,
                reader,
                System::nanoTime);
        reloads.add(reload);
        reload.start();
      }
      watchFromNowOn();
      return context;
    }

    private void take(TlsFiles files, RenewableSslContext context) throws TlsConfigException {
      TlsContext next = make(files);
      context.renew(next.context());
      noteOwn(next.own());
      renewConnections.run();
    }

    private TlsContext make(TlsFiles files) throws TlsConfigException {
      return TlsContext.of(files, config, use, (place, leaf) -> watch.saw(peer, place, leaf));
    }

    private void noteOwn(@Nullable X509Certificate certificate) {
      if (certificate != null) {
        watch.saw(own, "", certificate);
      }
    }
  }

  private synchronized void watchFromNowOn() {
    if (checks == null) {
      checks = loop.scheduleWithFixedDelay(watch::check, CHECK_HOURS, CHECK_HOURS, TimeUnit.HOURS);
    }
  }
}
