package io.spillway.otlp.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.InvalidProtocolBufferException;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExportResponseTest {

  private static final int MIB = 1024 * 1024;

  // conformance: G-30, H-30
  @Test
  void success_isEmptyInProtobufAndJson() throws Exception {
    assertThat(ExportResponse.SUCCESS.toProtobuf()).isEmpty();
    assertThat(json(ExportResponse.SUCCESS, Signal.TRACES)).isEqualTo("{}");
    assertThat(ExportResponse.parse(Slice.EMPTY)).isEqualTo(ExportResponse.SUCCESS);
  }

  // conformance: G-35
  @Test
  void parse_goldenVectors() throws Exception {
    assertThat(parse("0a0708031203776879")).isEqualTo(new ExportResponse(3, "why"));
    assertThat(parse("0a00")).isEqualTo(ExportResponse.SUCCESS);
    assertThat(parse("0a0208030a0312016d")).isEqualTo(new ExportResponse(3, "m"));
  }

  // conformance: G-32
  @Test
  void toProtobuf_goldenVector() {
    assertThat(new ExportResponse(3, "why").toProtobuf())
        .isEqualTo(HexFormat.of().parseHex("0a0708031203776879"));
  }

  // conformance: G-32, H-32
  @Test
  void toProtobuf_isReadByReferenceForEverySignal() throws Exception {
    byte[] bytes = new ExportResponse(1L << 40, "größer").toProtobuf();

    var traces = ExportTraceServiceResponse.parseFrom(bytes).getPartialSuccess();
    assertThat(traces.getRejectedSpans()).isEqualTo(1L << 40);
    assertThat(traces.getErrorMessage()).isEqualTo("größer");
    var metrics = ExportMetricsServiceResponse.parseFrom(bytes).getPartialSuccess();
    assertThat(metrics.getRejectedDataPoints()).isEqualTo(1L << 40);
    var logs = ExportLogsServiceResponse.parseFrom(bytes).getPartialSuccess();
    assertThat(logs.getRejectedLogRecords()).isEqualTo(1L << 40);
  }

  // conformance: G-34
  @Test
  void toProtobuf_warningOnly_keepsPartialSuccess() throws Exception {
    ExportResponse warning = new ExportResponse(0, "deprecated");

    assertThat(ExportResponse.parse(Slice.of(warning.toProtobuf()))).isEqualTo(warning);
    assertThat(json(warning, Signal.LOGS))
        .isEqualTo("{\"partialSuccess\":{\"errorMessage\":\"deprecated\"}}");
  }

  @Test
  void parse_negativeCount_isKept() throws Exception {
    ExportResponse negative = new ExportResponse(-1, "");
    assertThat(ExportResponse.parse(Slice.of(negative.toProtobuf()))).isEqualTo(negative);
  }

  @Test
  void parse_unknownFieldsAndGroups_areSkipped() throws Exception {
    // 99 varint, 100 i64, 101 i32, group 5 { group 6 { } }, then rejected=1 with a field 9 beside
    // it.
    assertThat(
            parse(
                "980601"
                    + "a1060102030405060708"
                    + "ad0601020304"
                    + "2b3334"
                    + "2c"
                    + "0a0408014801"))
        .isEqualTo(new ExportResponse(1, ""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0a",
        "0a05",
        "0a0208",
        "0aff",
        "0aff01",
        "00",
        "07",
        "2b",
        "2b34",
        "2c",
        "08",
        "08ffffffffffffffffffffff01",
        "0a8080808080808080807f",
        "ffffffffff0f01",
        "a106010203"
      })
  void parse_damaged_isMalformed(String hex) {
    assertThatThrownBy(() -> parse(hex)).isInstanceOf(MalformedRequestException.class);
  }

  @Test
  void parse_deepGroups_isMalformedNotStackOverflow() {
    assertThatThrownBy(() -> parse("2b".repeat(100_000)))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessage("response: bad protobuf: more than 100 nested groups");
  }

  // conformance: H-32, J-06
  @ParameterizedTest
  @CsvSource({
    "TRACES, rejectedSpans",
    "METRICS, rejectedDataPoints",
    "LOGS, rejectedLogRecords",
  })
  void toJson_partialSuccess_writesCountAsString(Signal signal, String key) {
    assertThat(json(new ExportResponse(3, "say \"why\"\n\t\\ü"), signal))
        .isEqualTo(
            "{\"partialSuccess\":{\"%s\":\"3\",\"errorMessage\":\"say \\\"why\\\"\\n\\u0009\\\\ü\"}}"
                .formatted(key));
  }

  // conformance: G-23, H-27
  @ParameterizedTest
  @ValueSource(strings = {"a", "é", "€", "🙂", "\u0001", "a€"})
  void encode_messageOf5Mib_staysBelow4MibAndKeepsCount(String unit) throws Exception {
    int bytes = unit.getBytes(StandardCharsets.UTF_8).length;
    ExportResponse huge = new ExportResponse(7, unit.repeat(5 * MIB / bytes));

    byte[] protobuf = huge.toProtobuf();
    assertThat(protobuf.length).isBetween(4 * MIB - 4096, 4 * MIB - 1);
    ExportResponse read = ExportResponse.parse(Slice.of(protobuf));
    assertThat(read.rejected()).isEqualTo(7);
    assertThat(huge.message()).startsWith(read.message());
    assertThat(referenceMessage(protobuf)).isEqualTo(read.message());

    String json = json(huge, Signal.TRACES);
    assertThat(json.getBytes(StandardCharsets.UTF_8).length).isBetween(4 * MIB - 4096, 4 * MIB - 1);
    assertThat(json)
        .startsWith("{\"partialSuccess\":{\"rejectedSpans\":\"7\",\"errorMessage\":\"")
        .endsWith("\"}}")
        .doesNotContain("\ufffd");
  }

  /** The reference refuses invalid UTF-8. */
  private static String referenceMessage(byte[] protobuf) throws InvalidProtocolBufferException {
    return ExportTraceServiceResponse.parseFrom(protobuf).getPartialSuccess().getErrorMessage();
  }

  private static ExportResponse parse(String hex) throws MalformedRequestException {
    return ExportResponse.parse(Slice.of(HexFormat.of().parseHex(hex)));
  }

  private static String json(ExportResponse response, Signal signal) {
    return new String(response.toJson(signal), StandardCharsets.UTF_8);
  }
}
