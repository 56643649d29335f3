package io.spillway.exporters;

import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.grpc.CallOptions;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.CompressorRegistry;
import io.grpc.ConnectivityState;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.NameResolverRegistry;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettySslContextChannelCredentials;
import io.netty.channel.EventLoop;
import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.RetrySettings;
import io.spillway.otlp.tls.TlsConfigException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests as unary OTLP/gRPC calls, many at a time on one connection. Payloads go out in the
 * compression they have.
 */
final class OtlpGrpcExporter implements Exporter {
  /** Silence for this long with calls open makes us ask whether the connection is still there. */
  private static final int KEEPALIVE_SECONDS = 30;

  private static final int KEEPALIVE_TIMEOUT_SECONDS = 10;

  private final OtlpGrpcConfig config;
  private final EventLoop loop;
  private final Attempts attempts;
  private final GrpcOutcomes outcomes;
  private final Credentials credentials;
  private final Traffic traffic;
  private final Dialer dialer;
  private final SinkTls tls;
  private final ManagedChannel channel;
  private final Map<Signal, MethodDescriptor<Slice, Slice>> methods = new EnumMap<>(Signal.class);

  /**
   * @param loop carries the connection, and everything else that happens here
   * @param offload runs what blocks
   * @param userAgent gRPC puts its own behind it
   */
  OtlpGrpcExporter(
      OtlpGrpcConfig config,
      Dialer dialer,
      SinkTls tls,
      EventLoop loop,
      Credentials credentials,
      Executor offload,
      InstantSource clock,
      String userAgent)
      throws TlsConfigException {
    this.config = config;
    this.loop = loop;
    this.outcomes = new GrpcOutcomes(clock, config.otlp().sink().strictOtlp());
    this.credentials = credentials;
    this.attempts = new Attempts(config.id());
    this.traffic = dialer.traffic();
    this.dialer = dialer;
    this.tls = tls;
    for (Signal signal : Signal.values()) {
      methods.put(signal, method(signal));
    }
    this.channel = channel(config, dialer, tls, loop, offload, userAgent);
    // Lets calls finish; the next one resolves and connects anew.
    dialer.whenMoved(channel::enterIdle);
  }

