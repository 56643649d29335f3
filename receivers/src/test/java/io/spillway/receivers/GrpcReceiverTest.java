package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.CallOptions;
import io.grpc.Status;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.rpc.RpcStatus;
import io.spillway.otlp.stage.Answer;
import io.spillway.receivers.GrpcSender.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class GrpcReceiverTest {
  private static final int LIMIT = ReceiverHarness.MAX_REQUEST_BYTES;

  @RegisterExtension final ReceiverHarness harness = new ReceiverHarness();

  private GrpcSender sender;

  @BeforeEach
  void connect() {
    sender = harness.grpc();
  }

  @AfterEach
  void disconnect() {
    sender.close();
  }

  // conformance: G-01
  @ParameterizedTest
  @EnumSource(Signal.class)
  void g01_export_reachesGate(Signal signal) {
    byte[] body = Payloads.noise(100);

    Result result = sender.start(signal.grpcService(), CallOptions.DEFAULT, List.of(body)).join();

    assertThat(result.code()).isEqualTo(Status.Code.OK);
    assertThat(harness.gate().onlyRequest()).isEqualTo(body);
    assertThat(harness.gate().submissions().getFirst().signal()).isEqualTo(signal);
    RecordingListener.Heard heard = harness.listener().only();
    assertThat(heard.signal()).isEqualTo(signal);
    assertThat(heard.transport()).isEqualTo(Transport.GRPC);
    assertThat(heard.wireBytes()).isEqualTo(100);
    assertThat(heard.answer()).isEqualTo(new Answer.Accepted(1));
    assertThat(heard.elapsed()).isPositive();
  }

  // conformance: G-03
  @Test
  void g03_otherService_unimplemented() {
    Result result =
        sender
            .start(
                "opentelemetry.proto.collector.profiles.v1.ProfilesService",
                CallOptions.DEFAULT,
                List.of(new byte[0]))
            .join();

    assertThat(result.code()).isEqualTo(Status.Code.UNIMPLEMENTED);
    assertThat(harness.listener().all()).isEmpty();
  }

  // conformance: G-06
  @Test
  void g06_noMessage_unimplemented() {
    Result result =
        sender.start(Signal.TRACES.grpcService(), CallOptions.DEFAULT, List.of()).join();

    assertThat(result.code()).isEqualTo(Status.Code.UNIMPLEMENTED);
    assertThat(harness.listener().only().answer())
        .isEqualTo(new Answer.Invalid("no request message"));
  }

  // conformance: G-06
  @Test
  void g06_twoMessages_unimplemented() {
    List<byte[]> messages = List.of(Payloads.noise(10), Payloads.noise(10));

    Result result = sender.start(Signal.TRACES.grpcService(), CallOptions.DEFAULT, messages).join();

    assertThat(result.code()).as(result.toString()).isEqualTo(Status.Code.UNIMPLEMENTED);
    assertThat(harness.gate().submissions()).isEmpty();
    assertThat(harness.listener().only().answer())
        .isEqualTo(new Answer.Invalid("more than one request message"));
  }

  // conformance: G-08
  @Test
  void g08_deadlinePassed_noSuccessAndAnswerIsHeard() {
    harness.gate().onSubmit(submission -> {});

    Result result =
        sender
            .start(
                Signal.TRACES.grpcService(),
                CallOptions.DEFAULT.withDeadlineAfter(300, TimeUnit.MILLISECONDS),
                List.of(Payloads.noise(10)))
            .join();
    await().until(() -> harness.gate().submissions().size() == 1);
    harness.gate().submissions().getFirst().answer().accept(new Answer.Accepted(1));

    assertThat(result.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertThat(harness.listener().only().answer()).isEqualTo(new Answer.Accepted(1));
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  // conformance: G-10, G-11
  @ParameterizedTest
  @CsvSource({"gzip, gzip", "zstd, zstd", "snappy, x-snappy-framed", "snappy, snappy"})
  void g10_compressed_reachesGateDecompressed(String encoding, String format) {
    byte[] body = Payloads.traces(50);
    byte[] sent = Payloads.encoded(format, body);

    assertThat(sender.export(encoding, sent).code()).isEqualTo(Status.Code.OK);

    assertThat(harness.gate().onlyRequest()).isEqualTo(body);
    assertThat(harness.listener().only().wireBytes()).isEqualTo(sent.length);
  }

  // conformance: G-12
  @Test
  void g12_unknownEncoding_unimplemented() {
    Result result = sender.export("br", Payloads.noise(10));

    assertThat(result.code()).isEqualTo(Status.Code.UNIMPLEMENTED);
    assertThat(harness.gate().submissions()).isEmpty();
    await().until(() -> harness.listener().all().size() == 1);
    assertThat(harness.listener().only().answer()).isInstanceOf(Answer.Invalid.class);
  }

  // conformance: G-13
  @Test
  void g13_compressedFlagWithIdentity_internal() {
    Result result = sender.export("identity", Payloads.noise(10));

    assertThat(result.code()).isEqualTo(Status.Code.INTERNAL);
    assertThat(harness.gate().submissions()).isEmpty();
    await().until(() -> harness.listener().all().size() == 1);
    assertThat(harness.listener().only().answer()).isInstanceOf(Answer.Invalid.class);
  }

  // conformance: G-14
  @ParameterizedTest
  @ValueSource(strings = {"gzip", "zstd"})
  void g14_damagedCompression_internal(String encoding) {
    byte[] body = Payloads.traces(50);
    byte[] whole = encoding.equals("gzip") ? Payloads.gzip(body) : Payloads.zstd(body);
    byte[] truncated = Arrays.copyOf(whole, whole.length - 5);

    for (byte[] damaged : List.of(Payloads.noise(100), truncated)) {
      Result result = sender.export(encoding, damaged);

      assertThat(result.code()).isEqualTo(Status.Code.INTERNAL);
      assertThat(result.description()).isNotEmpty();
    }
    assertThat(harness.gate().submissions()).isEmpty();
    assertThat(harness.listener().all())
        .hasSize(2)
        .allSatisfy(heard -> assertThat(heard.answer()).isInstanceOf(Answer.Invalid.class));
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  // conformance: G-20
  @ParameterizedTest
  @ValueSource(strings = {"gzip", "zstd"})
  void g20_bomb_resourceExhausted(String encoding) {
    byte[] bomb = encoding.equals("gzip") ? Payloads.gzipBomb() : Payloads.zstdBomb();

    Result result = sender.export(encoding, bomb);

    assertThat(result.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(result.trailers().containsKey(GrpcExport.STATUS_DETAILS)).isFalse();
    assertThat(harness.listener().only().answer()).isInstanceOf(Answer.TooLarge.class);
  }

  // conformance: G-20
  @Test
  void g20_exactlyAtLimit_ok() {
    byte[] body = new byte[LIMIT];

    assertThat(sender.export(body).code()).isEqualTo(Status.Code.OK);
    assertThat(sender.export("gzip", Payloads.gzip(body)).code()).isEqualTo(Status.Code.OK);
  }

  // conformance: G-22
  @ParameterizedTest
  @ValueSource(ints = {LIMIT + 1, LIMIT + 2, 4 * LIMIT})
  void g22_overLimit_resourceExhaustedWithoutRetryInfo(int length) {
    Result result = sender.export(new byte[length]);

    assertThat(result.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(result.trailers().containsKey(GrpcExport.STATUS_DETAILS)).isFalse();
    await().until(() -> harness.listener().all().size() == 1);
    assertThat(harness.listener().only().answer()).isInstanceOf(Answer.TooLarge.class);
    assertThat(sender.export(new byte[10]).code()).isEqualTo(Status.Code.OK);
  }

  // conformance: G-30
  @Test
  void g30_accepted_emptyResponse() {
    assertThat(sender.export(new byte[0]).response()).isEmpty();
  }

  // conformance: G-32
  @Test
  void g32_partialSuccess_okWithCountAndMessage() throws Exception {
    harness.gate().answerWith(new Answer.Accepted(5, 3, "three spans have bad ids"));

    Result result = sender.export(Payloads.traces(5));

    assertThat(result.code()).isEqualTo(Status.Code.OK);
    ExportTraceServiceResponse parsed = ExportTraceServiceResponse.parseFrom(result.response());
    assertThat(parsed.getPartialSuccess().getRejectedSpans()).isEqualTo(3);
    assertThat(parsed.getPartialSuccess().getErrorMessage()).isEqualTo("three spans have bad ids");
  }

  // conformance: G-40
  @Test
  void g40_unavailable_carriesRetryInfo() throws Exception {
    Duration retryAfter = Duration.ofMillis(1500);
    harness.gate().answerWith(new Answer.Unavailable(1, retryAfter, "the lane is full"));

    Result result = sender.export(Payloads.noise(10));

    assertThat(result.code()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(result.description()).isEqualTo("the lane is full");
    byte[] details = result.trailers().get(GrpcExport.STATUS_DETAILS);
    assertThat(RpcStatus.parse(Slice.of(details)))
        .isEqualTo(new RpcStatus(14, "the lane is full", retryAfter));
  }

  // conformance: G-41
  @Test
  void g41_invalid_invalidArgument() {
    harness.gate().answerWith(new Answer.Invalid("field 1 at byte 7 is truncated"));

    Result result = sender.export(Payloads.noise(10));

    assertThat(result.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(result.description()).isEqualTo("field 1 at byte 7 is truncated");
  }

  // conformance: G-41
  @Test
  void g41_hugeReason_isShortened() {
    harness.gate().answerWith(new Answer.Invalid("x".repeat(1 << 20)));

    Result result = sender.export(Payloads.noise(10));

    assertThat(result.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(result.description()).hasSize(Reasons.MAX_CHARS);
  }

  // conformance: G-22
  @Test
  void g22_gateFindsItTooLarge_resourceExhaustedWithoutRetryInfo() {
    harness.gate().answerWith(new Answer.TooLarge(1, "one span of 9 MiB"));

    Result result = sender.export(Payloads.noise(10));

    assertThat(result.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(result.description()).isEqualTo("one span of 9 MiB");
    assertThat(result.trailers().containsKey(GrpcExport.STATUS_DETAILS)).isFalse();
  }

  // conformance: G-43
  @Test
  void g43_gateThrows_unavailable() {
    harness
        .gate()
        .onSubmit(
            submission -> {
              throw new IllegalStateException("broken");
            });

    assertThat(sender.export(Payloads.noise(10)).code()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(harness.listener().only().answer()).isInstanceOf(Answer.Unavailable.class);
  }

  // conformance: G-43
  @Test
  void g43_gateRunsOutOfStack_unavailable() {
    harness
        .gate()
        .onSubmit(
            submission -> {
              throw new StackOverflowError();
            });

    assertThat(sender.export(Payloads.noise(10)).code()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  // conformance: G-50
  @Test
  void g50_manyCallsAnsweredOutOfOrder_allSucceed() {
    int calls = 200;
    harness.gate().onSubmit(submission -> {});
    List<CompletableFuture<Result>> results = new ArrayList<>();
    for (int i = 0; i < calls; i++) {
      results.add(
          sender.start(
              Signal.TRACES.grpcService(), CallOptions.DEFAULT, List.of(Payloads.noise(i))));
    }
    await().until(() -> harness.gate().submissions().size() == calls);

    List<ScriptedGate.Submission> submissions = new ArrayList<>(harness.gate().submissions());
    Collections.reverse(submissions);
    Thread.ofPlatform()
        .start(() -> submissions.forEach(s -> s.answer().accept(new Answer.Accepted(1))));

    assertThat(results).allSatisfy(r -> assertThat(r.join().code()).isEqualTo(Status.Code.OK));
    assertThat(harness.listener().all()).hasSize(calls);
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  @Test
  void senderCancels_answerIsHeardAndNothingHeld() {
    harness.gate().onSubmit(submission -> {});
    CompletableFuture<Result> abandoned =
        sender.start(Signal.TRACES.grpcService(), CallOptions.DEFAULT, List.of(Payloads.noise(10)));
    await().until(() -> harness.gate().submissions().size() == 1);

    sender.close();
    assertThat(abandoned.join().code()).isNotEqualTo(Status.Code.OK);
    harness.gate().submissions().getFirst().answer().accept(new Answer.Accepted(1));

    assertThat(harness.listener().only().answer()).isEqualTo(new Answer.Accepted(1));
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  @Test
  void gateAnswersTwice_firstCounts() {
    harness
        .gate()
        .onSubmit(
            submission -> {
              submission.answer().accept(new Answer.Accepted(1));
              submission.answer().accept(new Answer.Invalid("again"));
            });

    assertThat(sender.export(Payloads.noise(10)).code()).isEqualTo(Status.Code.OK);
    assertThat(harness.listener().only().answer()).isEqualTo(new Answer.Accepted(1));
  }
}
