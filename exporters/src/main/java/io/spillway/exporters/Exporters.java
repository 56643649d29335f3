package io.spillway.exporters;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.spillway.otlp.stage.DialPolicy;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.tls.TlsConfigException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Makes exporters and owns the threads they share: few for I/O, few for what blocks (name lookups).
 * Outlives its exporters: close them first.
 */
public final class Exporters implements AutoCloseable {
  private static final int IO_THREADS = 2;
  private static final int LOOKUP_THREADS = 4;
  private static final int MAX_LOOKUPS_WAITING = 256;
  private static final long CLOSE_SECONDS = 5;

  /**
   * These log every failure to connect and every late frame, without a limit; outcomes say the
   * same. Kept here because the JDK forgets the level of a logger that nobody holds.
   */
  private static final List<Logger> NOISY =
      List.of(
          Logger.getLogger("io.grpc.internal.ManagedChannelImpl"),
          Logger.getLogger("io.grpc.internal.AbstractClientStream"));

  private final DialPolicy policy;
  private final InstantSource clock;
  private final NameLookup lookup;
  private final String userAgent;
  private final EventLoopGroup loops;
  private final ThreadPoolExecutor lookups;
  private final Set<Dialer> dialers = ConcurrentHashMap.newKeySet();
  private final Map<String, Traffic> traffic = new ConcurrentHashMap<>();
  private final Set<SinkTls> encryption = ConcurrentHashMap.newKeySet();
  private final Map<CertificateWatch.Key, Instant> expiryWarnings = new ConcurrentHashMap<>();

  /**
   * @param policy asked before every lookup and every dial
   */
  public Exporters(DialPolicy policy) {
    this(policy, InstantSource.system(), version());
  }

  /**
   * @param clock for file names and HTTP dates
   * @param version Spillway's, shown to sinks as {@code User-Agent: Spillway/<version>}
   */
  Exporters(DialPolicy policy, InstantSource clock, String version) {
    this(policy, clock, NameLookup.SYSTEM, version);
  }

