package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.CallOptions;
import io.grpc.Status;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.rpc.RpcStatus;
import io.spillway.otlp.stage.Answer;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What senders are told when requests in flight hold all the memory there is for them. */
@Timeout(60)
class AdmittedRequestsTest {
  private static final int ROOM = 100_000;
  private static final int HELD = 90_000;

  @RegisterExtension
  final ReceiverHarness harness = new ReceiverHarness(HttpTimeouts.DEFAULT, ROOM);

  private GrpcSender first;
  private CompletableFuture<GrpcSender.Result> held;

  /** One request waits at the gate and holds nearly all the room. */
  @BeforeEach
  void fill() {
    harness.gate().onSubmit(submission -> {});
    first = harness.grpc();
    held =
        first.start(Signal.LOGS.grpcService(), CallOptions.DEFAULT, List.of(Payloads.noise(HELD)));
    await().until(() -> harness.gate().submissions().size() == 1);
    assertThat(harness.admission().inFlightBytes()).isEqualTo(HELD);
  }

  // conformance: G-40, G-44, G-45
  @Test
  void grpc_noRoomWhileReading_unavailableWithRetryInfo() throws Exception {
    try (GrpcSender sender = harness.grpc()) {
      GrpcSender.Result result = sender.export(Payloads.noise(900_000));

      assertThat(result.code()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(details(result).retryDelay()).isEqualTo(Intake.ADMISSION_RETRY_AFTER);
      assertRefusedBesideHeld();
      freeRoom();
      harness.gate().answerWith(new Answer.Accepted(1));
      assertThat(sender.export(Payloads.noise(900_000)).code()).isEqualTo(Status.Code.OK);
    }
  }

  // conformance: G-40, G-44
  @Test
  void grpc_noRoomToDecompress_unavailableWithoutTrying() throws Exception {
    try (GrpcSender sender = harness.grpc()) {
      GrpcSender.Result result = sender.export("gzip", Payloads.noise(6000));

      assertThat(result.code()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(details(result).retryDelay()).isEqualTo(Intake.ADMISSION_RETRY_AFTER);
      assertRefusedBesideHeld();
      freeRoom();
    }
  }

  // conformance: H-44, H-45
  @Test
  void http_noRoomWhileReading_503WithRetryAfter() throws IOException {
    try (RawHttp client = harness.http()) {
      RawHttp.Response response = client.postProtobuf(Payloads.noise(200_000)).read();

      assertThat(response.status()).isEqualTo(503);
      assertThat(response.header("retry-after")).isEqualTo("1");
      assertRefusedBesideHeld();
      freeRoom();
      harness.gate().answerWith(new Answer.Accepted(1));
      assertThat(client.postProtobuf(Payloads.noise(200_000)).read().status()).isEqualTo(200);
    }
  }

  // conformance: H-44, H-45
  @Test
  void http2_noRoomWhileReading_503WithRetryAfter() throws IOException {
    try (RawHttp2 client = new RawHttp2(harness.receiver().httpAddress())) {
      client.postTraces(1).body(1, Payloads.noise(200_000));

      assertThat(client.read(1).status()).isEqualTo(503);
      assertThat(client.read(1).header("retry-after")).isEqualTo("1");
      assertRefusedBesideHeld();
      freeRoom();
      harness.gate().answerWith(new Answer.Accepted(1));
      client.postTraces(3).body(3, Payloads.noise(200_000));
      assertThat(client.read(3).status()).isEqualTo(200);
    }
  }

  // conformance: H-44, H-45
  @Test
  void http_noRoomToDecompress_503WithoutTrying() throws IOException {
    try (RawHttp client = harness.http()) {
      RawHttp.Response response =
          client
              .post(
                  "/v1/traces",
                  "Content-Type: application/x-protobuf\r\nContent-Encoding: zstd\r\n",
                  Payloads.noise(6000))
              .read();

      assertThat(response.status()).isEqualTo(503);
      assertRefusedBesideHeld();
      freeRoom();
    }
  }

  @Test
  void http_fitsBesideOthers_200() throws IOException {
    harness.gate().answerWith(new Answer.Accepted(1));
    try (RawHttp client = harness.http()) {
      assertThat(client.postProtobuf(Payloads.noise(ROOM - HELD)).read().status()).isEqualTo(200);
    }
    freeRoom();
  }

  private void assertRefusedBesideHeld() {
    assertThat(harness.listener().only().answer())
        .isEqualTo(
            new Answer.Unavailable(
                0,
                Intake.ADMISSION_RETRY_AFTER,
                ((Answer.Unavailable) harness.listener().only().answer()).reason()));
    assertThat(harness.gate().submissions()).hasSize(1);
    assertThat(harness.admission().inFlightBytes()).isEqualTo(HELD);
  }

  private void freeRoom() {
    harness.gate().submissions().getFirst().answer().accept(new Answer.Accepted(1));
    assertThat(held.join().code()).isEqualTo(Status.Code.OK);
    assertThat(harness.admission().inFlightBytes()).isZero();
    first.close();
  }

  private static RpcStatus details(GrpcSender.Result result) throws Exception {
    return RpcStatus.parse(Slice.of(result.trailers().get(GrpcExport.STATUS_DETAILS)));
  }
}
