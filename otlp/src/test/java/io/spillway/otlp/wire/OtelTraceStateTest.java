package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OtelTraceStateTest {
  private final OtelTraceState state = new OtelTraceState();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                            | ot=th:c",
        "ot=th:8                       | ot=th:c",
        "ot=th:8000                    | ot=th:c",
        "ot=rv:00000000000001          | ot=th:c;rv:00000000000001",
        "ot=rv:00000000000001;th:8     | ot=rv:00000000000001;th:c",
        "ot=p:8;th:8;a:               | ot=p:8;th:c;a:",
        "rojo=00f067aa0ba902b7         | ot=th:c,rojo=00f067aa0ba902b7",
        "a=1,ot=th:8,b=2               | ot=th:c,a=1,b=2",
        "' a=1 ,, \tot=th:8,b=2 ;x ,'  | ot=th:c,a=1,b=2 ;x",
        "t@v=1,0k_-*/=!~               | ot=th:c,t@v=1,0k_-*/=!~"
      })
  void write_newThreshold_inFrontOthersPreserved(String input, String output) {
    assertThat(parse(input)).isTrue();
    assertThat(write("c")).isEqualTo(output);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ot=th:8                   | ''",
        "a=1,ot=th:8               | a=1",
        "a=1,ot=x:1;th:8;y:2,b=2   | ot=x:1;y:2,a=1,b=2",
        "ot=th:8;rv:00000000000001 | ot=rv:00000000000001",
      })
  void write_noThreshold_erased(String input, String output) {
    assertThat(parse(input)).isTrue();
    assertThat(write(null)).isEqualTo(output);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ot=",
        "ot",
        "=1",
        "ot=th:8;",
        "ot=;th:8",
        "ot=1:1",
        "ot=th",
        "ot=th:",
        "ot=th:G",
        "ot=th:8C",
        "ot=th:123456789012345",
        "ot=rv:0000000000001",
        "ot=rv:000000000000001",
        "ot=rv:0000000000000G",
        "ot=th:8;th:8",
        "ot=th:8,ot=th:8",
        "ot=x y:1",
        "ot=a:b c",
        "Ot=1",
        "a=b=c",
        "a=1,b",
        "ot=x:1:2",
        "ot=a:é"
      })
  void parse_notTheGrammar_false(String input) {
    assertThat(parse(input)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "8, 80000000000000",
    "1000, 10000000000000",
    "ffffffffffffff, ffffffffffffff"
  })
  void threshold_shortHex_paddedToFourteenDigits(String th, String padded) {
    assertThat(parse("ot=th:" + th)).isTrue();
    assertThat(state.threshold()).isEqualTo(Long.parseLong(padded, 16));
  }

  @Test
  void randomness_fourteenDigits_read() {
    assertThat(parse("ot=rv:0123456789abcd")).isTrue();
    assertThat(state.randomness()).isEqualTo(0x0123456789abcdL);
    assertThat(state.hasThreshold()).isFalse();
  }

  @Test
  void write_otTooLong_aborted() {
    String longest = "ot=x:" + "a".repeat(256 - 2 - ";th:c".length());

    assertThat(parse(longest)).isTrue();
    assertThat(write("c")).hasSize("ot=".length() + 256);
    assertThat(parse(longest + "a")).isTrue();
    assertThat(write("c")).isEqualTo("aborted");
    assertThat(parse("ot=x:" + "a".repeat(255))).isFalse();
  }

  @Test
  void write_thirtyTwoOthers_theLastOneFallsOff() {
    String others =
        IntStream.range(0, 32).mapToObj(i -> "k" + i + "=v").collect(Collectors.joining(","));

    assertThat(parse(others)).isTrue();
    assertThat(write("c")).isEqualTo("ot=th:c," + others.replace(",k31=v", ""));
    assertThat(parse(others + ",k32=v")).isFalse();
  }

  private boolean parse(String input) {
    byte[] bytes = ("<" + input + ">").getBytes(StandardCharsets.UTF_8);
    return state.parse(bytes, 1, bytes.length - 1);
  }

  private String write(String th) {
    WireBuffer out = new WireBuffer(16);
    byte[] encoded = th == null ? null : th.getBytes(StandardCharsets.US_ASCII);
    boolean written = state.write(out, encoded);
    String text = new String(out.array(), 0, out.size(), StandardCharsets.US_ASCII);
    return written ? text : "aborted" + text;
  }
}