  /**
   * @param clock for file names and HTTP dates
   * @param lookup finds the addresses of all names
   * @param version Spillway's, shown to sinks as {@code User-Agent: Spillway/<version>}
   */
  Exporters(DialPolicy policy, InstantSource clock, NameLookup lookup, String version) {
    NOISY.forEach(logger -> logger.setLevel(Level.SEVERE));
    this.policy = policy;
    this.clock = clock;
    this.lookup = lookup;
    this.userAgent = "Spillway/" + version;
    this.loops =
        new MultiThreadIoEventLoopGroup(
            IO_THREADS,
            new DefaultThreadFactory("spillway-export", true),
            NioIoHandler.newFactory());
    this.lookups =
        new ThreadPoolExecutor(
            LOOKUP_THREADS,
            LOOKUP_THREADS,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MAX_LOOKUPS_WAITING),
            new DefaultThreadFactory("spillway-lookup", true));
    lookups.allowCoreThreadTimeOut(true);
  }

  /** From the jar's manifest; classes that are not in a jar have none. */
  private static String version() {
    String version = Exporters.class.getPackage().getImplementationVersion();
    return version == null ? "dev" : version;
  }

  /**
   * Makes an exporter. Nothing is dialled or written before its first attempt.
   *
   * @throws IllegalStateException if a file with a secret or for TLS that was good when the
   *     configuration was read no longer is
   */
  public Exporter create(ExporterConfig config) {
    EventLoop loop = loops.next();
    try {
      return switch (config) {
        case OtlpGrpcConfig grpc -> grpc(grpc, dialer(config, grpc.otlp(), loop), loop);
        case OtlpHttpConfig http -> http(http, dialer(config, http.otlp(), loop), loop);
        case FileConfig file -> new FileExporter(file, clock);
        case DebugConfig debug -> new DebugExporter(debug);
      };
    } catch (TlsConfigException e) {
      throw new IllegalStateException(
          "exporters::" + config.id() + "::tls::" + e.key() + ": " + e.getMessage(), e);
    } catch (IOException e) {
      throw new IllegalStateException("exporters::" + config.id() + ": " + e.getMessage(), e);
    }
  }

  private Dialer dialer(ExporterConfig config, OtlpSettings otlp, EventLoop loop) {
    Dialer dialer =
        new Dialer(
            config.caller(), policy, lookup, lookups, traffic(config.id()), otlp.link().proxy());
    dialer.recheckEach(otlp.link().dnsRefreshInterval().toNanos(), loop);
    dialers.removeIf(Dialer::isForgotten);
    dialers.add(dialer);
    return dialer;
  }

  /**
   * Looks at once at what open connections lead to, those of closing exporters included: for when
   * the policy has changed. Those that it denies are cut off. Returns without waiting.
   */
  public void recheck() {
    dialers.forEach(Dialer::recheck);
  }

  /** Connections that an exporter has open. Safe on any thread. */
  public long connections(String exporter) {
    return openTo(exporter).count();
  }

  private Stream<InetSocketAddress> openTo(String exporter) {
    return dialers.stream().filter(dialer -> dialer.isOf(exporter)).flatMap(Dialer::openTo);
  }

  /**
   * Ephemeral ports in use to the one address and port of this exporter's that takes most, whoever
   * of the exporters uses them: an address and port can be connected to from each local port once.
   */
  public long portsUsed(String exporter) {
    Map<InetSocketAddress, Long> all =
        dialers.stream()
            .flatMap(Dialer::openTo)
            .collect(Collectors.groupingBy(address -> address, Collectors.counting()));
    return openTo(exporter).mapToLong(address -> all.getOrDefault(address, 0L)).max().orElse(0);
  }

  private Exporter grpc(OtlpGrpcConfig config, Dialer dialer, EventLoop loop)
      throws IOException, TlsConfigException {
    SinkTls tls = tls(config, dialer, loop);
    try {
      Credentials credentials = credentials(config.otlp(), dialer, tls, loop);
      return new OtlpGrpcExporter(
          config, dialer, tls, loop, credentials, lookups, clock, userAgent);
    } catch (IOException | TlsConfigException | RuntimeException e) {
      tls.close();
      throw e;
    }
  }

  private Exporter http(OtlpHttpConfig config, Dialer dialer, EventLoop loop)
      throws IOException, TlsConfigException {
    SinkTls tls = tls(config, dialer, loop);
    try {
      Credentials credentials = credentials(config.otlp(), dialer, tls, loop);
      return new OtlpHttpExporter(config, dialer, tls, loop, credentials, clock, userAgent);
    } catch (IOException | TlsConfigException | RuntimeException e) {
      tls.close();
      throw e;
    }
  }

  private SinkTls tls(ExporterConfig config, Dialer dialer, EventLoop loop) {
    CertificateWatch watch = new CertificateWatch(config.id(), clock, expiryWarnings);
    SinkTls tls = new SinkTls(config.id(), watch, loop, lookups, dialer::renew);
    encryption.removeIf(SinkTls::isClosed);
    encryption.add(tls);
    return tls;
  }

  /**
   * When the certificates expire that an exporter depends on: those of sinks and token endpoints as
   * shown in the last handshake, and its own. None for a holder that has none, or has not been seen
   * yet. Safe on any thread.
   */
  public List<CertificateExpiry> certificates(String exporter) {
    return encryption.stream()
        .filter(tls -> tls.isOf(exporter) && !tls.isClosed())
        .flatMap(SinkTls::expiries)
        .collect(
            Collectors.toMap(
                CertificateExpiry::holder,
                expiry -> expiry,
                (one, other) -> one.at().isBefore(other.at()) ? one : other))
        .values()
        .stream()
        .toList();
  }

  private Credentials credentials(OtlpSettings otlp, Dialer dialer, SinkTls tls, EventLoop loop)
      throws IOException, TlsConfigException {
    return new Credentials(otlp, dialer, tls, loop, lookups, userAgent, System::nanoTime);
  }

  /** One for all exporters of an id, so that its counts outlive a reload. */
  private Traffic traffic(String exporter) {
    return traffic.computeIfAbsent(exporter, _ -> new Traffic());
  }

  /** Bytes that the sockets of an exporter sent since the process started. Safe on any thread. */
  public long sentBytes(String exporter) {
    return traffic(exporter).sentBytes();
  }

  /** Bytes that its sockets received. Safe on any thread. */
  public long receivedBytes(String exporter) {
    return traffic(exporter).receivedBytes();
  }

  /** Stops the shared threads. Attempts of exporters that were not closed may never end. */
  @Override
  public void close() {
    lookups.shutdownNow();
    loops
        .shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS)
        .awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
  }
}
