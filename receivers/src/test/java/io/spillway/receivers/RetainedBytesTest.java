package io.spillway.receivers;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.otlp.Slice;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A request that waits for its answer keeps arrays alive that may be larger than it is; the
 * admission counts those.
 */
@Timeout(60)
class RetainedBytesTest {
  private static final String PROTOBUF = "Content-Type: application/x-protobuf\r\n";
  private static final byte[] BODY = Payloads.noise(300_000);

  @RegisterExtension final ReceiverHarness harness = new ReceiverHarness();

  @BeforeEach
  void answerNothing() {
    harness.gate().onSubmit(submission -> {});
  }

  // conformance: W-52
  @Test
  void w52_chunkedBodyAtTheGate_itsWholeArrayIsReserved() throws IOException {
    try (RawHttp client = harness.http()) {
      client
          .send(
              "POST /v1/traces HTTP/1.1\r\nHost: relay\r\nTransfer-Encoding: chunked\r\n"
                  + PROTOBUF
                  + "\r\n")
          .chunk(BODY)
          .send("0\r\n\r\n");

      assertReserved();
    }
  }

  // conformance: W-52
  @ParameterizedTest
  @ValueSource(strings = {"identity", "gzip", "zstd"})
  void w52_bodyAtTheGate_itsWholeArrayIsReserved(String encoding) throws IOException {
    try (RawHttp client = harness.http()) {
      client.post(
          "/v1/traces",
          PROTOBUF + "Content-Encoding: " + encoding + "\r\n",
          Payloads.encoded(encoding, BODY));

      assertReserved();
    }
  }

  // conformance: W-52
  @Test
  void w52_jsonAtTheGate_itsWholeArrayIsReserved() throws IOException {
    String json = "{\"resourceSpans\":[" + "{\"schemaUrl\":\"x\"},".repeat(20_000) + "{}]}";
    try (RawHttp client = harness.http()) {
      client.post("/v1/traces", "Content-Type: application/json\r\n", json.getBytes(US_ASCII));

      assertReserved();
    }
  }

  // conformance: W-52
  @Test
  void w52_growsBeyondTheGuess_needsRoomFirst() throws IOException {
    String json = "{\"resourceSpans\":[" + "{\"schemaUrl\":\"x\"},".repeat(50_000) + "{}]}";
    byte[] bomb = Payloads.encoded("gzip", json.getBytes(US_ASCII));
    String headers = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    Admission admission = harness.admission();
    Admission.Share others = admission.join(InetAddress.getLoopbackAddress());
    List<Admission.Ticket> held = List.of(others.ticket(), others.ticket());
    // Leaves of the four fifths for everybody, and of the reserve for one, less than it becomes.
    held.forEach(ticket -> assertThat(ticket.resize(admission.maxBytes() * 398 / 1000)).isTrue());
    try (RawHttp client = harness.http()) {
      assertThat(client.post("/v1/traces", headers, bomb).read().status()).isEqualTo(503);
      assertThat(harness.gate().submissions()).isEmpty();
      held.forEach(Admission.Ticket::close);

      client.post("/v1/traces", headers, bomb);

      assertReserved();
    }
  }

  // conformance: W-52
  @Test
  void w52_grpcMessageAtTheGate_itsWholeArrayIsReserved() throws IOException {
    try (RawGrpc grpc = harness.rawGrpc()) {
      grpc.open().data(RawGrpc.message(false, BODY), true);

      assertReserved();
    }
  }

  private void assertReserved() {
    await().until(() -> harness.gate().submissions().size() == 1);
    Slice request = harness.gate().submissions().getFirst().request();
    assertThat(harness.admission().inFlightBytes()).isEqualTo(request.array().length);
  }
}
