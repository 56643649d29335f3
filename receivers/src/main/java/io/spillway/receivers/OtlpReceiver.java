package io.spillway.receivers;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import io.spillway.otlp.stage.Gate;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
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

  private final OtlpReceiverConfig config;
  private final HttpTimeouts httpTimeouts;
  private final Intake intake;

  private State state = State.NEW;
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
    this(config, gate, admission, listener, HttpTimeouts.DEFAULT);
  }

  OtlpReceiver(
      OtlpReceiverConfig config,
      Supplier<Gate> gate,
      Admission admission,
      ReceiverListener listener,
      HttpTimeouts httpTimeouts) {
    this.config = config;
    this.httpTimeouts = httpTimeouts;
    this.intake = new Intake(gate, admission, listener);
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

  /** Where gRPC is served; null while it is not. */
  public synchronized @Nullable InetSocketAddress grpcAddress() {
    return grpc == null ? null : grpc.address();
  }

  /** Where HTTP is served; null while it is not. */
  public synchronized @Nullable InetSocketAddress httpAddress() {
    return http == null ? null : http.address();
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
      endThreads();
    }
  }

  private void bind() throws IOException {
    EventLoopGroup accepting = threads("otlp-accept", ACCEPTOR_THREADS);
    acceptors = accepting;
    EventLoopGroup working = threads("otlp-network", Runtime.getRuntime().availableProcessors());
    workers = working;
    OtlpReceiverConfig.Grpc grpcConfig = config.grpc();
    if (grpcConfig != null) {
      Endpoint endpoint = grpcConfig.endpoint();
      try {
        grpc =
            GrpcServer.start(
                resolve(endpoint), grpcConfig.maxRequestBytes(), intake, accepting, working);
      } catch (IOException e) {
        throw cannotBind("grpc", endpoint, e);
      }
    }
    OtlpReceiverConfig.Http httpConfig = config.http();
    if (httpConfig != null) {
      Endpoint endpoint = httpConfig.endpoint();
      try {
        http =
            new HttpServer(
                resolve(endpoint),
                httpConfig.maxRequestBytes(),
                httpConfig.service(),
                httpTimeouts,
                intake,
                accepting,
                working);
      } catch (IOException e) {
        throw cannotBind("http", endpoint, e);
      }
    }
  }

  private static EventLoopGroup threads(String name, int count) {
    return new MultiThreadIoEventLoopGroup(
        count, new DefaultThreadFactory(name), NioIoHandler.newFactory());
  }

  private static InetSocketAddress resolve(Endpoint endpoint) throws IOException {
    return new InetSocketAddress(InetAddress.getByName(endpoint.host()), endpoint.port());
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
