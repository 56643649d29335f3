package io.spillway.receivers;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import io.spillway.otlp.stage.Gate;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves OTLP/gRPC and OTLP/HTTP. Both share a few network threads, on which requests are read,
 * decompressed and submitted. All methods are safe on any thread.
 */
public final class OtlpReceiver {
  private static final int ACCEPTOR_THREADS = 1;

  /** How long the network threads have to end once nothing is left for them to do. */
  private static final Duration THREADS_END = Duration.ofSeconds(2);

  /** How soon those who watch the health service hear of a change. */
  private static final Duration HEALTH_LOOK = Duration.ofSeconds(1);

  private final OtlpReceiverConfig config;
  private final Intake intake;
  private final ReceiverListener events;
  private final HealthService health;
  private final Map<Transport, Listener> listeners = new ConcurrentHashMap<>();

  private State state = State.NEW;
  private @Nullable ScheduledExecutorService files;
  private @Nullable EventLoopGroup acceptors;
  private @Nullable EventLoopGroup workers;
  private @Nullable GrpcServer grpc;
  private @Nullable HttpServer http;

  /**
   * @param gate the gate as it is now, asked for with every request
   * @param admission may be shared with other receivers
   */
  public OtlpReceiver(
      OtlpReceiverConfig config,
      Supplier<Gate> gate,
      Admission admission,
      ReceiverListener listener) {
    this(config, gate, admission, listener, () -> true);
  }

  /**
   * @param gate the gate as it is now, asked for with every request
   * @param admission may be shared with other receivers
   * @param accepting whether the gate takes requests now, as the health service says; must not
   *     block
   */
  public OtlpReceiver(
      OtlpReceiverConfig config,
      Supplier<Gate> gate,
      Admission admission,
      ReceiverListener listener,
      BooleanSupplier accepting) {
    this.config = config;
    this.intake = new Intake(gate, admission, listener, config.tenant());
    this.events = listener;
    this.health = new HealthService(accepting);
  }

  private enum State {
    NEW,
    STARTED,
    CLOSED
  }

  /**
   * Binds the configured endpoints and serves them.
   *
   * @throws IOException naming the endpoint, if one cannot be bound; nothing stays bound then, and
   *     the receiver is closed
   * @throws IllegalStateException if it was started or closed before
   */
  public synchronized void start() throws IOException {
    if (state != State.NEW) {
      throw new IllegalStateException("receiver otlp: was started or closed before");
    }
    state = State.STARTED;
    try {
      bind();
    } catch (IOException | RuntimeException e) {
      close(Duration.ZERO);
      throw e;
    }
  }

  /** Where gRPC is served; null while it is not, or not on a network. */
  public synchronized @Nullable InetSocketAddress grpcAddress() {
    return grpc != null && grpc.address() instanceof InetSocketAddress address ? address : null;
  }

  /** Where HTTP is served; null while it is not, or not on a network. */
  public synchronized @Nullable InetSocketAddress httpAddress() {
    return http != null && http.address() instanceof InetSocketAddress address ? address : null;
  }

  /**
   * Where a protocol is served, for people: {@code 127.0.0.1:4317} or {@code unix:///run/it.sock};
   * null while it is not.
   */
  public synchronized @Nullable String servedAt(Transport transport) {
    SocketAddress address =
        switch (transport) {
          case GRPC -> grpc == null ? null : grpc.address();
          case HTTP -> http == null ? null : http.address();
        };
    return switch (address) {
      case null -> null;
      case InetSocketAddress network -> network.getHostString() + ":" + network.getPort();
      default -> "unix://" + address;
    };
  }

  /** Open connections; 0 while the protocol is not served. */
  public int connections(Transport transport) {
    Listener listener = listeners.get(transport);
    return listener == null ? 0 : listener.connections();
  }

  /** When the listener's certificate in use expires; null if it has none. */
  public @Nullable Instant certificateExpires(Transport transport) {
    Listener listener = listeners.get(transport);
    return listener == null ? null : listener.certificateExpires();
  }

  /**
   * Whether files of the listener cannot be used as they are now: older certificates stay in use,
   * and without credentials senders are asked to come back.
   */
  public boolean hasUnusableFiles(Transport transport) {
    Listener listener = listeners.get(transport);
    return listener != null && listener.hasUnusableFiles();
  }

