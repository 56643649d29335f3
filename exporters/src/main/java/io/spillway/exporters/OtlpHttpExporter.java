package io.spillway.exporters;

import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.RetrySettings;
import io.spillway.otlp.tls.TlsConfigException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests as OTLP/HTTP with protobuf bodies over HTTP/1.1, one at a time on each of a few
 * connections. Payloads go out in the compression they have; redirects are not followed.
 */
final class OtlpHttpExporter implements Exporter {
  private final OtlpHttpConfig config;
  private final EventLoop loop;
  private final InstantSource clock;
  private final Credentials credentials;
  private final String userAgent;
  private final Attempts attempts;
  private final Traffic traffic;
  private final Dialer dialer;
  private final SinkTls tls;
  private final Map<Signal, HttpConnections> connections = new EnumMap<>(Signal.class);

  /**
   * @param loop carries all connections of this exporter
   */
  OtlpHttpExporter(
      OtlpHttpConfig config,
      Dialer dialer,
      SinkTls tls,
      EventLoop loop,
      Credentials credentials,
      InstantSource clock,
      String userAgent)
      throws TlsConfigException {
    this.config = config;
    this.loop = loop;
    this.clock = clock;
    this.credentials = credentials;
    this.userAgent = userAgent;
    this.attempts = new Attempts(config.id());
    this.traffic = dialer.traffic();
    this.dialer = dialer;
    this.tls = tls;
    boolean encrypted = config.endpoints().values().stream().anyMatch(e -> !e.plaintext());
    SslContext context = encrypted ? tls.toSink(config.otlp().tls(), TlsContext.Use.HTTP) : null;
    Map<ExporterConfig.Destination, HttpConnections> places = new HashMap<>();
    config
        .endpoints()
        .forEach(
            (signal, endpoint) ->
                connections.put(
                    signal,
                    places.computeIfAbsent(
                        endpoint.destination(), place -> connections(endpoint, context, dialer))));
  }

  private HttpConnections connections(
      Endpoint endpoint, @Nullable SslContext context, Dialer dialer) {
    String override = config.otlp().tls().serverName();
    return new HttpConnections(
        endpoint,
        endpoint.plaintext() ? null : context,
        override == null ? endpoint.host() : override,
        loop,
        dialer,
        config.otlp().timeout(),
        config.otlp().link().maxConnections());
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
    HttpConnections place = connections.get(request.signal());
    Endpoint endpoint = config.endpoints().get(request.signal());
    if (place == null || endpoint == null) {
      String key = request.signal().label() + "_endpoint";
      attempt.complete(
          new Outcome.SinkDown(ErrorClass.NOT_FOUND, "neither endpoint nor " + key + " is set"));
    } else if (!attempt.isDone()) {
      credentials.attempt(
          config.otlp().timeout(),
          attempt,
          (headers, timeout, each) -> begin(request, headers, timeout, each, endpoint, place));
    }
    return attempt;
  }

  private void begin(
      ExportRequest request,
      Headers headers,
      Duration timeout,
      CompletableFuture<Outcome> attempt,
      Endpoint endpoint,
      HttpConnections place) {
    HttpOutcomes outcomes = new HttpOutcomes(clock, headers, config.otlp().sink().strictOtlp());
    try {
      new HttpAttempt(
              () -> HttpMessages.post(endpoint, headers, userAgent, request),
              request,
              outcomes,
              attempt,
              place,
              traffic)
          .begin(timeout);
    } catch (RejectedExecutionException e) {
      attempt.complete(Failures.outcome(e));
    }
  }

  @Override
  public void close(Duration deadline) {
    attempts.close(deadline);
    dialer.close();
    tls.close();
    credentials.close();
    if (!loop.isShuttingDown()) {
      connections.values().forEach(place -> loop.execute(place::close));
    }
  }
}
