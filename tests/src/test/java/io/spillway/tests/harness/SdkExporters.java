package io.spillway.tests.harness;

import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.spillway.tests.harness.CapturingSink.Protocol;
import java.time.Duration;

/**
 * Makes the OpenTelemetry SDK's exporters for one endpoint.
 *
 * @param endpoint {@code http://host:port}
 * @param timeout of one export
 * @param senders finds what they send with
 */
public record SdkExporters(
    Protocol protocol, String endpoint, String codec, Duration timeout, ComponentLoader senders) {

  /** They send with what the SDK chooses. */
  public SdkExporters(Protocol protocol, String endpoint, String codec, Duration timeout) {
    this(
        protocol,
        endpoint,
        codec,
        timeout,
        ComponentLoader.forClassLoader(SdkExporters.class.getClassLoader()));
  }

  public SpanExporter spans() {
    return protocol == Protocol.GRPC
        ? OtlpGrpcSpanExporter.builder()
            .setComponentLoader(senders)
            .setEndpoint(endpoint)
            .setCompression(codec)
            .setTimeout(timeout)
            .build()
        : OtlpHttpSpanExporter.builder()
            .setComponentLoader(senders)
            .setEndpoint(endpoint + "/v1/traces")
            .setCompression(codec)
            .setTimeout(timeout)
            .build();
  }

  public LogRecordExporter logs() {
    return protocol == Protocol.GRPC
        ? OtlpGrpcLogRecordExporter.builder()
            .setComponentLoader(senders)
            .setEndpoint(endpoint)
            .setCompression(codec)
            .setTimeout(timeout)
            .build()
        : OtlpHttpLogRecordExporter.builder()
            .setComponentLoader(senders)
            .setEndpoint(endpoint + "/v1/logs")
            .setCompression(codec)
            .setTimeout(timeout)
            .build();
  }

  public MetricExporter metrics() {
    return protocol == Protocol.GRPC
        ? OtlpGrpcMetricExporter.builder()
            .setComponentLoader(senders)
            .setEndpoint(endpoint)
            .setCompression(codec)
            .setTimeout(timeout)
            .build()
        : OtlpHttpMetricExporter.builder()
            .setComponentLoader(senders)
            .setEndpoint(endpoint + "/v1/metrics")
            .setCompression(codec)
            .setTimeout(timeout)
            .build();
  }
}