  /**
   * Takes no more requests, waits for those in flight, and at the deadline abandons them; their
   * answers still reach the listener. Safe unstarted and twice.
   */
  public synchronized void close(Duration deadline) {
    state = State.CLOSED;
    long deadlineNanos = System.nanoTime() + deadline.toNanos();
    try {
      closeServers(deadlineNanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      grpc = null;
      http = null;
      listeners.values().forEach(Listener::close);
      endThreads();
    }
  }

  private void bind() throws IOException {
    EventLoopGroup accepting = threads("otlp-accept", ACCEPTOR_THREADS);
    acceptors = accepting;
    EventLoopGroup working = threads("otlp-network", Runtime.getRuntime().availableProcessors());
    workers = working;
    ScheduledExecutorService reading =
        Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("otlp-files", true));
    files = reading;
    OtlpReceiverConfig.Grpc grpcConfig = config.grpc();
    if (grpcConfig != null) {
      Endpoint endpoint = grpcConfig.endpoint();
      Listener listener = listen(Transport.GRPC, endpoint, grpcConfig.guard().listener(), reading);
      try {
        grpc =
            GrpcServer.start(
                listener,
                grpcConfig.guard().keepalive(),
                health,
                grpcConfig.maxRequestBytes(),
                intake,
                accepting,
                working);
        listener.bound();
      } catch (IOException e) {
        throw cannotBind("grpc", endpoint, e);
      }
      long seconds = HEALTH_LOOK.toSeconds();
      var _ = reading.scheduleWithFixedDelay(health::look, seconds, seconds, TimeUnit.SECONDS);
    }
    OtlpReceiverConfig.Http httpConfig = config.http();
    if (httpConfig != null) {
      Endpoint endpoint = httpConfig.endpoint();
      Listener listener = listen(Transport.HTTP, endpoint, httpConfig.guard().listener(), reading);
      try {
        http =
            new HttpServer(
                listener,
                httpConfig.maxRequestBytes(),
                httpConfig.service(),
                httpConfig.guard().timeouts(),
                intake,
                accepting,
                working);
        listener.bound();
      } catch (IOException e) {
        throw cannotBind("http", endpoint, e);
      }
    }
  }

  private Listener listen(
      Transport transport,
      Endpoint endpoint,
      ListenerConfig listenerConfig,
      ScheduledExecutorService reading)
      throws IOException {
    Listener listener = Listener.open(transport, endpoint, listenerConfig, events, reading);
    listeners.put(transport, listener);
    return listener;
  }

  private static EventLoopGroup threads(String name, int count) {
    return new MultiThreadIoEventLoopGroup(
        count, new DefaultThreadFactory(name), NioIoHandler.newFactory());
  }

  private static IOException cannotBind(String protocol, Endpoint endpoint, IOException e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return new IOException(
        "receivers::otlp::protocols::"
            + protocol
            + "::endpoint: cannot listen on "
            + endpoint
            + " ("
            + cause.getMessage()
            + "). Spillway serves nothing; stop what listens there, or choose another address or"
            + " port (0 takes a free one).",
        e);
  }

  /** Both stop accepting first, so that the time left is one for both. */
  private void closeServers(long deadlineNanos) throws InterruptedException {
    if (grpc != null) {
      grpc.stopAccepting();
    }
    if (http != null) {
      http.stopAccepting();
    }
    try {
      if (http != null) {
        http.close(deadlineNanos);
      }
    } finally {
      if (grpc != null) {
        grpc.close(deadlineNanos);
      }
    }
  }

  private void endThreads() {
    if (files != null) {
      files.shutdownNow();
      files = null;
    }
    Future<?> acceptorsEnded = end(acceptors);
    Future<?> workersEnded = end(workers);
    acceptors = null;
    workers = null;
    for (Future<?> ended : new Future<?>[] {acceptorsEnded, workersEnded}) {
      if (ended != null) {
        ended.awaitUninterruptibly(THREADS_END.toMillis());
      }
    }
  }

  private static @Nullable Future<?> end(@Nullable EventLoopGroup threads) {
    return threads == null
        ? null
        : threads.shutdownGracefully(0, THREADS_END.toMillis(), TimeUnit.MILLISECONDS);
  }
}
