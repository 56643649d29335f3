package io.spillway.receivers;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.CallOptions;
import io.grpc.Status;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Answer;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The gate gets the gzip of a sender beside the request, and the admission counts both. */
@Timeout(60)
class PassedGzipTest {
  private static final String PROTOBUF = "Content-Type: application/x-protobuf\r\n";
  private static final String GZIP = "Content-Encoding: gzip\r\n";
  private static final byte[] TRACES = Payloads.traces(300);

  @RegisterExtension final ReceiverHarness harness = new ReceiverHarness();

  @BeforeEach
  void answerNothing() {
    harness.gate().onSubmit(submission -> {});
  }

  @Test
  void http_gzip_isHandedOnAndReservedUntilItIsAnswered() throws IOException {
    byte[] gzip = Payloads.gzip(TRACES);
    try (RawHttp client = harness.http()) {
      client.post("/v1/traces", PROTOBUF + GZIP, gzip);
      assertHandedOn(gzip);

      harness.gate().submissions().getFirst().answer().accept(new Answer.Accepted(300));

      assertThat(client.read().status()).isEqualTo(200);
      assertThat(harness.admission().inFlightBytes()).isZero();
    }
  }

  @Test
  void http_gzipInChunks_reservesItsWholeArray() throws IOException {
    byte[] gzip = Payloads.gzip(Payloads.traces(5000));
    try (RawHttp client = harness.http()) {
      client
          .send(
              "POST /v1/traces HTTP/1.1\r\nHost: relay\r\nTransfer-Encoding: chunked\r\n"
                  + PROTOBUF
                  + GZIP
                  + "\r\n")
          .chunk(gzip)
          .send("0\r\n\r\n");

      assertHandedOn(gzip);
    }
  }

  @Test
  void grpc_gzip_isHandedOnAndReserved() throws IOException {
    byte[] gzip = Payloads.gzip(TRACES);
    try (GrpcSender sender = harness.grpc()) {
      CompletableFuture<GrpcSender.Result> result =
          sender.start(
              Signal.TRACES.grpcService(),
              CallOptions.DEFAULT.withCompression("gzip"),
              List.of(gzip));
      assertHandedOn(gzip);

      harness.gate().submissions().getFirst().answer().accept(new Answer.Accepted(300));

      assertThat(result.join().code()).isEqualTo(Status.Code.OK);
      assertThat(harness.admission().inFlightBytes()).isZero();
    }
  }

  @Test
  void http_otherEncodings_areNotHandedOn() throws IOException {
    byte[] json =
        "{\"resourceSpans\":[{\"schemaUrl\":\"x\"},{\"schemaUrl\":\"x\"}]}".getBytes(US_ASCII);
    try (RawHttp client = harness.http()) {
      client.post("/v1/traces", PROTOBUF, TRACES);
    }
    try (RawHttp client = harness.http()) {
      client.post(
          "/v1/traces", PROTOBUF + "Content-Encoding: zstd\r\n", Payloads.encoded("zstd", TRACES));
    }
    try (RawHttp client = harness.http()) {
      client.post("/v1/traces", "Content-Type: application/json\r\n" + GZIP, Payloads.gzip(json));
    }

    await().until(() -> harness.gate().submissions().size() == 3);
    assertThat(harness.gate().submissions())
        .allSatisfy(submission -> assertThat(submission.gzip()).isNull());
  }

  private void assertHandedOn(byte[] gzip) {
    await().until(() -> harness.gate().submissions().size() == 1);
    ScriptedGate.Submission submission = harness.gate().submissions().getFirst();
    Slice handedOn = submission.gzip();
    assertThat(handedOn).isNotNull();
    assertThat(handedOn.toByteArray()).isEqualTo(gzip);
    assertThat(harness.admission().inFlightBytes())
        .isEqualTo(submission.request().array().length + (long) handedOn.array().length);
  }
}
