package io.spillway.relay.demo;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * An application with the OpenTelemetry SDK: traces over gRPC, metrics and logs over HTTP, at a
 * steady pace. Counts what the exporters were told was accepted.
 */
final class SdkTraffic implements AutoCloseable {

  private static final int TICKS_PER_SECOND = 20;
  private static final int SPANS_PER_TICK = 25;
  private static final int LOGS_PER_TICK = 10;
  private static final int GAUGES = 50;
  private static final Duration EXPORT_INTERVAL = Duration.ofMillis(250);
  private static final int QUEUE_ITEMS = 50_000;
  private static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
  private static final AttributeKey<Long> NUMBER = AttributeKey.longKey("demo.number");

  private final AtomicLong acknowledged = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final AtomicLong numbers = new AtomicLong();
  private final ScheduledExecutorService ticker =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("traffic").factory());
  private final SdkTracerProvider traces;
  private final SdkMeterProvider metrics;
  private final SdkLoggerProvider logs;

  /**
   * @param grpc host:port of the relay's gRPC receiver
   * @param http host:port of its HTTP receiver
   */
  SdkTraffic(String grpc, String http) {
    Resource resource =
        Resource.create(
            Attributes.of(
                AttributeKey.stringKey("service.name"),
                "checkout",
                AttributeKey.stringKey("service.namespace"),
                "shop"));
    traces =
        SdkTracerProvider.builder()
            .setResource(resource)
            .addSpanProcessor(
                BatchSpanProcessor.builder(
                        new CountingSpans(
                            OtlpGrpcSpanExporter.builder()
                                .setEndpoint("http://" + grpc)
                                .setCompression("gzip")
                                .build()))
                    .setScheduleDelay(EXPORT_INTERVAL)
                    .setMaxQueueSize(QUEUE_ITEMS)
                    .build())
            .build();
    logs =
        SdkLoggerProvider.builder()
            .setResource(resource)
            .addLogRecordProcessor(
                BatchLogRecordProcessor.builder(
                        new CountingLogs(
                            OtlpHttpLogRecordExporter.builder()
                                .setEndpoint("http://" + http + "/v1/logs")
                                .build()))
                    .setScheduleDelay(EXPORT_INTERVAL)
                    .setMaxQueueSize(QUEUE_ITEMS)
                    .build())
            .build();
    metrics =
        SdkMeterProvider.builder()
            .setResource(resource)
            .registerMetricReader(
                PeriodicMetricReader.builder(
                        new CountingMetrics(
                            OtlpHttpMetricExporter.builder()
                                .setEndpoint("http://" + http + "/v1/metrics")
                                .build()))
                    .setInterval(EXPORT_INTERVAL.multipliedBy(2))
                    .build())
            .build();
  }

  void start() {
    metrics
        .get("shop")
        .gaugeBuilder("shop.stock")
        .buildWithCallback(
            gauge -> {
              for (int shelf = 0; shelf < GAUGES; shelf++) {
                gauge.record(
                    ThreadLocalRandom.current().nextDouble(1000),
                    Attributes.of(AttributeKey.longKey("shelf"), (long) shelf));
              }
            });
    Tracer tracer = traces.get("shop");
    Logger logger = logs.get("shop");
    var _ = ticker.scheduleAtFixedRate(
        () -> tick(tracer, logger), 0, 1000 / TICKS_PER_SECOND, TimeUnit.MILLISECONDS);
  }

  private void tick(Tracer tracer, Logger logger) {
    for (int i = 0; i < SPANS_PER_TICK; i++) {
      Span span =
          tracer
              .spanBuilder("POST /checkout")
              .setSpanKind(SpanKind.SERVER)
              .setAttribute(ROUTE, "/checkout")
              .startSpan();
      span.setAttribute(NUMBER, numbers.incrementAndGet());
      span.end();
    }
    for (int i = 0; i < LOGS_PER_TICK; i++) {
      logger
          .logRecordBuilder()
          .setSeverity(Severity.INFO)
          .setBody("order accepted")
          .setAttribute(NUMBER, numbers.incrementAndGet())
          .emit();
    }
  }

  /** Items that the relay said OK to. */
  long acknowledged() {
    return acknowledged.get();
  }

  /** Items whose export failed: the application saw an error. */
  long failed() {
    return failed.get();
  }

  /** Stops the traffic and waits until the SDK has exported all it holds. */
  @Override
  public void close() {
    ticker.shutdownNow();
    CompletableResultCode done =
        CompletableResultCode.ofAll(
            java.util.List.of(traces.shutdown(), logs.shutdown(), metrics.shutdown()));
    done.join(15, TimeUnit.SECONDS);
  }

  private CompletableResultCode count(CompletableResultCode result, long items) {
    return result.whenComplete(() -> (result.isSuccess() ? acknowledged : failed).addAndGet(items));
  }

  private final class CountingSpans implements SpanExporter {
    private final SpanExporter exporter;

    CountingSpans(SpanExporter exporter) {
      this.exporter = exporter;
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      return count(exporter.export(spans), spans.size());
    }

    @Override
    public CompletableResultCode flush() {
      return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }
  }

  private final class CountingLogs implements LogRecordExporter {
    private final LogRecordExporter exporter;

    CountingLogs(LogRecordExporter exporter) {
      this.exporter = exporter;
    }

    @Override
    public CompletableResultCode export(Collection<LogRecordData> records) {
      return count(exporter.export(records), records.size());
    }

    @Override
    public CompletableResultCode flush() {
      return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }
  }

  private final class CountingMetrics implements MetricExporter {
    private final MetricExporter exporter;

    CountingMetrics(MetricExporter exporter) {
      this.exporter = exporter;
    }

    @Override
    public CompletableResultCode export(Collection<MetricData> data) {
      return count(
          exporter.export(data),
          data.stream().mapToInt(metric -> metric.getData().getPoints().size()).sum());
    }

    @Override
    public AggregationTemporality getAggregationTemporality(InstrumentType type) {
      return exporter.getAggregationTemporality(type);
    }

    @Override
    public CompletableResultCode flush() {
      return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }
  }
}
