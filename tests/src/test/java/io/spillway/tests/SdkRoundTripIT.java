package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
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
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Keep;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Flattened;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.SdkExporters;
import io.spillway.tests.harness.Yaml;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What the OpenTelemetry SDK sends through the relay arrives as what it sends without the relay:
 * every export goes both ways, and both sinks must have decoded the same.
 */
@Timeout(300)
class SdkRoundTripIT {

  private static final int SPANS = 500;
  private static final int RECORDS = 500;

  /** An export that is given up and repeated arrives twice, and the sinks differ. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @RegisterExtension final Lab lab = new Lab();

  @ParameterizedTest
  @CsvSource({
    "GRPC, none, HTTP, none",
    "GRPC, gzip, GRPC, gzip",
    "HTTP, none, GRPC, zstd",
    "HTTP, gzip, HTTP, gzip",
  })
  void export_throughRelay_arrivesAsWithoutIt(
      Protocol sender, String senderCodec, Protocol receiver, String relayCodec) {
    CapturingSink direct = lab.sink(sender, Keep.REQUESTS);
    CapturingSink relayed = lab.sink(receiver, Keep.REQUESTS);
    RelayProcess relay =
        lab.relay(
            Yaml.anywhere(lab.directory())
                + "exporters:\n"
                + Yaml.exporter("sink", relayed, relayCodec)
                + "routes:\n  - { name: default, exporters: [%s] }\n"
                    .formatted(Yaml.id("sink", relayed)));
    String in = "http://" + (sender == Protocol.GRPC ? relay.grpc() : relay.http());

    try (OpenTelemetrySdk sdk = sdk(sender, senderCodec, List.of(in, direct.endpoint()))) {
      useAllOf(sdk);
      assertThat(flush(sdk).isSuccess()).isTrue();
    }

    for (Kind kind : Kind.values()) {
      List<Flattened> sent = Flattened.all(direct.requests(kind));
      assertThat(sent).hasSizeGreaterThan(3);
      await()
          .untilAsserted(
              () ->
                  assertThat(Flattened.all(relayed.requests(kind)))
                      .containsExactlyInAnyOrderElementsOf(sent));
    }
    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    assertThat(relay.ledger().balanced()).isTrue();
    assertThat(relay.ledger().accepted())
        .containsEntry("traces", (long) SPANS)
        .containsEntry("logs", (long) RECORDS);
  }

  private static CompletableResultCode flush(OpenTelemetrySdk sdk) {
    return CompletableResultCode.ofAll(
            List.of(
                sdk.getSdkTracerProvider().forceFlush(),
                sdk.getSdkMeterProvider().forceFlush(),
                sdk.getSdkLoggerProvider().forceFlush()))
        .join(60, TimeUnit.SECONDS);
  }

  private static void useAllOf(OpenTelemetrySdk sdk) {
    Tracer tracer =
        sdk.getTracerProvider()
            .tracerBuilder("shop")
            .setInstrumentationVersion("2")
            .setSchemaUrl("https://opentelemetry.io/schemas/1.37.0")
            .build();
    Logger logger = sdk.getLogsBridge().get("shop.log");
    Meter meter = sdk.getMeter("shop");
    for (int i = 0; i < SPANS; i++) {
      Span parent =
          tracer
              .spanBuilder("order " + i)
              .setSpanKind(SpanKind.SERVER)
              .setAttribute("order.id", i)
              .startSpan();
      parent.addEvent(
          "paid", Attributes.builder().put("amount", i * 1.5).put("codes", 1L, 2L).build());
      if (i % 3 == 0) {
        parent.setStatus(StatusCode.ERROR, "card declined");
        parent.recordException(new IllegalStateException("déjà vu " + i));
      }
      if (i < RECORDS) {
        logger
            .logRecordBuilder()
            .setContext(Context.root().with(parent))
            .setSeverity(Severity.WARN)
            .setBody("order " + i + " \u2603")
            .setAttribute(AttributeKey.booleanKey("vip"), i % 2 == 0)
            .emit();
      }
      parent.end();
    }
    meter
        .counterBuilder("orders")
        .setUnit("{order}")
        .build()
        .add(SPANS, Attributes.builder().put("shop", "north").build());
    meter.upDownCounterBuilder("open").build().add(-3);
    meter.histogramBuilder("latency").setUnit("s").build().record(0.25);
    meter.gaugeBuilder("temperature").setUnit("Cel").build().set(-4.5);
  }

  private static OpenTelemetrySdk sdk(Protocol protocol, String codec, List<String> endpoints) {
    Resource resource = Resource.getDefault().toBuilder().put("service.name", "shop").build();
    List<SdkExporters> exporters =
        endpoints.stream().map(e -> new SdkExporters(protocol, e, codec, PATIENCE)).toList();
    List<SpanExporter> spans = exporters.stream().map(SdkExporters::spans).toList();
    List<LogRecordExporter> logs = exporters.stream().map(SdkExporters::logs).toList();
    List<MetricExporter> metrics = exporters.stream().map(SdkExporters::metrics).toList();
    return OpenTelemetrySdk.builder()
        .setTracerProvider(
            SdkTracerProvider.builder()
                .setResource(resource)
                .addSpanProcessor(
                    BatchSpanProcessor.builder(SpanExporter.composite(spans))
                        .setExporterTimeout(PATIENCE)
                        .build())
                .build())
        .setLoggerProvider(
            SdkLoggerProvider.builder()
                .setResource(resource)
                .addLogRecordProcessor(
                    BatchLogRecordProcessor.builder(LogRecordExporter.composite(logs))
                        .setExporterTimeout(PATIENCE)
                        .build())
                .build())
        .setMeterProvider(
            SdkMeterProvider.builder()
                .setResource(resource)
                .registerMetricReader(
                    // Read at the flush and at the end only, so that both sinks get the same
                    // points.
                    PeriodicMetricReader.builder(new Both(metrics))
                        .setInterval(Duration.ofHours(1))
                        .build())
                .build())
        .build();
  }

  /** Exports each reading everywhere. */
  private record Both(List<MetricExporter> exporters) implements MetricExporter {
    @Override
    public AggregationTemporality getAggregationTemporality(InstrumentType type) {
      return AggregationTemporality.CUMULATIVE;
    }

    @Override
    public CompletableResultCode export(Collection<MetricData> metrics) {
      return CompletableResultCode.ofAll(
          exporters.stream().map(exporter -> exporter.export(metrics)).toList());
    }

    @Override
    public CompletableResultCode flush() {
      return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode shutdown() {
      return CompletableResultCode.ofAll(exporters.stream().map(MetricExporter::shutdown).toList());
    }
  }
}