  private static MethodDescriptor<Slice, Slice> method(Signal signal) {
    return MethodDescriptor.<Slice, Slice>newBuilder()
        .setType(MethodDescriptor.MethodType.UNARY)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(signal.grpcService(), "Export"))
        .setRequestMarshaller(SliceMarshaller.INSTANCE)
        .setResponseMarshaller(SliceMarshaller.INSTANCE)
        .build();
  }

  private static ManagedChannel channel(
      OtlpGrpcConfig config,
      Dialer dialer,
      SinkTls tls,
      EventLoop loop,
      Executor offload,
      String userAgent)
      throws TlsConfigException {
    Endpoint endpoint = config.endpoint();
    NameResolverRegistry resolvers = new NameResolverRegistry();
    resolvers.register(new PolicedNameResolver.Provider(dialer, endpoint, loop));
    NettyChannelBuilder builder =
        (NettyChannelBuilder)
            Grpc.newChannelBuilder(
                PolicedNameResolver.SCHEME + ":///" + endpoint.authority(),
                credentials(config, tls),
                resolvers);
    String serverName = config.otlp().tls().serverName();
    if (serverName != null) {
      builder.overrideAuthority(serverName);
    }
    return builder
        .eventLoopGroup(loop)
        .channelFactory(
            () -> dialer.channel(endpoint, config.otlp().timeout().toMillis() / 2),
            InetSocketAddress.class)
        .directExecutor()
        .offloadExecutor(offload)
        .compressorRegistry(compressors())
        .maxInboundMessageSize(GrpcOutcomes.MAX_RESPONSE_BYTES)
        .keepAliveTime(KEEPALIVE_SECONDS, SECONDS)
        .keepAliveTimeout(KEEPALIVE_TIMEOUT_SECONDS, SECONDS)
        .proxyDetector(
            address -> null) // none from the environment; the dialer has the configured one
        .disableRetry()
        .disableServiceConfigLookUp()
        .userAgent(userAgent)
        .build();
  }

  private static ChannelCredentials credentials(OtlpGrpcConfig config, SinkTls tls)
      throws TlsConfigException {
    return config.endpoint().plaintext()
        ? InsecureChannelCredentials.create()
        : NettySslContextChannelCredentials.create(
            tls.toSink(config.otlp().tls(), TlsContext.Use.GRPC));
  }

  private static CompressorRegistry compressors() {
    CompressorRegistry registry = CompressorRegistry.newEmptyInstance();
    registry.register(new PassThroughCompressor(Codec.GZIP));
    registry.register(new PassThroughCompressor(Codec.ZSTD));
    return registry;
  }

  @Override
  public String id() {
    return config.id();
  }

  @Override
  public Codec codec() {
    return config.codec();
  }

  @Override
  public GzipPassthrough gzipPassthrough() {
    return config.otlp().gzipPassthrough();
  }

  @Override
  public int maxRequestBytes() {
    return config.otlp().maxRequestBytes();
  }

  @Override
  public RetrySettings retry() {
    return config.otlp().retry();
  }

  @Override
  public CompletableFuture<Outcome> export(ExportRequest request) {
    CompletableFuture<Outcome> attempt = attempts.begin();
    if (!attempt.isDone()) {
      credentials.attempt(
          config.otlp().timeout(),
          attempt,
          (headers, timeout, each) -> send(request, headers, timeout, each));
    }
    return attempt;
  }

  private void send(
      ExportRequest request,
      Headers headers,
      Duration timeout,
      CompletableFuture<Outcome> attempt) {
    try {
      loop.execute(() -> begin(request, headers, timeout, attempt));
    } catch (RejectedExecutionException e) {
      attempt.complete(Failures.outcome(e));
    }
  }

  private void begin(
      ExportRequest request,
      Headers headers,
      Duration timeout,
      CompletableFuture<Outcome> attempt) {
    if (!attempt.isDone()) {
      try {
        call(request, headers, timeout, attempt);
      } catch (RuntimeException e) {
        attempt.complete(new Outcome.SinkDown(ErrorClass.LOCAL, "gRPC call failed: " + e));
      }
    }
  }

  private void call(
      ExportRequest request,
      Headers headers,
      Duration timeout,
      CompletableFuture<Outcome> attempt) {
    leaveFailedConnection();
    Answer answer = new Answer(request, headers, attempt);
    ClientCall<Slice, Slice> call =
        channel.newCall(
            methods.get(request.signal()),
            callOptions(request.codec(), timeout)
                .withStreamTracerFactory(answer.end)
                .withStreamTracerFactory(new CallBytes(traffic, request.wireBytes())));
    var _ =
        attempt.whenComplete(
            (outcome, failure) -> {
              if (!answer.ended) {
                call.cancel("attempt abandoned", null);
              }
            });
    call.start(answer, metadata(headers));
    call.request(2); // one more than expected, as for every unary call: a second one is an error
    call.sendMessage(request.payload());
    call.halfClose();
  }

  /**
   * A channel that could not connect fails every call at once until its own backoff is over, and
   * the one after too. Waiting is the egress's business: every attempt resolves and dials anew.
   *
   * <p>A call can fail before the channel is in the state that made it fail. That is over when the
   * event loop takes its next task, so attempts begin there.
   */
  private void leaveFailedConnection() {
    if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
      channel.enterIdle();
    }
  }

  private static CallOptions callOptions(Codec codec, Duration timeout) {
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(timeout.toNanos(), NANOSECONDS);
    return codec == Codec.NONE ? options : options.withCompression(codec.encoding());
  }

  /** Made for each call: gRPC adds its own to what it is given. */
  private static Metadata metadata(Headers headers) {
    Metadata metadata = new Metadata();
    headers
        .values()
        .forEach(
            (name, value) ->
                metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
    return metadata;
  }

  @Override
  public void close(Duration deadline) {
    attempts.close(deadline);
    dialer.close();
    tls.close();
    credentials.close();
    channel.shutdownNow();
  }

  /** Collects the answer to one call, on the connection's thread. */
  private final class Answer extends ClientCall.Listener<Slice> {
    private final ExportRequest request;
    private final Headers headers;
    private final CompletableFuture<Outcome> attempt;
    private @Nullable Slice message;
    private final GrpcEnd end = new GrpcEnd();
    private boolean begun;
    volatile boolean ended;

    Answer(ExportRequest request, Headers headers, CompletableFuture<Outcome> attempt) {
      this.request = request;
      this.headers = headers;
      this.attempt = attempt;
    }

    @Override
    public void onHeaders(Metadata headers) {
      begun = true;
    }

    @Override
    public void onMessage(Slice message) {
      this.message = message;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      ended = true;
      traffic.ending(request.wireBytes(), attempts.onlyOne());
      attempt.complete(outcome(status, trailers));
    }

    private Outcome outcome(Status status, Metadata trailers) {
      if (status.isOk()) {
        return outcomes.delivered(message == null ? Slice.EMPTY : message, request.items());
      }
      Status redacted = status;
      if (status.getDescription() != null) {
        redacted = status.withDescription(headers.redact(status.getDescription()));
      }
      return outcomes.failed(
          new GrpcOutcomes.End(redacted, trailers, begun, end.isComplete()),
          request.uncompressedLength());
    }
  }
}
