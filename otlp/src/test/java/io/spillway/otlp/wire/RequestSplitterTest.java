package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.Gauge;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.Sum;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.wire.RequestSplitter.Part;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RequestSplitterTest {
  private static final Pattern TOO_LARGE =
      Pattern.compile(
          "\\w+ request: the smallest part \\(one [a-z ]+ with its resource and scope\\) takes"
              + " (\\d+) bytes \\(expected at most (\\d+)\\)");

  private final RequestScanner scanner = new RequestScanner();

  @Test
  void split_fits_isTheRequestItself() throws PayloadTooLargeException {
    Slice request = spans(3, 10);

    List<Part> parts = RequestSplitter.split(Signal.TRACES, request, request.length());

    assertThat(parts).containsExactly(new Part(request, 3));
  }

  // conformance: W-12
  @Test
  void split_resourcesOfTheSameSize_cutsBetweenThemAndFillsParts() throws Exception {
    byte[] one = spans(1, 100).toByteArray();
    ByteArrayOutputStream ten = new ByteArrayOutputStream();
    for (int i = 0; i < 10; i++) {
      ten.writeBytes(one);
    }

    List<Part> parts =
        RequestSplitter.split(Signal.TRACES, Slice.of(ten.toByteArray()), 4 * one.length + 3);

    assertThat(parts).extracting(Part::items).containsExactly(4, 4, 2);
    assertThat(parts.get(2).request().length()).isEqualTo(2 * one.length);
  }

  // conformance: W-13
  @Test
  void split_oneScope_cutsBetweenSpansAndFillsParts() throws Exception {
    Slice request = spans(1000, 100);
    int maxBytes = 10_000;

    List<Part> parts = RequestSplitter.split(Signal.TRACES, request, maxBytes);

    assertThat(parts).extracting(Part::items).containsOnly(96, 40).hasSize(11);
    assertThat(parts.subList(0, parts.size() - 1))
        .allSatisfy(part -> assertThat(part.request().length()).isBetween(9_890, maxBytes));
    checkParts(Signal.TRACES, request, maxBytes, parts);
  }

  // conformance: W-13
  @Test
  void split_oneMetric_cutsBetweenPointsAndKeepsItsFields() throws Exception {
    Sum.Builder sum =
        Sum.newBuilder()
            .setIsMonotonic(true)
            .setAggregationTemporality(AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE);
    for (int i = 0; i < 100; i++) {
      sum.addDataPoints(NumberDataPoint.newBuilder().setAsInt(i).setTimeUnixNano(i));
    }
    Slice request = metrics(Metric.newBuilder().setName("m").setUnit("s").setSum(sum));

    List<Part> parts = RequestSplitter.split(Signal.METRICS, request, 500);

    assertThat(parts).hasSizeBetween(4, 6);
    checkParts(Signal.METRICS, request, 500, parts);
    for (Part part : parts) {
      Metric metric =
          ExportMetricsServiceRequest.parseFrom(part.request().toByteArray())
              .getResourceMetrics(0)
              .getScopeMetrics(0)
              .getMetrics(0);
      assertThat(metric.getSum().getIsMonotonic()).isTrue();
      assertThat(metric.getUnit()).isEqualTo("s");
    }
  }

  @Test
  void split_metricWithSeveralMembers_keepsWhatTheOneofAmountsTo() throws Exception {
    Gauge.Builder gauge = Gauge.newBuilder();
    for (int i = 0; i < 20; i++) {
      gauge.addDataPoints(NumberDataPoint.newBuilder().setTimeUnixNano(i));
    }
    byte[] sum =
        Metric.newBuilder().setSum(Sum.newBuilder().setIsMonotonic(true)).build().toByteArray();
    byte[] twice = Metric.newBuilder().setName("m").setGauge(gauge).build().toByteArray();
    ByteArrayOutputStream odd = new ByteArrayOutputStream();
    odd.writeBytes(sum);
    odd.writeBytes(twice);
    odd.writeBytes(twice);
    Slice request = wrapMetric(odd.toByteArray());

    List<Part> parts = RequestSplitter.split(Signal.METRICS, request, 120);

    assertThat(parts).extracting(Part::items).containsExactly(10, 9, 10, 9, 2);
    checkParts(Signal.METRICS, request, 120, parts);
  }

  @Test
  void split_itemTooLarge_namesSizeAndLimit() {
    Slice request = spans(2, 5_000);

    assertThatThrownBy(() -> RequestSplitter.split(Signal.TRACES, request, 4096))
        .isInstanceOf(PayloadTooLargeException.class)
        .hasMessage(
            "traces request: the smallest part (one span with its resource and scope) takes %d"
                    .formatted(spans(1, 5_000).length())
                + " bytes (expected at most 4096)");
  }

  @Test
  void split_nothingToCut_refused() {
    Slice resource = noSpans(300);
    Slice unknown = Slice.of(unknown(300));

    assertThatThrownBy(() -> RequestSplitter.split(Signal.TRACES, resource, 200))
        .isInstanceOf(PayloadTooLargeException.class);
    assertThatThrownBy(() -> RequestSplitter.split(Signal.LOGS, unknown, 200))
        .isInstanceOf(PayloadTooLargeException.class);
  }

  // conformance: R-11, W-02, W-07, W-13
  @ParameterizedTest
  @EnumSource(value = Signal.class, names = "PROFILES", mode = EnumSource.Mode.EXCLUDE)
  void split_generated_partsFitAndAmountToTheRequest(Signal signal) throws Exception {
    long seed = Long.getLong("spillway.test.seed", System.nanoTime());
    System.out.println("RequestSplitterTest " + signal + ": seed " + seed);
    Random random = new Random(seed);
    WireGenerator generator = new WireGenerator(random);
    int cut = 0;
    int tooLarge = 0;
    for (int i = 0; i < 1_500; i++) {
      Slice request = Requests.surrounded(validRequest(generator, signal, 1 + random.nextInt(4)));
      int maxBytes = 1 + random.nextInt(Math.max(1, request.length()));
      try {
        List<Part> parts = RequestSplitter.split(signal, request, maxBytes);
        checkParts(signal, request, maxBytes, parts);
        cut += parts.size() > 1 ? 1 : 0;
      } catch (PayloadTooLargeException e) {
        checkTooLarge(signal, request, maxBytes, e.getMessage());
        tooLarge++;
      } catch (AssertionError e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
    assertThat(cut).as("seed %d", seed).isGreaterThan(200);
    assertThat(tooLarge).as("seed %d", seed).isGreaterThan(50);
  }

  /** The size that the refusal names is exactly what would have been enough for that item. */
  private static void checkTooLarge(Signal signal, Slice request, int maxBytes, String message) {
    Matcher refusal = TOO_LARGE.matcher(message);
    assertThat(refusal.matches()).as(message).isTrue();
    int needed = Integer.parseInt(refusal.group(1));
    assertThat(needed).isGreaterThan(maxBytes);
    assertThat(refusal.group(2)).isEqualTo(Integer.toString(maxBytes));
    try {
      RequestSplitter.split(signal, request, needed);
    } catch (PayloadTooLargeException another) {
      Matcher next = TOO_LARGE.matcher(another.getMessage());
      assertThat(next.matches() && Integer.parseInt(next.group(1)) > needed).isTrue();
    }
  }

  private void checkParts(Signal signal, Slice request, int maxBytes, List<Part> parts)
      throws IOException, MalformedRequestException {
    int items = 0;
    List<List<Message>> joined = new ArrayList<>();
    Message whole = Requests.parse(signal, request.toByteArray());
    for (Part part : parts) {
      assertThat(part.request().length()).isLessThanOrEqualTo(maxBytes);
      scanner.scan(signal, part.request());
      assertThat(part.items()).isEqualTo(scanner.items());
      items += part.items();
      Message decoded = Requests.parse(signal, part.request().toByteArray());
      assertThat(decoded.getUnknownFields()).isEqualTo(whole.getUnknownFields());
      joined.addAll(FlatRequest.of(decoded));
    }
    scanner.scan(signal, request);
    assertThat(items).isEqualTo(scanner.items());
    if (signal != Signal.METRICS || !returnsToAMember(request)) {
      assertThat(joined).isEqualTo(FlatRequest.of(whole));
    }
  }

  /**
   * Whether a metric has its data as A, B, A: protobuf-java then merges the two A, what the
   * specification says is the second alone (W-35).
   */
  private static boolean returnsToAMember(Slice request) {
    FieldCursor records =
        new FieldCursor()
            .over(request.array(), request.offset(), request.offset() + request.length());
    while (records.next()) {
      FieldCursor scopes = records.isLen(1) ? records.children() : new FieldCursor();
      while (scopes.next()) {
        FieldCursor metrics = scopes.isLen(2) ? scopes.children() : new FieldCursor();
        while (metrics.next()) {
          if (metrics.isLen(2) && returnsToAMember(metrics.children())) {
            return true;
          }
        }
      }
    }
    return false;
  }

  private static boolean returnsToAMember(FieldCursor metric) {
    Set<Integer> before = new HashSet<>();
    int member = 0;
    while (metric.next()) {
      if (ItemCounter.isMetricData(metric) && metric.number() != member) {
        member = metric.number();
        if (!before.add(member)) {
          return true;
        }
      }
    }
    return false;
  }

  private byte[] validRequest(WireGenerator generator, Signal signal, int pieces) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < pieces; ) {
      byte[] piece = generator.request(signal);
      try {
        scanner.scan(signal, Slice.of(piece));
        out.writeBytes(piece);
        i++;
      } catch (MalformedRequestException e) {
        // Nested too deep: try another one.
      }
    }
    return out.toByteArray();
  }

  private static Slice spans(int count, int spanBytes) {
    ScopeSpans.Builder scope = ScopeSpans.newBuilder();
    for (int i = 0; i < count; i++) {
      scope.addSpans(Span.newBuilder().setName("n".repeat(spanBytes)));
    }
    return traces(ResourceSpans.newBuilder().addScopeSpans(scope));
  }

  private static Slice noSpans(int bytes) {
    return traces(ResourceSpans.newBuilder().setSchemaUrl("u".repeat(bytes)));
  }

  private static Slice traces(ResourceSpans.Builder record) {
    return Slice.of(
        ExportTraceServiceRequest.newBuilder()
            .addResourceSpans(
                record.mergeResource(Resource.newBuilder().setDroppedAttributesCount(1).build()))
            .build()
            .toByteArray());
  }

  private static byte[] unknown(int bytes) {
    return UnknownFieldSet.newBuilder()
        .addField(
            9,
            UnknownFieldSet.Field.newBuilder()
                .addLengthDelimited(ByteString.copyFrom(new byte[bytes]))
                .build())
        .build()
        .toByteArray();
  }

  private static Slice metrics(Metric.Builder metric) {
    return wrapMetric(metric.build().toByteArray());
  }

  /** The bytes of a metric in a request; protobuf merges what is written twice. */
  private static Slice wrapMetric(byte[] metric) {
    ByteString scope = Requests.record(2, ByteString.copyFrom(metric));
    return Slice.of(Requests.record(1, Requests.record(2, scope)).toByteArray());
  }
}
