package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.stage.Answer;
import java.io.IOException;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** One answer of the gate, as senders of both protocols hear it. */
@Timeout(60)
class BothProtocolsTest {
  @RegisterExtension final ReceiverHarness harness = new ReceiverHarness();

  static Stream<Arguments> answers() {
    return Stream.of(
        Arguments.of(new Answer.Accepted(1), 0, 200),
        Arguments.of(new Answer.Invalid("malformed"), 3, 400),
        Arguments.of(new Answer.NotServed(1, "no route"), 12, 404),
        Arguments.of(new Answer.TooLarge(1, "an item"), 8, 413),
        Arguments.of(new Answer.Unavailable(1, Duration.ofSeconds(1), "full"), 14, 503));
  }

  // conformance: H-45, H-46, H-47
  @ParameterizedTest
  @MethodSource("answers")
  void h46_answer_meansTheSameInBothProtocols(Answer answer, int code, int status)
      throws IOException {
    harness.gate().answerWith(answer);

    try (RawGrpc grpc = harness.rawGrpc();
        RawHttp http = harness.http();
        RawHttp2 http2 = new RawHttp2(harness.receiver().httpAddress())) {
      assertThat(grpc.export(Payloads.traces(1)).code()).isEqualTo(code);
      assertThat(http.postProtobuf(Payloads.traces(1)).read().status()).isEqualTo(status);
      assertThat(http2.postTraces(1).body(1, Payloads.traces(1)).read(1).status())
          .isEqualTo(status);
    }
  }
}
