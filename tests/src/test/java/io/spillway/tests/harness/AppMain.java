package io.spillway.tests.harness;

import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * An instrumented application as a process: it ends a span every {@value #PAUSE_MILLIS} ms for the
 * number of seconds given, exports each through the OpenTelemetry SDK to {@code
 * OTEL_EXPORTER_OTLP_ENDPOINT}, and prints {@code acknowledged NAME} for every span that the
 * endpoint took over.
 */
public final class AppMain {

  private static final int PAUSE_MILLIS = 20;

  private AppMain() {}

  /** Runs until it is ended, so that the network name space it lends to its sidecar lives on. */
  public static void main(String[] arguments) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.parseLong(arguments[0]));
    SpanExporter otlp =
        OtlpGrpcSpanExporter.builder()
            .setEndpoint(
                System.getenv()
                    .getOrDefault("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"))
            .setTimeout(Duration.ofSeconds(5))
            .build();
    SdkTracerProvider tracers =
        SdkTracerProvider.builder()
            .addSpanProcessor(SimpleSpanProcessor.create(new Witness(otlp)))
            .build();
    try (OpenTelemetrySdk sdk = OpenTelemetrySdk.builder().setTracerProvider(tracers).build()) {
      for (int i = 0; System.nanoTime() < end; i++) {
        sdk.getTracer("app").spanBuilder("span-" + i).startSpan().end();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS));
      }
    }
    System.out.println("app done");
    new CountDownLatch(1).await();
  }

  /** Says which spans the exporter saw acknowledged. */
  private record Witness(SpanExporter otlp) implements SpanExporter {
    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      CompletableResultCode result = otlp.export(spans);
      result.whenComplete(
          () -> {
            if (result.isSuccess()) {
              spans.forEach(span -> System.out.println("acknowledged " + span.getName()));
            }
          });
      return result;
    }

    @Override
    public CompletableResultCode flush() {
      return otlp.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return otlp.shutdown();
    }
  }
}
