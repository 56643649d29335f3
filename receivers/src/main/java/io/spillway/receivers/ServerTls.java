package io.spillway.receivers;

import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.spillway.otlp.tls.RenewableSslContext;
import io.spillway.otlp.tls.TlsConfigException;
import io.spillway.otlp.tls.TlsFiles;
import io.spillway.otlp.tls.TlsReload;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * The TLS of one listener, which follows its files until this is closed. A connection keeps what it
 * was begun with; new ones get what is current. Safe on any thread.
 */
final class ServerTls implements AutoCloseable {
  /** How long a sender may take to shake hands. */
  static final Duration HANDSHAKE_TIMEOUT = Duration.ofSeconds(10);

  private final RenewableSslContext context;
  private final @Nullable TlsReload reload;
  private volatile Instant expires;

  /** What is spoken inside. */
  enum Use {
    /** HTTP/1.1 or HTTP/2, which is negotiated; without a word of it, HTTP/1.1 or a preface. */
    HTTP,
    /** HTTP/2. */
    GRPC
  }

  /**
   * Reads the files.
   *
   * @param path of the configuration, for messages
   * @param files looks at them again, and may block
   */
  ServerTls(String path, TlsServerConfig config, Use use, ScheduledExecutorService files)
      throws TlsConfigException {
    TlsFiles first = TlsFiles.read(config.paths());
    context = new RenewableSslContext(context(first, config, use));
    expires = expiry(first);
    reload =
        config.reloadInterval().isPositive()
            ? new TlsReload(
                path,
                config.paths(),
                config.reloadInterval(),
                first,
                changed -> take(changed, config, use),
                files,
                files,
                System::nanoTime)
            : null;
  }

  /** Follows the files from now on. To be called once. */
  void start() {
    if (reload != null) {
      reload.start();
    }
  }

  private void take(TlsFiles files, TlsServerConfig config, Use use) throws TlsConfigException {
    context.renew(context(files, config, use));
    expires = expiry(files);
  }

  /** Makes a context of what the files hold. */
  static SslContext context(TlsFiles files, TlsServerConfig config, Use use)
      throws TlsConfigException {
    TlsFiles.Identity identity = identity(files);
    try {
      SslContextBuilder builder =
          SslContextBuilder.forServer(identity.key(), identity.chain())
              .sslProvider(SslProvider.JDK);
      if (config.clientCaFile() != null) {
        builder.trustManager(files.trust()).clientAuth(ClientAuth.REQUIRE);
      }
      if (use == Use.GRPC) {
        GrpcSslContexts.configure(builder, SslProvider.JDK);
      } else {
        builder.applicationProtocolConfig(httpVersions());
      }
      if (!config.cipherSuites().isEmpty()) {
        builder.ciphers(CipherSuites.enabled(config.cipherSuites()));
      }
      return builder.protocols(config.minVersion().protocols()).build();
    } catch (IOException | IllegalArgumentException e) {
      throw new TlsConfigException("", "TLS cannot be set up: " + e.getMessage());
    }
  }

  private static ApplicationProtocolConfig httpVersions() {
    return new ApplicationProtocolConfig(
        ApplicationProtocolConfig.Protocol.ALPN,
        ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
        ApplicationProtocolNames.HTTP_2,
        ApplicationProtocolNames.HTTP_1_1);
  }

  private static TlsFiles.Identity identity(TlsFiles files) throws TlsConfigException {
    TlsFiles.Identity identity = files.identity();
    if (identity == null) {
      throw new TlsConfigException("cert_file", "missing (expected a PEM file)");
    }
    return identity;
  }

  private static Instant expiry(TlsFiles files) throws TlsConfigException {
    return identity(files).certificate().getNotAfter().toInstant();
  }

  /** A context that is always the current one. */
  SslContext context() {
    return context;
  }

  /** When the certificate in use expires. */
  Instant expires() {
    return expires;
  }

  /** Whether the files as they are now cannot be used, so that older ones are. */
  boolean isFailing() {
    return reload != null && reload.isFailing();
  }

  @Override
  public void close() {
    if (reload != null) {
      reload.close();
    }
  }
}
