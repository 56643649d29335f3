package io.spillway.otlp.json;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonFixturesTest {

  private static final int LIMIT = 1024 * 1024;
  private static final Pattern ID =
      Pattern.compile("(\"(?:trace|span|parentSpan)Id\": \")([0-9a-fA-F]+)\"");

  // conformance: J-20, J-22
  @ParameterizedTest
  @CsvSource({"TRACES, traces", "METRICS, metrics", "LOGS, logs", "LOGS, events"})
  void toProtobuf_fixture_equalsReference(Signal signal, String name) throws Exception {
    String json = read(name);
    Message.Builder reference = JsonTranscoderPropertyTest.prototype(signal).newBuilderForType();
    JsonFormat.parser().merge(withBase64Ids(json), reference);

    Slice protobuf =
        JsonTranscoder.toProtobuf(signal, Slice.of(json.getBytes(StandardCharsets.UTF_8)), LIMIT);

    assertThat(reference.clone().clear().mergeFrom(protobuf.toByteArray()).build())
        .isEqualTo(reference.build());
  }

  @Test
  void toProtobuf_traceFixture_keepsWhatItSays() throws Exception {
    var request = ExportTraceServiceRequest.parseFrom(transcode(Signal.TRACES, "traces"));

    var span = request.getResourceSpans(0).getScopeSpans(0).getSpans(0);
    assertThat(HexFormat.of().formatHex(span.getTraceId().toByteArray()))
        .isEqualTo("0af7651916cd43dd8448eb211c80319c");
    assertThat(HexFormat.of().formatHex(span.getParentSpanId().toByteArray()))
        .isEqualTo("00f067aa0ba902b7");
    assertThat(span.getName()).isEqualTo("POST /v1/pay · größer");
    assertThat(span.getStartTimeUnixNano()).isEqualTo(1763850000000000001L);
    assertThat(span.getFlags()).isEqualTo(257);
    assertThat(span.getStatus().getCodeValue()).isEqualTo(2);
    assertThat(span.getAttributes(1).hasValue()).isTrue();
    assertThat(request.getResourceSpans(0).getScopeSpans(0).getSpans(1).hasStatus()).isTrue();
  }

  // conformance: J-13
  @Test
  void toProtobuf_metricsFixture_keepsExplicitZeros() throws Exception {
    var request = ExportMetricsServiceRequest.parseFrom(transcode(Signal.METRICS, "metrics"));

    List<Metric> metrics = request.getResourceMetrics(0).getScopeMetrics(0).getMetricsList();
    assertThat(metrics)
        .extracting(Metric::getDataCase)
        .containsExactly(
            Metric.DataCase.GAUGE,
            Metric.DataCase.SUM,
            Metric.DataCase.HISTOGRAM,
            Metric.DataCase.EXPONENTIAL_HISTOGRAM,
            Metric.DataCase.SUMMARY);
    assertThat(metrics.getFirst().getGauge().getDataPointsList())
        .extracting(NumberDataPoint::getValueCase)
        .containsExactly(NumberDataPoint.ValueCase.AS_INT, NumberDataPoint.ValueCase.AS_DOUBLE);
    var histogram = metrics.get(2).getHistogram().getDataPoints(0);
    assertThat(histogram.hasSum()).isTrue();
    assertThat(histogram.hasMin()).isTrue();
    var exponential = metrics.get(3).getExponentialHistogram().getDataPoints(0);
    assertThat(exponential.hasSum()).isFalse();
    assertThat(exponential.getPositive().getBucketCountsList()).containsExactly(0L, 1L, 200L);
    assertThat(exponential.hasNegative()).isTrue();
    assertThat(metrics.get(4).getSummary().getDataPoints(0).getQuantileValues(1).getValue())
        .isNaN();
  }

  private static byte[] transcode(Signal signal, String fixture) throws Exception {
    byte[] json = read(fixture).getBytes(StandardCharsets.UTF_8);
    return JsonTranscoder.toProtobuf(signal, Slice.of(json), LIMIT).toByteArray();
  }

  private static String read(String fixture) throws Exception {
    String path = "/fixtures/" + fixture + ".json";
    try (InputStream in = JsonFixturesTest.class.getResourceAsStream(path)) {
      return new String(Objects.requireNonNull(in, path).readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** Plain ProtoJSON writes ids, like all bytes, in base64. */
  private static String withBase64Ids(String json) {
    return ID.matcher(json).replaceAll(JsonFixturesTest::base64Id);
  }

  private static String base64Id(MatchResult id) {
    byte[] bytes = HexFormat.of().parseHex(id.group(2));
    return id.group(1) + Base64.getEncoder().encodeToString(bytes) + "\"";
  }
}
