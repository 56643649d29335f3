package io.spillway.otlp.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint;
import io.opentelemetry.proto.metrics.v1.HistogramDataPoint;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.trace.v1.Span;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class JsonTranscoderTest {

  private static final int LIMIT = 16 * 1024 * 1024;
  private static final String SPAN = "resourceSpans[0].scopeSpans[0].spans[0]";
  private static final String LOG = "resourceLogs[0].scopeLogs[0].logRecords[0]";

  // Requests as a whole

  @ParameterizedTest
  @EnumSource(value = Signal.class, names = "PROFILES", mode = EnumSource.Mode.EXCLUDE)
  void request_empty_isZeroBytes(Signal signal) throws Exception {
    assertThat(transcode(signal, "{}").length()).isZero();
    assertThat(transcode(signal, " {\"resourceSpans\":null,\"x\":1}\n").length()).isZero();
  }

  @Test
  void request_emptyEnvelopes_stay() throws Exception {
    assertThat(hex(transcode(Signal.TRACES, "{\"resourceSpans\":[]}"))).isEmpty();
    assertThat(hex(transcode(Signal.TRACES, "{\"resourceSpans\":[{},{\"scopeSpans\":[{}]}]}")))
        .isEqualTo("0a00" + "0a021200");
  }

  @Test
  void request_ofAnotherSignal_isUnknownKey() throws Exception {
    assertThat(transcode(Signal.LOGS, "{\"resourceSpans\":[{\"scopeSpans\":3}]}").length())
        .isZero();
  }

  @Test
  void request_insideLargerArray_readsOnlyItsRange() throws Exception {
    byte[] json = "}}{\"resourceLogs\":[{}]}]]".getBytes(StandardCharsets.UTF_8);
    Slice slice = new Slice(json, 2, json.length - 4);
    assertThat(hex(JsonTranscoder.toProtobuf(Signal.LOGS, slice, LIMIT))).isEqualTo("0a00");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " \n", "\ufeff  "})
  void request_withoutDocument_isMalformed(String json) {
    assertThatThrownBy(() -> transcode(Signal.TRACES, json))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageStartingWith(
            "request: bad JSON: empty (expected an object; an empty request is {}) (line ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[]            | request: bad JSON: an array (expected an object) (line 1, column 1)",
        "null          | request: bad JSON: null (expected an object) (line 1, column 1)",
        "{} {}         | request: bad JSON: more after the end of the request (expected nothing)"
            + " (line 1, column 4)",
        "{\"x\":1}0    | request: bad JSON: more after the end of the request (expected nothing)"
            + " (line 1, column 8)",
      })
  void request_notOneObject_isMalformed(String json, String message) {
    assertThatThrownBy(() -> transcode(Signal.TRACES, json))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessage(message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "{\"resourceSpans\":[{]}",
        "{'resourceSpans':[]}",
        "{\"resourceSpans\":[{},]}",
        "{resourceSpans:[]}",
        "{\"a\":1,}",
        "{\"a\":01}",
        "{\"a\":NaN}",
        "{\"a\":+1}",
        "{/* */}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\" 1}",
        "{} x",
        "{\"a\":tru}"
      })
  void request_badSyntax_isMalformed(String json) {
    assertThatThrownBy(() -> transcode(Signal.TRACES, json))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageStartingWith("request: bad JSON: ");
  }

  // conformance: J-18
  @Test
  void request_oneByteOrderMark_isSkipped() throws Exception {
    assertThat(hex(transcode(Signal.TRACES, "\ufeff{\"resourceSpans\":[{}]}"))).isEqualTo("0a00");
    for (String json : new String[] {"\ufeff\ufeff{}", "{}\ufeff", "\ufeff"}) {
      assertThatThrownBy(() -> transcode(Signal.TRACES, json))
          .isInstanceOf(MalformedRequestException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16LE", "UTF-16BE", "UTF-16", "UTF-32LE", "UTF-32BE"})
  void request_otherEncoding_isMalformed(String charset) {
    Slice json = Slice.of("{\"resourceSpans\":[]}".getBytes(Charset.forName(charset)));
    assertThatThrownBy(() -> JsonTranscoder.toProtobuf(Signal.TRACES, json, LIMIT))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageEndingWith("(expected UTF-8)");
  }

  // conformance: J-18
  @ParameterizedTest
  @ValueSource(
      strings = {
        "80",
        "c0af",
        "c3",
        "e08080",
        "eda080",
        "edbfbf",
        "f08080af",
        "f4908080",
        "f8",
        "ff",
        "e282",
        "f09f99"
      })
  void request_invalidUtf8_isMalformedEvenInWhatIsSkipped(String hex) {
    byte[] bad = HexFormat.of().parseHex(hex);
    byte[] prefix = "{\"unknown\":\"some text ".getBytes(StandardCharsets.UTF_8);
    byte[] json = new byte[prefix.length + bad.length + 2];
    System.arraycopy(prefix, 0, json, 0, prefix.length);
    System.arraycopy(bad, 0, json, prefix.length, bad.length);
    json[json.length - 2] = '"';
    json[json.length - 1] = '}';

    assertThatThrownBy(() -> JsonTranscoder.toProtobuf(Signal.LOGS, Slice.of(json), LIMIT))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessage("request: bad JSON: not UTF-8 at byte 22 (expected UTF-8)");
  }

  @Test
  void limit_isExact() throws Exception {
    String json = logJson("\"body\":{\"stringValue\":\"" + "é".repeat(5000) + "\"}");
    int size = transcode(Signal.LOGS, json).length();
    Slice bytes = Slice.of(json.getBytes(StandardCharsets.UTF_8));

    assertThat(JsonTranscoder.toProtobuf(Signal.LOGS, bytes, size).length()).isEqualTo(size);
    assertThatThrownBy(() -> JsonTranscoder.toProtobuf(Signal.LOGS, bytes, size - 1))
        .isInstanceOf(PayloadTooLargeException.class)
        .hasMessage(
            "request: more than %d bytes as protobuf (expected at most that)".formatted(size - 1));
  }

  @Test
  void limit_numbersThatGrow_areRefused() {
    // Two characters of JSON become eight bytes.
    String json = metricJson("histogram", "\"explicitBounds\":[0" + ",1".repeat(1_000_000) + "]");
    assertThatThrownBy(
            () ->
                JsonTranscoder.toProtobuf(
                    Signal.METRICS, Slice.of(json.getBytes(StandardCharsets.UTF_8)), 4_000_000))
        .isInstanceOf(PayloadTooLargeException.class);
  }

  // Keys

  // conformance: J-04, J-05, J-14
  @Test
  void key_unknown_isIgnoredWhateverItsShape() throws Exception {
    Span span =
        span(
            "\"x\":{\"y\":[1,null,{\"name\":\"no\"}]},\"trace_id\":5,\"Name\":\"no\",\"name \":1,"
                + "\"\":[],\"name\":\"yes\",\"zz\":[[[[]]]]");
    assertThat(span).isEqualTo(Span.newBuilder().setName("yes").build());
  }

  // conformance: J-04, J-19
  @Test
  void key_unknownAndDeep_isIgnoredOrMalformedNeverStackOverflow() throws Exception {
    String deep = "[".repeat(900) + "]".repeat(900);
    assertThat(transcode(Signal.LOGS, "{\"x\":" + deep + "}").length()).isZero();

    String deeper = "[".repeat(200_000) + "]".repeat(200_000);
    assertThatThrownBy(() -> transcode(Signal.LOGS, "{\"x\":" + deeper + "}"))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageContaining("1000");
  }

  @Test
  void key_escaped_isTheSameKey() throws Exception {
    assertThat(span("\"\\u006eame\":\"x\"").getName()).isEqualTo("x");
  }

  // conformance: J-10
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"name\":\"a\",\"name\":\"b\"     | name",
        "\"name\":null,\"name\":\"b\"      | name",
        "\"attributes\":[],\"attributes\":[] | attributes",
        "\"status\":{},\"status\":{}       | status",
      })
  void key_twice_isMalformed(String members, String key) {
    assertThatThrownBy(() -> span(members))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageStartingWith(
            "request: bad JSON: %s.%s: the key is there twice (expected once) (line 1, column "
                .formatted(SPAN, key));
  }

  // conformance: J-09
  @Test
  void null_isUnset() throws Exception {
    assertThat(
            span(
                "\"traceId\":null,\"kind\":null,\"attributes\":null,\"status\":null,\"name\":null"))
        .isEqualTo(Span.getDefaultInstance());
    assertThat(value("{\"stringValue\":null,\"intValue\":\"1\"}").getIntValue()).isEqualTo(1);
  }

  // conformance: J-09
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"attributes\":[{},null] | attributes[1]",
        "\"links\":[null]         | links[0]",
      })
  void null_inArray_isMalformed(String members, String path) {
    assertThatThrownBy(() -> span(members))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageContaining(SPAN + "." + path + ": null in an array (expected a value) (line 1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"name\":5              | name: a number (expected a string)",
        "\"name\":{}             | name: an object (expected a string)",
        "\"attributes\":{}       | attributes: an object (expected an array)",
        "\"attributes\":[[]]     | attributes[0]: an array (expected an object)",
        "\"status\":[]           | status: an array (expected an object)",
        "\"kind\":true           | kind: true (expected an integer)",
        "\"traceId\":1           | traceId: a number (expected a hex string)",
        "\"status\":{\"code\":{}} | status.code: an object (expected an integer)",
      })
  void type_wrong_isMalformed(String members, String what) {
    assertThatThrownBy(() -> span(members))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageStartingWith("request: bad JSON: " + SPAN + "." + what + " (line 1, column ");
  }

  @Test
  void error_namesPathAndPosition() {
    String json =
        """
        {
          "resourceSpans": [
            {},
            {"scopeSpans": [{"spans": [{}, {}, {},
              {"spanId": "0102030405060708", "traceId": "xyz"}
            ]}]}
          ]
        }
        """;
    assertThatThrownBy(() -> transcode(Signal.TRACES, json))
        .hasMessage(
            "request: bad JSON: resourceSpans[1].scopeSpans[0].spans[3].traceId: "
                + "3 characters (expected 32 hex digits, or none) (line 5, column 49)");
  }

  @Test
  void error_inSyntax_namesEnclosingMessageAndPosition() {
    assertThatThrownBy(() -> span("\"status\":{\"code\":1 \"message\":2}"))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageStartingWith("request: bad JSON: " + SPAN + ".status: Unexpected character")
        .hasMessageContaining("(line 1, column ");
  }

  // Ids and bytes

  // conformance: J-01, J-17
  @Test
  void id_hexInAnyCase_isBytes() throws Exception {
    Span span =
        span(
            "\"traceId\":\"00112233445566778899aAbBcCdDeEfF\",\"spanId\":\"FFeeDDccBBaa9988\","
                + "\"parentSpanId\":\"\",\"links\":[{\"traceId\":\"\",\"spanId\":\"0000000000000000\"}]");
    assertThat(HexFormat.of().formatHex(span.getTraceId().toByteArray()))
        .isEqualTo("00112233445566778899aabbccddeeff");
    assertThat(HexFormat.of().formatHex(span.getSpanId().toByteArray()))
        .isEqualTo("ffeeddccbbaa9988");
    assertThat(span.getParentSpanId().isEmpty()).isTrue();
    assertThat(span.getLinks(0).getSpanId().size()).isEqualTo(8);
  }

  // conformance: J-01, J-17
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "001122334455667788",
        "00112233445566778899aabbccddeef",
        "AAECAwQFBgcICQoLDA0ODw==",
        "00112233445566778899aabbccddeeffff",
        "00112233445566778899aabbccddeefg",
        "0x112233445566778899aabbccddeeff",
        "00112233-445566778899aabbccddeef",
        "０0112233445566778899aabbccddeeff"
      })
  void id_notItsHex_isMalformed(String id) {
    assertThatThrownBy(() -> span("\"traceId\":\"" + id + "\""))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageStartingWith("request: bad JSON: " + SPAN + ".traceId: ");
  }

  // conformance: J-02
  @ParameterizedTest
  @CsvSource({
    "'', ''",
    "AA==, 00",
    "AA, 00",
    "AAE=, 0001",
    "AAE, 0001",
    "AAEC, 000102",
    "+/+/, fbffbf",
    "-_-_, fbffbf",
    "-/+_, fbffbf",
    "AAEC_w==, 000102ff",
    "//8, ffff",
  })
  void bytes_anyBase64_isDecoded(String base64, String hex) throws Exception {
    AnyValue value = value("{\"bytesValue\":\"" + base64 + "\"}");
    assertThat(value.hasBytesValue()).isTrue();
    assertThat(HexFormat.of().formatHex(value.getBytesValue().toByteArray())).isEqualTo(hex);
  }

  // conformance: J-02
  @ParameterizedTest
  @ValueSource(
      strings = {"A", "AAAAA", "AA=", "AAEC=", "A===", "=", "A A=", "AA==AA==", "AAé=", "%%%%"})
  void bytes_notBase64_isMalformed(String base64) {
    assertThatThrownBy(() -> value("{\"bytesValue\":\"" + base64 + "\"}"))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageContaining(".body.bytesValue: ")
        .hasMessageContaining("(expected base64)");
  }

  // Numbers

  // conformance: J-06, J-11
  @ParameterizedTest
  @CsvSource({
    "1763850000000000001, 1763850000000000001",
    "'\"1763850000000000001\"', 1763850000000000001",
    "9007199254740993, 9007199254740993",
    "18446744073709551615, 18446744073709551615",
    "'\"18446744073709551615\"', 18446744073709551615",
    "9223372036854775808, 9223372036854775808",
    "0, 0",
    "-0, 0",
    "'\"007\"', 7",
    "1e2, 100",
    "'\"1E+2\"', 100",
    "12.50e1, 125",
    "1.0, 1",
  })
  void fixed64_anyForm_isExact(String json, String expected) throws Exception {
    assertThat(span("\"endTimeUnixNano\":" + json).getEndTimeUnixNano())
        .isEqualTo(Long.parseUnsignedLong(expected));
  }

  // conformance: J-06, J-11
  @ParameterizedTest
  @CsvSource({
    "9223372036854775807, 9223372036854775807",
    "-9223372036854775808, -9223372036854775808",
    "'\"-9223372036854775808\"', -9223372036854775808",
    "-1, -1",
    "-1e18, -1000000000000000000",
  })
  void int64_anyForm_isExact(String json, long expected) throws Exception {
    assertThat(value("{\"intValue\":" + json + "}").getIntValue()).isEqualTo(expected);
    assertThat(point("\"asInt\":" + json).getAsInt()).isEqualTo(expected);
  }

  // conformance: J-06
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-1",
        "18446744073709551616",
        "1.5",
        "1e20",
        "1e1000000000",
        "1e-1",
        "\"\"",
        "\" 1\"",
        "\"1 \"",
        "\"+1\"",
        "\"0x10\"",
        "\"1_0\"",
        "\"-\"",
        "\"1e\"",
        "\"NaN\"",
        "\"١\"",
        "[1]",
        "{}",
        "true",
        "1e-1000000000",
        "\"1.\u00001\""
      })
  void fixed64_bad_isMalformed(String json) {
    assertThatThrownBy(() -> span("\"endTimeUnixNano\":" + json))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageStartingWith("request: bad JSON: " + SPAN + ".endTimeUnixNano: ");
  }

  @Test
  void number_ofTooManyDigits_isMalformed() {
    for (String digits : new String[] {"1".repeat(5000), "\"" + "1".repeat(5000) + "\""}) {
      assertThatThrownBy(() -> span("\"endTimeUnixNano\":" + digits))
          .isInstanceOf(MalformedRequestException.class);
    }
  }

  // conformance: J-07
  @ParameterizedTest
  @CsvSource({
    "4294967295, -1",
    "'\"4294967295\"', -1",
    "1e2, 100",
    "1.0, 1",
    "0, 0",
    "'\"7\"', 7",
  })
  void uint32_anyForm_isRead(String json, int expected) throws Exception {
    assertThat(span("\"droppedAttributesCount\":" + json).getDroppedAttributesCount())
        .isEqualTo(expected);
    assertThat(span("\"flags\":" + json).getFlags()).isEqualTo(expected);
  }

  // conformance: J-07
  @ParameterizedTest
  @ValueSource(
      strings = {"-1", "4294967296", "1.5", "\"\"", "\"a\"", "1e10", "99999999999999999999"})
  void uint32_bad_isMalformed(String json) {
    for (String key : new String[] {"droppedAttributesCount", "flags"}) {
      assertThatThrownBy(() -> span("\"" + key + "\":" + json))
          .isInstanceOf(MalformedRequestException.class)
          .hasMessageStartingWith("request: bad JSON: " + SPAN + "." + key + ": ");
    }
  }

  // conformance: J-07
  @Test
  void integer_outOfRange_saysTheRange() {
    assertThatThrownBy(() -> span("\"flags\":4294967296"))
        .hasMessageContaining("4294967296 is out of range (expected 0 to 4294967295)");
    assertThatThrownBy(() -> value("{\"intValue\":\"9223372036854775808\"}"))
        .hasMessageContaining(
            "9223372036854775808 is out of range (expected -9223372036854775808 to"
                + " 9223372036854775807)");
  }

  @Test
  void sint32_extremes_survive() throws Exception {
    for (int scale : new int[] {Integer.MIN_VALUE, -1, 1, Integer.MAX_VALUE}) {
      assertThat(exponential("\"scale\":" + scale).getScale()).isEqualTo(scale);
    }
    assertThatThrownBy(() -> exponential("\"scale\":2147483648"))
        .isInstanceOf(MalformedRequestException.class);
  }

  // conformance: J-03
  @ParameterizedTest
  @CsvSource({"2, 2", "'\"2\"', 2", "77, 77", "-1, -1", "-2147483648, -2147483648", "0, 0"})
  void enum_number_isKeptEvenIfUnknown(String json, int expected) throws Exception {
    assertThat(span("\"kind\":" + json).getKindValue()).isEqualTo(expected);
  }

  // conformance: J-03, J-15
  @ParameterizedTest
  @ValueSource(strings = {"SPAN_KIND_SERVER", "server", "2147483648", "", "1.5"})
  void enum_name_isMalformed(String text) {
    assertThatThrownBy(() -> span("\"kind\":\"" + text + "\""))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageStartingWith("request: bad JSON: " + SPAN + ".kind: ");
    assertThatThrownBy(() -> span("\"kind\":\"SPAN_KIND_SERVER\""))
        .hasMessageContaining(
            ".kind: \"SPAN_KIND_SERVER\" (expected the enum's number, not its name) (line 1");
  }

  // conformance: J-08
  @ParameterizedTest
  @CsvSource({
    "5, 5.0",
    "-0.0, -0.0",
    "'\"1.5\"', 1.5",
    "'\"-1e3\"', -1000",
    "1e-400, 0.0",
    "'\"NaN\"', NaN",
    "'\"Infinity\"', Infinity",
    "'\"-Infinity\"', -Infinity",
    "123456789012345678901234567890, 1.2345678901234568E29",
    "1.7976931348623157e308, 1.7976931348623157e308",
    "'\"-0\"', -0.0",
  })
  void double_anyForm_isRead(String json, Double expected) throws Exception {
    assertThat(value("{\"doubleValue\":" + json + "}").getDoubleValue()).isEqualTo(expected);
    assertThat(point("\"asDouble\":" + json).getAsDouble()).isEqualTo(expected);
  }

  // conformance: J-08
  @ParameterizedTest
  @ValueSource(
      strings = {
        "1e400",
        "\"1e400\"",
        "\"\"",
        "\"nan\"",
        "\"inf\"",
        "\"+Infinity\"",
        "\"0x1p3\"",
        "\"1d\"",
        "\" 1\"",
        "true",
        "[]",
        "\"1,5\"",
        "\".\"",
        "\"+1\""
      })
  void double_bad_isMalformed(String json) {
    assertThatThrownBy(() -> point("\"asDouble\":" + json))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageContaining("dataPoints[0].asDouble: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"true\"", "1", "0", "\"\"", "{}"})
  void bool_bad_isMalformed(String json) {
    assertThatThrownBy(() -> value("{\"boolValue\":" + json + "}"))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageContaining(LOG + ".body.boolValue: ")
        .hasMessageContaining("(expected true or false)");
  }

  // conformance: J-06, J-09
  @Test
  void packed_numbers_acceptEveryForm() throws Exception {
    HistogramDataPoint point =
        HistogramDataPoint.parseFrom(
            pointBytes(
                "histogram",
                "\"bucketCounts\":[\"1\",0,18446744073709551615],"
                    + "\"explicitBounds\":[0,\"-Infinity\",2.5]"));
    assertThat(point.getBucketCountsList()).containsExactly(1L, 0L, -1L);
    assertThat(point.getExplicitBoundsList()).containsExactly(0.0, Double.NEGATIVE_INFINITY, 2.5);
    assertThatThrownBy(() -> pointBytes("histogram", "\"bucketCounts\":[1,null]"))
        .hasMessageContaining("dataPoints[0].bucketCounts[1]: null in an array");
    assertThatThrownBy(() -> pointBytes("histogram", "\"bucketCounts\":[1,\"x\"]"))
        .hasMessageContaining("dataPoints[0].bucketCounts[1]: \"x\" (expected an integer)");
  }

  // Presence

  // conformance: J-13
  @Test
  void presence_defaultsOfImplicitFields_areLeftOut() throws Exception {
    byte[] bytes =
        transcode(
                Signal.TRACES,
                spanJson(
                    "\"traceId\":\"\",\"name\":\"\",\"kind\":0,\"startTimeUnixNano\":\"0\",\"flags\":0,"
                        + "\"droppedLinksCount\":0,\"attributes\":[]"))
            .toByteArray();
    assertThat(HexFormat.of().formatHex(bytes)).isEqualTo("0a0412021200");
  }

  // conformance: J-12, J-13
  @Test
  void presence_defaultsOfExplicitFields_survive() throws Exception {
    assertThat(HexFormat.of().formatHex(pointBytes("gauge", "\"asInt\":\"0\"")))
        .isEqualTo("310000000000000000");
    assertThat(HexFormat.of().formatHex(pointBytes("gauge", "\"asDouble\":0")))
        .isEqualTo("210000000000000000");
    assertThat(HexFormat.of().formatHex(pointBytes("histogram", "\"sum\":0,\"min\":0,\"max\":0")))
        .isEqualTo("290000000000000000" + "590000000000000000" + "610000000000000000");
    assertThat(value("{\"stringValue\":\"\"}").hasStringValue()).isTrue();
    assertThat(value("{\"boolValue\":false}").hasBoolValue()).isTrue();
    assertThat(value("{\"intValue\":0}").hasIntValue()).isTrue();
    assertThat(value("{\"doubleValue\":0}").hasDoubleValue()).isTrue();
    assertThat(value("{\"arrayValue\":{}}").hasArrayValue()).isTrue();
    assertThat(value("{\"kvlistValue\":{\"values\":[]}}").hasKvlistValue()).isTrue();
    assertThat(value("{}")).isEqualTo(AnyValue.getDefaultInstance());
  }

  // conformance: J-12
  @Test
  void oneof_twoMembers_isMalformed() {
    assertThatThrownBy(() -> value("{\"stringValue\":\"a\",\"intValue\":1}"))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageContaining(
            LOG
                + ".body.intValue: a second value (expected one of stringValue, boolValue,"
                + " intValue, doubleValue, arrayValue, kvlistValue, bytesValue,"
                + " stringValueStrindex)");
    assertThatThrownBy(() -> point("\"asInt\":1,\"asDouble\":1"))
        .isInstanceOf(MalformedRequestException.class);
  }

  // Text

  @Test
  void string_everyCodePoint_survives() throws Exception {
    String text = "\u0000 a\u007fé€\ud7ff\ue000\uffff🙂 \"\\/";
    String json = "\\u0000 a\u007f\\u00e9€\ud7ff\ue000\uffff\\ud83d\\ude42 \\\"\\\\\\/";
    assertThat(value("{\"stringValue\":\"" + json + "\"}").getStringValue()).isEqualTo(text);
  }

  // conformance: J-18
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\\ud800",
        "\\udc00",
        "\\udc00\\ud800",
        "a\\ud83d",
        "\\ud83dx",
        "\\ud83d\\ud83d\\ude42"
      })
  void string_loneSurrogate_isMalformed(String json) {
    assertThatThrownBy(() -> value("{\"stringValue\":\"" + json + "\"}"))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageContaining(LOG + ".body.stringValue: a lone surrogate \\ud")
        .hasMessageContaining("(expected a pair)");
  }

  @Test
  void string_anyLength_survives() throws Exception {
    for (int length : new int[] {127, 128, 129, 16_383, 16_384, 100_000, 2_100_000}) {
      String text = "é" + "x".repeat(length - 2);
      LogRecord log = log("\"body\":{\"stringValue\":\"" + text + "\"}");
      assertThat(log.getBody().getStringValue().equals(text)).isTrue();
    }
  }

  // Nesting

  // conformance: J-19
  @ParameterizedTest
  @CsvSource({"arrayValue, 48", "kvlistValue, 32"})
  void nesting_upToTheProtobufLimit_isReadByTheReference(String kind, int levels) throws Exception {
    String within = resourceAttribute(kind, levels);
    var request =
        ExportTraceServiceRequest.parseFrom(transcode(Signal.TRACES, within).toByteArray());
    AnyValue value = request.getResourceSpans(0).getResource().getAttributes(0).getValue();
    for (int i = 0; i < levels; i++) {
      value =
          value.hasArrayValue()
              ? value.getArrayValue().getValues(0)
              : value.getKvlistValue().getValues(0).getValue();
    }
    assertThat(value.getIntValue()).isEqualTo(1);

    assertThatThrownBy(() -> transcode(Signal.TRACES, resourceAttribute(kind, levels + 1)))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageContaining(": nested too deep (expected at most 100 levels) (line 1");
  }

  // conformance: J-19
  @ParameterizedTest
  @ValueSource(strings = {"arrayValue", "kvlistValue"})
  void nesting_absurd_isMalformedNeverStackOverflow(String kind) {
    assertThatThrownBy(() -> transcode(Signal.TRACES, resourceAttribute(kind, 200_000)))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageContaining(": nested too deep");
  }

  private static String resourceAttribute(String kind, int levels) {
    String open = kind.equals("arrayValue") ? "" : "{\"value\":";
    String close = kind.equals("arrayValue") ? "" : "}";
    String value =
        ("{\"" + kind + "\":{\"values\":[" + open).repeat(levels)
            + "{\"intValue\":1}"
            + (close + "]}}").repeat(levels);
    return "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"value\":" + value + "}]}}]}";
  }

  private static Span span(String members) throws Exception {
    byte[] bytes = transcode(Signal.TRACES, spanJson(members)).toByteArray();
    return ExportTraceServiceRequest.parseFrom(bytes)
        .getResourceSpans(0)
        .getScopeSpans(0)
        .getSpans(0);
  }

  private static String spanJson(String members) {
    return "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" + members + "}]}]}]}";
  }

  private static LogRecord log(String members) throws Exception {
    byte[] bytes = transcode(Signal.LOGS, logJson(members)).toByteArray();
    return ExportLogsServiceRequest.parseFrom(bytes)
        .getResourceLogs(0)
        .getScopeLogs(0)
        .getLogRecords(0);
  }

  private static String logJson(String members) {
    return "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{" + members + "}]}]}]}";
  }

  private static AnyValue value(String json) throws Exception {
    return log("\"body\":" + json).getBody();
  }

  private static NumberDataPoint point(String members) throws Exception {
    return NumberDataPoint.parseFrom(pointBytes("gauge", members));
  }

  private static ExponentialHistogramDataPoint exponential(String members) throws Exception {
    return ExponentialHistogramDataPoint.parseFrom(pointBytes("exponentialHistogram", members));
  }

  /** The bytes of the only data point of the only metric. */
  private static byte[] pointBytes(String kind, String members) throws Exception {
    byte[] bytes = transcode(Signal.METRICS, metricJson(kind, members)).toByteArray();
    var metric =
        ExportMetricsServiceRequest.parseFrom(bytes)
            .getResourceMetrics(0)
            .getScopeMetrics(0)
            .getMetrics(0);
    return switch (kind) {
      case "gauge" -> metric.getGauge().getDataPoints(0).toByteArray();
      case "histogram" -> metric.getHistogram().getDataPoints(0).toByteArray();
      default -> metric.getExponentialHistogram().getDataPoints(0).toByteArray();
    };
  }

  private static String metricJson(String kind, String members) {
    return "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"%s\":{\"dataPoints\":[{%s}]}}]}]}]}"
        .formatted(kind, members);
  }

  private static String hex(Slice bytes) {
    return HexFormat.of().formatHex(bytes.toByteArray());
  }

  private static Slice transcode(Signal signal, String json)
      throws MalformedRequestException, PayloadTooLargeException {
    return JsonTranscoder.toProtobuf(
        signal, Slice.of(json.getBytes(StandardCharsets.UTF_8)), LIMIT);
  }
}
