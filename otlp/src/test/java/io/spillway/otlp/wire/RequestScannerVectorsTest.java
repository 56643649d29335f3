package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The verdicts of protobuf-java and of upb on 60 requests, against ours. */
class RequestScannerVectorsTest {
  private static final String MALFORMED = "malformed";
  private static final Pattern COUNT = Pattern.compile("(?:spans|points)=(\\d+)");
  private static final Map<String, Signal> SIGNALS =
      Map.of("trace", Signal.TRACES, "metrics", Signal.METRICS);

  /** Where we differ from protobuf-java, on purpose. */
  private static final Map<String, String> DEVIATIONS =
      Map.of(
          "V29", MALFORMED, // a length of ten bytes: upb refuses it, so may a sink
          "V32", MALFORMED, // a tag of more than 32 bits: likewise
          "V63", "1"); // gauge, sum, gauge: a oneof member clears the others, as upb has it

  record Vector(String id, String kind, String what, String hex, String javaVerdict) {
    String expected() {
      String deviation = DEVIATIONS.get(id);
      if (deviation != null) {
        return deviation;
      }
      Matcher count = COUNT.matcher(javaVerdict);
      return javaVerdict.startsWith("ERR") ? MALFORMED : count.find() ? count.group(1) : "?";
    }

    @Override
    public String toString() {
      return id + " " + what;
    }
  }

  static List<Vector> vectors() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(
            RequestScannerVectorsTest.class.getResourceAsStream("/wire-vectors.tsv"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .skip(1)
          .map(line -> line.split("\t", -1))
          .map(c -> new Vector(c[0], c[1], c[2], c[3], c[4]))
          .toList();
    }
  }

  static List<Vector> requests() throws IOException {
    return vectors().stream().filter(v -> SIGNALS.containsKey(v.kind())).toList();
  }

  // conformance: W-10, W-30, W-31, W-32, W-33, W-34, W-35, W-36, W-37, W-38, W-39, W-40, W-42,
  // W-46, W-48
  @ParameterizedTest
  @MethodSource("requests")
  void scan_vector_verdictAndCount(Vector vector) {
    RequestScanner scanner = new RequestScanner();
    String verdict;
    try {
      scanner.scan(
          Objects.requireNonNull(SIGNALS.get(vector.kind())),
          Requests.surrounded(HexFormat.of().parseHex(vector.hex())));
      verdict = Integer.toString(scanner.items());
    } catch (MalformedRequestException e) {
      verdict = MALFORMED;
    }

    assertThat(verdict).as(vector.javaVerdict()).isEqualTo(vector.expected());
  }

  @Test
  void vectors_allRows_areRequestsOrKnownToBeNone() throws IOException {
    List<String> others =
        vectors().stream().filter(v -> !SIGNALS.containsKey(v.kind())).map(Vector::id).toList();

    assertThat(others).containsExactly("V80", "V81", "V82", "V83", "V84", "V85");
    assertThat(requests()).hasSize(60 - 6).extracting(Vector::id).containsAll(DEVIATIONS.keySet());
  }
}
