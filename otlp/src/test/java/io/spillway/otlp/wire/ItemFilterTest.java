package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.InstrumentationScope;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.logs.v1.ResourceLogs;
import io.opentelemetry.proto.logs.v1.ScopeLogs;
import io.opentelemetry.proto.metrics.v1.Exemplar;
import io.opentelemetry.proto.metrics.v1.Gauge;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import io.opentelemetry.proto.metrics.v1.Sum;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.wire.ItemFilter.Filtered;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ItemFilterTest {
  private static final ByteString BAD = ByteString.copyFrom(new byte[] {1, 2, 3});

  /** Text of the same length as what stands for it in a request that protobuf-java can build. */
  private static final String MARK = "\u0001bad\u0001";

  private final RequestScanner scanner = new RequestScanner();

  // conformance: W-14, W-45, R-03
  @Test
  void filter_spansWithBadIds_leavesTheOthersAndTheirEnvelopes() throws Exception {
    Span good = span("good").build();
    ExportTraceServiceRequest request =
        traces(
            scope(span("a").setTraceId(BAD).build(), good, span("b").setSpanId(BAD).build()),
            scope(span("c").setParentSpanId(BAD).build()),
            scope(
                good,
                span("d").addLinks(Span.Link.newBuilder().setTraceId(BAD)).build(),
                span("e").addLinks(Span.Link.newBuilder().setSpanId(BAD)).build()),
            ScopeSpans.newBuilder().setSchemaUrl("empty before").build());

    Filtered filtered = filter(Signal.TRACES, request.toByteArray());

    assertThat(ExportTraceServiceRequest.parseFrom(filtered.request().toByteArray()))
        .isEqualTo(
            traces(
                scope(good),
                scope(good),
                ScopeSpans.newBuilder().setSchemaUrl("empty before").build()));
    assertThat(filtered.kept()).isEqualTo(2);
    assertThat(filtered.invalid()).isEqualTo(Map.of(Flaw.Kind.TRACE_ID, 2, Flaw.Kind.SPAN_ID, 3));
  }

  // conformance: R-03, W-14
  @Test
  void filter_allSpansOfAResource_leavesTheResourceOut() throws Exception {
    ResourceSpans good = ResourceSpans.newBuilder().addScopeSpans(scope(span("a").build())).build();
    ResourceSpans bad =
        ResourceSpans.newBuilder().addScopeSpans(scope(span("b").setSpanId(BAD).build())).build();
    UnknownFieldSet later =
        UnknownFieldSet.newBuilder()
            .addField(99, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
            .build();
    byte[] request =
        ExportTraceServiceRequest.newBuilder()
            .addResourceSpans(bad)
            .addResourceSpans(good)
            .setUnknownFields(later)
            .build()
            .toByteArray();

    assertThat(
            ExportTraceServiceRequest.parseFrom(
                filter(Signal.TRACES, request).request().toByteArray()))
        .isEqualTo(
            ExportTraceServiceRequest.newBuilder()
                .addResourceSpans(good)
                .setUnknownFields(later)
                .build());
  }

  // conformance: R-12, W-45
  @Test
  void filter_logRecordsWithBadIds_areLeftOut() throws Exception {
    LogRecord good = LogRecord.newBuilder().setEventName("good").build();
    byte[] request =
        logs(
                LogRecord.newBuilder().setTraceId(BAD).build(),
                good,
                LogRecord.newBuilder().setSpanId(BAD).build())
            .toByteArray();

    Filtered filtered = filter(Signal.LOGS, request);

    assertThat(ExportLogsServiceRequest.parseFrom(filtered.request().toByteArray()))
        .isEqualTo(logs(good));
    assertThat(filtered.invalid()).isEqualTo(Map.of(Flaw.Kind.TRACE_ID, 1, Flaw.Kind.SPAN_ID, 1));
  }

  // conformance: W-14, W-45
  @Test
  void filter_pointsWithBadExemplars_areLeftOutOfTheirMetric() throws Exception {
    NumberDataPoint good =
        NumberDataPoint.newBuilder().setAsInt(1).addExemplars(Exemplar.newBuilder()).build();
    NumberDataPoint bad =
        NumberDataPoint.newBuilder().addExemplars(Exemplar.newBuilder().setSpanId(BAD)).build();
    Sum.Builder sum = Sum.newBuilder().setIsMonotonic(true);
    byte[] request =
        metrics(
                metric("mixed").setSum(sum.clone().addDataPoints(bad).addDataPoints(good)),
                metric("bad").setGauge(Gauge.newBuilder().addDataPoints(bad).addDataPoints(bad)),
                metric("none"))
            .toByteArray();

    Filtered filtered = filter(Signal.METRICS, request);

    assertThat(ExportMetricsServiceRequest.parseFrom(filtered.request().toByteArray()))
        .isEqualTo(
            metrics(metric("mixed").setSum(sum.clone().addDataPoints(good)), metric("none")));
    assertThat(filtered.kept()).isEqualTo(1);
    assertThat(filtered.invalid()).isEqualTo(Map.of(Flaw.Kind.SPAN_ID, 3));
  }

  /** Gauge, sum, gauge: only the last gauge's points are items. */
  @Test
  void filter_metricWithItsDataTwice_isLeftOutWhole() throws Exception {
    NumberDataPoint bad =
        NumberDataPoint.newBuilder().addExemplars(Exemplar.newBuilder().setTraceId(BAD)).build();
    Metric cleared = Metric.newBuilder().setSum(Sum.newBuilder().addDataPoints(bad)).build();
    Metric last =
        Metric.newBuilder()
            .setGauge(Gauge.newBuilder().addDataPoints(NumberDataPoint.newBuilder().setAsInt(1)))
            .build();
    ByteString both = cleared.toByteString().concat(last.toByteString());
    byte[] request = Requests.record(1, Requests.record(2, Requests.record(2, both))).toByteArray();

    Filtered filtered = filter(Signal.METRICS, request);

    assertThat(filtered.request().isEmpty()).isTrue();
    assertThat(filtered.invalid()).isEqualTo(Map.of(Flaw.Kind.TRACE_ID, 1));
  }

  // conformance: W-44
  @Test
  void filter_textThatIsNotUtf8_takesWhatItConcerns() throws Exception {
    Span good = span("good").build();
    byte[] request =
        withBadText(
            traces(
                scope(span(MARK).build(), good),
                ScopeSpans.newBuilder()
                    .setScope(InstrumentationScope.newBuilder().setName(MARK))
                    .addSpans(good)
                    .addSpans(good)
                    .build()));

    Filtered filtered = filter(Signal.TRACES, request);

    assertThat(ExportTraceServiceRequest.parseFrom(filtered.request().toByteArray()))
        .isEqualTo(traces(scope(good)));
    assertThat(filtered.invalid()).isEqualTo(Map.of(Flaw.Kind.TEXT, 3));
  }

  // conformance: W-44
  @Test
  void filter_resourceOrMetricWithBadText_takesAllBelow() throws Exception {
    NumberDataPoint point = NumberDataPoint.newBuilder().setAsInt(1).build();
    byte[] metric =
        withBadText(
            metrics(
                metric(MARK)
                    .setGauge(Gauge.newBuilder().addDataPoints(point).addDataPoints(point))));
    byte[] resource =
        withBadText(
            ExportLogsServiceRequest.newBuilder()
                .addResourceLogs(
                    ResourceLogs.newBuilder()
                        .setSchemaUrl(MARK)
                        .addScopeLogs(
                            ScopeLogs.newBuilder().addLogRecords(LogRecord.getDefaultInstance())))
                .build());

    assertThat(filter(Signal.METRICS, metric))
        .isEqualTo(new Filtered(Slice.EMPTY, 0, Map.of(Flaw.Kind.TEXT, 2)));
    assertThat(filter(Signal.LOGS, resource))
        .isEqualTo(new Filtered(Slice.EMPTY, 0, Map.of(Flaw.Kind.TEXT, 1)));
  }

  // conformance: W-45
  @Test
  void flaw_absentEmptyAndZeroIds_areNone() throws Exception {
    scanner.inspect(
        Signal.TRACES,
        Slice.of(
            traces(
                    scope(
                        Span.newBuilder()
                            .setTraceId(ByteString.copyFrom(new byte[16]))
                            .setSpanId(ByteString.copyFrom(new byte[8]))
                            .build(),
                        Span.getDefaultInstance()))
                .toByteArray()));

    assertThat(scanner.flaw()).isNull();
  }

  @Test
  void flaw_first_saysWhatAndWhere() throws Exception {
    byte[] request = traces(scope(Span.newBuilder().setParentSpanId(BAD).build())).toByteArray();

    scanner.inspect(Signal.TRACES, Requests.surrounded(request));

    assertThat(scanner.flaw())
        .isEqualTo(
            new Flaw(
                Flaw.Kind.SPAN_ID,
                "byte 6: field 4 of Span, a span id, takes 3 bytes (expected 8, or none)"));
  }

  /** Decode, leave out, encode, against the same done on bytes. */
  // conformance: W-07, W-14
  @Test
  void filter_randomRequests_isWhatTheModelLeaves() throws Exception {
    long seed = Long.getLong("spillway.test.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int round = 0; round < 300; round++) {
      List<ScopeSpans> all = new ArrayList<>();
      List<ScopeSpans> left = new ArrayList<>();
      int kept = 0;
      for (int i = random.nextInt(4); i >= 0; i--) {
        ScopeSpans.Builder scope = ScopeSpans.newBuilder().setSchemaUrl("s" + i);
        ScopeSpans.Builder rest = ScopeSpans.newBuilder().setSchemaUrl("s" + i);
        int spans = random.nextInt(5);
        for (int s = 0; s < spans; s++) {
          boolean bad = random.nextInt(3) == 0;
          Span.Builder span = span("n".repeat(random.nextInt(200)));
          Span made = (bad ? span.setSpanId(BAD) : span).build();
          scope.addSpans(made);
          if (!bad) {
            rest.addSpans(made);
            kept++;
          }
        }
        all.add(scope.build());
        if (spans == 0 || rest.getSpansCount() > 0) {
          left.add(rest.build());
        }
      }
      byte[] request = traces(all.toArray(ScopeSpans[]::new)).toByteArray();

      Filtered filtered = filter(Signal.TRACES, request);

      assertThat(filtered.kept()).as("seed %d", seed).isEqualTo(kept);
      if (kept > 0) {
        assertThat(filtered.request().toByteArray())
            .as("seed %d", seed)
            .isEqualTo(traces(left.toArray(ScopeSpans[]::new)).toByteArray());
      }
    }
  }

  /** Whatever is damaged: what is left has no flaw, and no item is in both counts or in none. */
  @Test
  void filter_mutatedRequests_leavesNoFlawAndCountsEachItemOnce() throws Exception {
    long seed = Long.getLong("spillway.test.seed", System.nanoTime());
    Random random = new Random(seed);
    WireGenerator generator = new WireGenerator(random);
    int flawed = 0;
    for (int round = 0; round < 4000; round++) {
      Signal signal = Signal.values()[random.nextInt(Signal.values().length)];
      byte[] request = generator.request(signal);
      for (int i = random.nextInt(4); i > 0 && request.length > 0; i--) {
        request[random.nextInt(request.length)] ^= (byte) (1 << random.nextInt(8));
      }
      try {
        scanner.inspect(signal, Slice.of(request));
      } catch (MalformedRequestException e) {
        continue;
      }
      int items = scanner.items();
      flawed += scanner.flaw() == null ? 0 : 1;

      Filtered filtered = filter(signal, request);

      int invalid = filtered.invalid().values().stream().mapToInt(Integer::intValue).sum();
      assertThat(filtered.kept() + invalid).as("seed %d", seed).isEqualTo(items);
      scanner.inspect(signal, filtered.request());
      assertThat(scanner.items()).as("seed %d", seed).isEqualTo(filtered.kept());
      assertThat(scanner.flaw()).as("seed %d", seed).isNull();
    }
    assertThat(flawed).as("seed %d", seed).isGreaterThan(50);
  }

  private Filtered filter(Signal signal, byte[] request) throws Exception {
    Slice slice = Requests.surrounded(request);
    scanner.inspect(signal, slice);
    return ItemFilter.filter(signal, slice);
  }

  /** What protobuf-java does not let us build. */
  private static byte[] withBadText(Message message) {
    byte[] bytes = message.toByteArray();
    for (int i = 0; i + 5 <= bytes.length; i++) {
      if (bytes[i] == 1 && bytes[i + 1] == 'b' && bytes[i + 4] == 1) {
        bytes[i] = (byte) 0xc3;
      }
    }
    return bytes;
  }

  private static Span.Builder span(String name) {
    return Span.newBuilder()
        .setTraceId(ByteString.copyFrom(new byte[16]))
        .setSpanId(ByteString.copyFrom(new byte[8]))
        .setName(name);
  }

  private static ScopeSpans scope(Span... spans) {
    return ScopeSpans.newBuilder().addAllSpans(List.of(spans)).setSchemaUrl("u").build();
  }

  private static ExportTraceServiceRequest traces(ScopeSpans... scopes) {
    return ExportTraceServiceRequest.newBuilder()
        .addResourceSpans(
            ResourceSpans.newBuilder().setSchemaUrl("r").addAllScopeSpans(List.of(scopes)))
        .build();
  }

  private static ExportLogsServiceRequest logs(LogRecord... records) {
    return ExportLogsServiceRequest.newBuilder()
        .addResourceLogs(
            ResourceLogs.newBuilder()
                .addScopeLogs(ScopeLogs.newBuilder().addAllLogRecords(List.of(records))))
        .build();
  }

  private static Metric.Builder metric(String name) {
    return Metric.newBuilder().setName(name);
  }

  private static ExportMetricsServiceRequest metrics(Metric.Builder... metrics) {
    ScopeMetrics.Builder scope = ScopeMetrics.newBuilder();
    for (Metric.Builder metric : metrics) {
      scope.addMetrics(metric);
    }
    return ExportMetricsServiceRequest.newBuilder()
        .addResourceMetrics(ResourceMetrics.newBuilder().addScopeMetrics(scope))
        .build();
  }
}
