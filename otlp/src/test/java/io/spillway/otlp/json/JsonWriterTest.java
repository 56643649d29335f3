package io.spillway.otlp.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.util.JsonFormat;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.metrics.v1.Gauge;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import io.opentelemetry.proto.metrics.v1.Sum;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(120)
class JsonWriterTest {

  private static final int SEEDS = 30;
  private static final int LIMIT = 64 * 1024 * 1024;
  private static final Pattern ID =
      Pattern.compile("(\"(?:trace|span|parentSpan)Id\":\")([0-9a-f]+)\"");

  private static final String TRACES =
      """
      {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":\
      {"stringValue":"größer \\"x\\"\\n"}}]},"scopeSpans":[{"scope":{"name":"s","version":"1"},\
      "spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331",\
      "parentSpanId":"00f067aa0ba902b7","name":"GET","kind":2,\
      "startTimeUnixNano":"1763850000000000001","endTimeUnixNano":"18446744073709551615",\
      "attributes":[{"key":"n","value":{"intValue":"-1"}},{"key":"b","value":{"boolValue":false}},\
      {"key":"d","value":{"doubleValue":-0.5}},{"key":"y","value":{"bytesValue":"/+8="}},\
      {"key":"e","value":{}}],"status":{"code":2},"flags":4294967295}]}]}]}\
      """;

  private static final String METRICS =
      """
      {"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"g","gauge":{"dataPoints":\
      [{"timeUnixNano":"7","asInt":"0"},{"asDouble":"NaN"}]}},{"name":"h",\
      "exponentialHistogram":{"dataPoints":[{"count":"3","sum":0.0,"scale":-3,\
      "positive":{"offset":-2,"bucketCounts":["0","300"]}}],"aggregationTemporality":2}}]}]}]}\
      """;

  private static final String LOGS =
      """
      {"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"5","severityNumber":9,\
      "body":{"kvlistValue":{"values":[{"key":"k","value":{"arrayValue":{}}}]}},\
      "eventName":"e"}]}],"schemaUrl":"u"}]}\
      """;

  @ParameterizedTest
  @EnumSource(value = Signal.class, names = "PROFILES", mode = EnumSource.Mode.EXCLUDE)
  void write_canonicalJsonTranscoded_isTheSameText(Signal signal) throws Exception {
    String json =
        switch (signal) {
          case TRACES -> TRACES;
          case METRICS -> METRICS;
          case LOGS -> LOGS;
          case PROFILES -> throw new IllegalArgumentException("no JSON of profiles");
        };
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);

    JsonWriter.Json written =
        JsonWriter.write(signal, JsonTranscoder.toProtobuf(signal, Slice.of(bytes), LIMIT));

