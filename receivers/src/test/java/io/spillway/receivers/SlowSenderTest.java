package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.stage.Answer;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Senders that begin and do not end (H-50). */
@Timeout(60)
class SlowSenderTest {
  private static final Duration SHORT = Duration.ofMillis(100);

  @RegisterExtension
  final ReceiverHarness harness =
      new ReceiverHarness(
          new HttpTimeouts(SHORT, SHORT, SHORT, SHORT), ReceiverHarness.ADMISSION_BYTES);

  // conformance: H-50
  @Test
  void h50_headNeverEnds_connectionIsClosed() throws IOException {
    try (RawHttp client = harness.http()) {
      client.send("POST /v1/traces HTTP/1.1\r\nHost: re");

      assertThat(client.isAtEnd()).isTrue();
    }
  }

  // conformance: H-50
  @Test
  void h50_idleConnection_isClosed() throws IOException {
    try (RawHttp client = harness.http()) {
      assertThat(client.postProtobuf(new byte[0]).read().status()).isEqualTo(200);
      assertThat(client.isAtEnd()).isTrue();
    }
  }

  // conformance: H-45, H-47, H-50
  @Test
  void h45_bodyNeverEnds_503AndClosed() throws IOException {
    try (RawHttp client = harness.http()) {
      client.send(
          "POST /v1/traces HTTP/1.1\r\nHost: relay\r\nContent-Length: 100\r\n"
              + "Content-Type: application/x-protobuf\r\n\r\nabc");

      RawHttp.Response response = client.read();
      assertThat(response.status()).isEqualTo(503);
      assertThat(response.header("retry-after")).isEqualTo("5");
      assertThat(client.isAtEnd()).isTrue();
    }
    assertThat(harness.listener().only().answer()).isInstanceOf(Answer.Unavailable.class);
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  // conformance: H-50
  @Test
  void h50_connectionSaysNothing_isClosed() throws IOException {
    try (RawHttp client = harness.http()) {
      assertThat(client.isAtEnd()).isTrue();
    }
  }

  // conformance: H-50
  @Test
  void h50_http2PrefaceNeverEnds_isClosed() throws IOException {
    try (RawHttp client = harness.http()) {
      client.send("PRI * HTT");

      assertThat(client.isAtEnd()).isTrue();
    }
  }

  // conformance: H-45, H-50
  @Test
  void h45_http2BodyNeverEnds_503AndIdleConnectionEnds() throws IOException {
    try (RawHttp2 client = new RawHttp2(harness.receiver().httpAddress())) {
      client.postTraces(1).data(1, new byte[3], false);

      assertThat(client.read(1).status()).isEqualTo(503);
      assertThat(client.read(1).header("retry-after")).isEqualTo("5");
      assertThat(client.readGoAway()).isEqualTo(1);
      client.readToEnd();
    }
    assertThat(harness.listener().only().answer()).isInstanceOf(Answer.Unavailable.class);
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  @Test
  void refusedBodyNeverEnds_isAnsweredAndClosed() throws IOException {
    try (RawHttp client = harness.http()) {
      client.send("POST /nothing HTTP/1.1\r\nHost: relay\r\nContent-Length: 100\r\n\r\nabc");

      assertThat(client.read().status()).isEqualTo(404);
      assertThat(client.isAtEnd()).isTrue();
    }
  }
}
