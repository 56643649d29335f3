package io.spillway.otlp.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RpcStatusTest {

  private static final RpcStatus BUSY = new RpcStatus(14, "busy", Duration.ofSeconds(5));
  private static final String BUSY_HEX =
      "080e1204627573791a300a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e"
          + "5265747279496e666f12040a020805";
  private static final String RETRY_INFO_ANY =
      "0a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e5265747279496e666f";

  // conformance: G-45
  @Test
  void protobuf_goldenVector_bothWays() throws Exception {
    byte[] golden = HexFormat.of().parseHex(BUSY_HEX);

    assertThat(BUSY.toProtobuf()).isEqualTo(golden);
    assertThat(RpcStatus.parse(Slice.of(golden))).isEqualTo(BUSY);
    assertThat(Base64.getEncoder().encodeToString(BUSY.toProtobuf()))
        .isEqualTo(
            "CA4SBGJ1c3kaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIBQ==");
  }

  @Test
  void json_goldenForm_bothWays() throws Exception {
    String json =
        "{\"code\":14,\"message\":\"busy\",\"details\":[{\"@type\":"
            + "\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"5s\"}]}";

    assertThat(new String(BUSY.toJson(), StandardCharsets.UTF_8)).isEqualTo(json);
    assertThat(parseJson(json)).isEqualTo(BUSY);
  }

  @Test
  void encode_withoutRetryInfo_hasNoDetails() throws Exception {
    RpcStatus bad = new RpcStatus(12, "traceId: \"x\" ü", null);

    assertThat(RpcStatus.parse(Slice.of(bad.toProtobuf()))).isEqualTo(bad);
    assertThat(new String(bad.toJson(), StandardCharsets.UTF_8))
        .isEqualTo("{\"code\":12,\"message\":\"traceId: \\\"x\\\" ü\"}");
    assertThat(parseJson(new String(bad.toJson(), StandardCharsets.UTF_8))).isEqualTo(bad);
  }

  // conformance: H-43
  @Test
  void encode_badData_saysWhyInBadRequestToo() throws Exception {
    RpcStatus bad = new RpcStatus(3, "a\"b", null);

    assertThat(bad.toProtobuf())
        .isEqualTo(
            HexFormat.of()
                .parseHex(
                    "0803"
                        + "1203612262"
                        + "1a34"
                        + "0a29"
                        + HexFormat.of()
                            .formatHex(
                                "type.googleapis.com/google.rpc.BadRequest"
                                    .getBytes(StandardCharsets.US_ASCII))
                        + "1207"
                        + "0a05"
                        + "1203612262"));
    assertThat(new String(bad.toJson(), StandardCharsets.UTF_8))
        .isEqualTo(
            "{\"code\":3,\"message\":\"a\\\"b\",\"details\":[{\"@type\":"
                + "\"type.googleapis.com/google.rpc.BadRequest\","
                + "\"fieldViolations\":[{\"description\":\"a\\\"b\"}]}]}");
    assertThat(RpcStatus.parse(Slice.of(bad.toProtobuf()))).isEqualTo(bad);
    assertThat(parseJson(new String(bad.toJson(), StandardCharsets.UTF_8))).isEqualTo(bad);
  }

  // conformance: G-23
  @Test
  void encode_badDataOf5Mib_staysBelow4Mib() {
    RpcStatus huge = new RpcStatus(3, "€".repeat(2 * 1024 * 1024), null);

    assertThat(huge.toProtobuf().length).isLessThan(4 * 1024 * 1024);
    assertThat(huge.toJson().length).isLessThan(4 * 1024 * 1024);
  }

  @ParameterizedTest
  @CsvSource({
    "PT0S, 0s",
    "PT5S, 5s",
    "PT1.5S, 1.500s",
    "PT0.000001S, 0.000001s",
    "PT0.000000001S, 0.000000001s",
    "PT1M0.25S, 60.250s",
    "PT87660000H, 315576000000s",
  })
  void retryDelay_anyPrecision_survivesBothForms(Duration delay, String text) throws Exception {
    RpcStatus status = new RpcStatus(8, "", delay);

    assertThat(new String(status.toJson(), StandardCharsets.UTF_8))
        .contains("\"retryDelay\":\"" + text + "\"");
    assertThat(RpcStatus.parse(Slice.of(status.toProtobuf()))).isEqualTo(status);
    assertThat(RpcStatus.parseJson(Slice.of(status.toJson()))).isEqualTo(status);
  }

  @ParameterizedTest
  @CsvSource({"PT-1S, PT0S", "PT-0.5S, PT0S", "PT87660001H, PT87660000H"})
  void retryDelay_outsideOfRange_isClamped(Duration given, Duration sent) throws Exception {
    RpcStatus status = new RpcStatus(14, "", given);

    assertThat(RpcStatus.parse(Slice.of(status.toProtobuf())).retryDelay()).isEqualTo(sent);
    assertThat(RpcStatus.parseJson(Slice.of(status.toJson())).retryDelay()).isEqualTo(sent);
  }

  @ParameterizedTest
  @CsvSource({
    // RetryInfo without retry_delay; negative seconds; negative nanos; the largest
    // seconds; more than a second of nanos.
    "'', PT0S",
    "0a0b08ffffffffffffffffff01, PT0S",
    "0a0b10ffffffffffffffffff01, PT0S",
    "0a0a08ffffffffffffffff7f, PT87660000H",
    "0a0808051080a8d6b907, PT5.999999999S",
  })
  void parse_oddDelays_areReadIntoRange(String retryInfo, String expected) throws Exception {
    int length = retryInfo.length() / 2;
    assertThat(parse(detail(retryInfo, length)).retryDelay()).isEqualTo(Duration.parse(expected));
  }

  private static String detail(String retryInfo, int length) {
    return "1a%02x%s12%02x%s".formatted(42 + 2 + length, RETRY_INFO_ANY, length, retryInfo);
  }

  @Test
  void parse_unknownDetailsAndFields_areSkipped() throws Exception {
    String unknownDetail = "1a080a03612f62120109";
    assertThat(parse(unknownDetail + BUSY_HEX + unknownDetail + "9a0601ff")).isEqualTo(BUSY);
  }

  @Test
  void parse_codeOutsideCanonicalRange_isUnknown() throws Exception {
    assertThat(parse("0863").code()).isEqualTo(2);
    assertThat(parse("08ffffffffffffffffff01").code()).isEqualTo(2);
    assertThat(parse("0810").code()).isEqualTo(16);
    assertThat(parseJson("{\"code\":503}").code()).isEqualTo(2);
  }

  @Test
  void parse_messageNotUtf8_isReplaced() throws Exception {
    assertThat(parse("120361ff62").message()).isEqualTo("a\ufffdb");
  }

  @ParameterizedTest
  @ValueSource(strings = {"08", "1205", "1a0212", "1a020a05", "0c", "0808080808ff"})
  void parse_damaged_isMalformed(String hex) {
    assertThatThrownBy(() -> parse(hex)).isInstanceOf(MalformedRequestException.class);
  }

  @Test
  void parseJson_missingOrOddParts_stayEmpty() throws Exception {
    RpcStatus empty = new RpcStatus(0, "", null);
    assertThat(parseJson("{}")).isEqualTo(empty);
    assertThat(parseJson("{\"code\":null,\"message\":{\"code\":3},\"details\":{\"a\":[]}}"))
        .isEqualTo(empty);
    assertThat(parseJson("{\"details\":[1,[2],null,{\"@type\":[]},{\"retryDelay\":\"5s\"}]}"))
        .isEqualTo(empty);
    assertThat(parseJson("{\"x\":{\"message\":\"no\"},\"code\":\"8\"}"))
        .isEqualTo(new RpcStatus(8, "", null));
  }

  @ParameterizedTest
  @CsvSource({
    "1.5s, PT1.5S",
    "-3s, PT0S",
    "1e400s, PT87660000H",
    "1e-400s, PT0S",
    "0.0000000019s, PT0.000000001S",
    "5, ",
    "soon, ",
    "s, ",
  })
  void parseJson_delays_areLenient(String text, Duration expected) throws Exception {
    String json =
        "{\"details\":[{\"retryDelay\":\"%s\",\"@type\":\"x/google.rpc.RetryInfo\"}]}"
            .formatted(text);
    assertThat(parseJson(json).retryDelay()).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "\"busy\"", "<html>", "{\"code\":", "{\"details\":[{"})
  void parseJson_notAnObject_isMalformed(String json) {
    assertThatThrownBy(() -> parseJson(json))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageStartingWith("response: bad JSON status: ");
  }

  @Test
  void encode_messageOf5Mib_staysBelow4MibAndKeepsRetryInfo() throws Exception {
    RpcStatus huge = new RpcStatus(14, "€".repeat(2 * 1024 * 1024), Duration.ofSeconds(9));

    assertThat(huge.toProtobuf().length).isLessThan(4 * 1024 * 1024);
    assertThat(huge.toJson().length).isLessThan(4 * 1024 * 1024);
    assertThat(RpcStatus.parse(Slice.of(huge.toProtobuf())).retryDelay())
        .isEqualTo(Duration.ofSeconds(9));
    assertThat(RpcStatus.parseJson(Slice.of(huge.toJson())).retryDelay())
        .isEqualTo(Duration.ofSeconds(9));
  }

  private static RpcStatus parse(String hex) throws MalformedRequestException {
    return RpcStatus.parse(Slice.of(HexFormat.of().parseHex(hex)));
  }

  private static RpcStatus parseJson(String json) throws MalformedRequestException {
    return RpcStatus.parseJson(Slice.of(json.getBytes(StandardCharsets.UTF_8)));
  }
}
