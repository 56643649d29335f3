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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One sender has all in flight that it may, while the lanes take nothing; another one comes. */
@Timeout(60)
class GreedySenderTest {
  private static final int BOUND = 1_000_000;
  private static final int LARGE = 50_000;
  private static final int SMALL = 2_000;

  @RegisterExtension
  final ReceiverHarness harness = new ReceiverHarness(HttpTimeouts.DEFAULT, BOUND);

  private GrpcSender greedy;
  private final List<CompletableFuture<GrpcSender.Result>> waiting = new ArrayList<>();

  /** Large requests wait at the gate, small ones are stored. */
  @BeforeEach
  void beGreedy() {
    harness
        .gate()
        .onSubmit(
            submission -> {
              if (submission.request().length() < LARGE) {
                submission.answer().accept(new Answer.Accepted(1));
              }
            });
    greedy = harness.grpc();
    for (int i = 0; i < 30; i++) {
      waiting.add(large());
    }
    await().until(() -> refused().size() + harness.gate().submissions().size() == 30);
  }

  @AfterEach
  void stop() {
    greedy.close();
  }

  // conformance: G-40, G-44, G-45
  @Test
  void grpc_greedyConnection_isRefusedWithDelay() throws Exception {
    assertThat(harness.admission().inFlightBytes()).isEqualTo(BOUND / 5 * 4);
    assertThat(refused()).hasSize(14);
    for (CompletableFuture<GrpcSender.Result> answered : refused()) {
      GrpcSender.Result result = answered.join();
      assertThat(result.code()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(
              RpcStatus.parse(Slice.of(result.trailers().get(GrpcExport.STATUS_DETAILS)))
                  .retryDelay())
          .isEqualTo(Intake.ADMISSION_RETRY_AFTER);
    }
  }

  @Test
  void grpc_smallSenderBesideGreedyOne_isServedEachTime() {
    try (GrpcSender small = harness.grpc()) {
      for (int i = 0; i < 50; i++) {
        assertThat(small.export(Payloads.noise(SMALL)).code()).isEqualTo(Status.Code.OK);
        assertThat(large().join().code()).isEqualTo(Status.Code.UNAVAILABLE);
      }
    }
  }

  // conformance: H-44, H-45
  @Test
  void http_besideGreedyGrpcSender_smallOneIsServedAndGreedyOneIsNot() throws IOException {
    try (RawHttp small = harness.http();
        RawHttp large = harness.http();
        RawHttp2 small2 = new RawHttp2(harness.receiver().httpAddress())) {
      for (int i = 0; i < 20; i++) {
        assertThat(small.postProtobuf(Payloads.noise(SMALL)).read().status()).isEqualTo(200);
        small2
            .postTraces(2 * i + 1, "content-length", Integer.toString(SMALL))
            .body(2 * i + 1, Payloads.noise(SMALL));
        assertThat(small2.read(2 * i + 1).status()).isEqualTo(200);
      }
      RawHttp.Response refused = large.postProtobuf(Payloads.noise(190_000)).read();
      assertThat(refused.status()).isEqualTo(503);
      assertThat(refused.header("retry-after")).isEqualTo("1");
    }
  }

  @Test
  void grpc_greedyConnectionDrains_isLetInAgainOnceWellBelow() {
    List<ScriptedGate.Submission> stored = harness.gate().submissions();
    // 16 of them are 800 kB, where everybody's part ends; new ones wait until it is below 640.
    for (int i = 0; i < 3; i++) {
      stored.get(i).answer().accept(new Answer.Accepted(1));
    }
    assertThat(large().join().code()).isEqualTo(Status.Code.UNAVAILABLE);

    stored.get(3).answer().accept(new Answer.Accepted(1));
    CompletableFuture<GrpcSender.Result> again = large();
    await().until(() -> harness.gate().submissions().size() == 17);
    assertThat(again).isNotDone();

    stored.forEach(submission -> submission.answer().accept(new Answer.Accepted(1)));
    assertThat(again.join().code()).isEqualTo(Status.Code.OK);
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  private CompletableFuture<GrpcSender.Result> large() {
    return greedy.start(
        Signal.LOGS.grpcService(), CallOptions.DEFAULT, List.of(Payloads.noise(LARGE)));
  }

  private List<CompletableFuture<GrpcSender.Result>> refused() {
    return waiting.stream().filter(CompletableFuture::isDone).toList();
  }
}