    assertThat(text(written)).isEqualTo(json);
    assertThat(written.unknownBytes()).isZero();
  }

  @ParameterizedTest
  @EnumSource(value = Signal.class, names = "PROFILES", mode = EnumSource.Mode.EXCLUDE)
  void write_randomRequest_transcodesBackToTheSameBytes(Signal signal) throws Exception {
    for (long seed = 0; seed < SEEDS; seed++) {
      Message original = random(signal, seed);

      JsonWriter.Json written = JsonWriter.write(signal, Slice.of(original.toByteArray()));

      Slice back = JsonTranscoder.toProtobuf(signal, written.text(), LIMIT);
      assertThat(back.toByteArray()).as("seed %d", seed).isEqualTo(original.toByteArray());
      assertThat(written.unknownBytes()).as("seed %d", seed).isZero();
    }
  }

  /** Plain ProtoJSON has ids, like all bytes, in base64. */
  @ParameterizedTest
  @EnumSource(value = Signal.class, names = "PROFILES", mode = EnumSource.Mode.EXCLUDE)
  void write_randomRequest_isReadByProtobufsParserLikeItsOwnJson(Signal signal) throws Exception {
    for (long seed = 0; seed < SEEDS; seed++) {
      Message original = random(signal, seed);

      JsonWriter.Json written = JsonWriter.write(signal, Slice.of(original.toByteArray()));

      Message.Builder read = original.newBuilderForType();
      JsonFormat.parser().merge(withBase64Ids(text(written)), read);
      Message.Builder own = original.newBuilderForType();
      JsonFormat.parser().merge(JsonFormat.printer().printingEnumsAsInts().print(original), own);
      assertThat(read.build().equals(own.build())).as("seed %d", seed).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({"TRACES, traces", "METRICS, metrics", "LOGS, logs", "LOGS, events"})
  void write_fixture_transcodesBackToTheSameRequest(Signal signal, String name) throws Exception {
    Slice protobuf = JsonTranscoder.toProtobuf(signal, Slice.of(fixture(name)), LIMIT);

    JsonWriter.Json written = JsonWriter.write(signal, protobuf);

    Slice back = JsonTranscoder.toProtobuf(signal, written.text(), LIMIT);
    Message prototype = JsonTranscoderPropertyTest.prototype(signal);
    assertThat(prototype.getParserForType().parseFrom(back.toByteArray()))
        .isEqualTo(prototype.getParserForType().parseFrom(protobuf.toByteArray()));
  }

  @Test
  void write_unknownFields_areCountedAndLeftOut() throws Exception {
    UnknownFieldSet unknown =
        UnknownFieldSet.newBuilder()
            .addField(
                500,
                UnknownFieldSet.Field.newBuilder()
                    .addLengthDelimited(ByteString.copyFromUtf8("future"))
                    .build())
            // A known number with a type that it does not have.
            .addField(5, UnknownFieldSet.Field.newBuilder().addVarint(7).build())
            .build();
    Span span =
        Span.newBuilder()
            .setKind(Span.SpanKind.SPAN_KIND_INTERNAL)
            .setUnknownFields(unknown)
            .build();

    JsonWriter.Json written = JsonWriter.write(Signal.TRACES, request(span));

    assertThat(text(written))
        .isEqualTo("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"kind\":1}]}]}]}");
    assertThat(written.unknownBytes()).isEqualTo(unknown.getSerializedSize());
  }

  /** Messages one after the other are one message: protobuf merges single fields. */
  @Test
  void write_fieldsThatComeTwice_areMergedAsProtobufDoes() throws Exception {
    Resource a = Resource.newBuilder().setDroppedAttributesCount(1).build();
    Resource b = Resource.newBuilder().setDroppedAttributesCount(2).build();
    ResourceMetrics twice =
        ResourceMetrics.parseFrom(
            ResourceMetrics.newBuilder()
                .setResource(a)
                .build()
                .toByteString()
                .concat(ResourceMetrics.newBuilder().setResource(b).build().toByteString()));
    ByteString metric =
        Metric.newBuilder()
            .setGauge(Gauge.newBuilder().addDataPoints(point(1)))
            .build()
            .toByteString()
            .concat(Metric.newBuilder().setSum(sum(2)).build().toByteString())
            .concat(Metric.newBuilder().setSum(sum(3)).build().toByteString());
    assertThat(twice.getResource().getDroppedAttributesCount()).isEqualTo(2);
    ByteString wire =
        record(
            1,
            record(1, a.toByteString())
                .concat(record(1, b.toByteString()))
                .concat(record(2, record(2, metric))));

    JsonWriter.Json written = JsonWriter.write(Signal.METRICS, Slice.of(wire.toByteArray()));

    assertThat(text(written))
        .isEqualTo(
            "{\"resourceMetrics\":[{\"resource\":{\"droppedAttributesCount\":2},"
                + "\"scopeMetrics\":[{\"metrics\":[{\"sum\":{\"dataPoints\":"
                + "[{\"asInt\":\"2\"},{\"asInt\":\"3\"}]}}]}]}]}");
    assertThat(ScopeMetrics.parseFrom(record(2, metric)).getMetrics(0).getSum().getDataPointsList())
        .hasSize(2);
  }

  @Test
  void write_malformedRequest_throws() {
    Slice cutOff = Slice.of(new byte[] {0x0a, 5, 1});

    assertThatThrownBy(() -> JsonWriter.write(Signal.LOGS, cutOff))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageStartingWith("logs request, byte 0");
  }

  @Test
  void write_deepNesting_isWritten() throws Exception {
    AnyValue value = AnyValue.newBuilder().setIntValue(1).build();
    for (int i = 0; i < 40; i++) {
      value =
          AnyValue.newBuilder()
              .setArrayValue(
                  io.opentelemetry.proto.common.v1.ArrayValue.newBuilder().addValues(value))
              .build();
    }
    Span span =
        Span.newBuilder()
            .addAttributes(
                io.opentelemetry.proto.common.v1.KeyValue.newBuilder().setKey("k").setValue(value))
            .build();
    Slice request = request(span);

    JsonWriter.Json written = JsonWriter.write(Signal.TRACES, request);

    assertThat(JsonTranscoder.toProtobuf(Signal.TRACES, written.text(), LIMIT).toByteArray())
        .isEqualTo(request.toByteArray());
  }

  private static NumberDataPoint point(long value) {
    return NumberDataPoint.newBuilder().setAsInt(value).build();
  }

  private static Sum sum(long value) {
    return Sum.newBuilder().addDataPoints(point(value)).build();
  }

  /** A length-delimited record; both numbers take one byte. */
  private static ByteString record(int number, ByteString body) {
    return ByteString.copyFrom(new byte[] {(byte) (number << 3 | 2), (byte) body.size()})
        .concat(body);
  }

  private static Slice request(Span span) {
    return Slice.of(
        ExportTraceServiceRequest.newBuilder()
            .addResourceSpans(
                ResourceSpans.newBuilder().addScopeSpans(ScopeSpans.newBuilder().addSpans(span)))
            .build()
            .toByteArray());
  }

  private static Message random(Signal signal, long seed) {
    return new RandomMessages(new Random(seed)).next(JsonTranscoderPropertyTest.prototype(signal));
  }

  private static String text(JsonWriter.Json json) {
    return new String(json.text().toByteArray(), StandardCharsets.UTF_8);
  }

  private static byte[] fixture(String name) throws Exception {
    String path = "/fixtures/" + name + ".json";
    try (InputStream in = JsonWriterTest.class.getResourceAsStream(path)) {
      return Objects.requireNonNull(in, path).readAllBytes();
    }
  }

  private static String withBase64Ids(String json) {
    return ID.matcher(json)
        .replaceAll(
            id ->
                id.group(1)
                    + Base64.getEncoder().encodeToString(HexFormat.of().parseHex(id.group(2)))
                    + "\"");
  }
}
