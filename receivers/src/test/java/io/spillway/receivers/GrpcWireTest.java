package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Answer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** OTLP/gRPC as a client sees it that is not gRPC-Java: frame by frame. */
@Timeout(60)
class GrpcWireTest {
  private static final int LIMIT = ReceiverHarness.MAX_REQUEST_BYTES;
  private static final byte[] BODY = Payloads.noise(100);

  // The canonical codes of gRPC.
  private static final int OK = 0;
  private static final int INVALID_ARGUMENT = 3;
  private static final int RESOURCE_EXHAUSTED = 8;
  private static final int UNIMPLEMENTED = 12;
  private static final int INTERNAL = 13;
  private static final int UNAVAILABLE = 14;

  @RegisterExtension final ReceiverHarness harness = new ReceiverHarness();

  private RawGrpc grpc;

  @BeforeEach
  void connect() throws IOException {
    grpc = harness.rawGrpc();
  }

  @AfterEach
  void disconnect() throws IOException {
    grpc.close();
  }

  private static byte[] framed(byte[] body) {
    return RawGrpc.message(false, body);
  }

  private RawGrpc.Ended export(boolean compressed, byte[] body, String... headers) {
    return grpc.open(headers).data(RawGrpc.message(compressed, body), true).join();
  }

  // conformance: G-01
  @ParameterizedTest
  @EnumSource(Signal.class)
  void g01_path_isServed(Signal signal) {
    String path = "/" + signal.grpcService() + "/Export";

    RawGrpc.Ended ended = grpc.open(path, new String[0]).data(framed(BODY), true).join();

    assertThat(ended.code()).isEqualTo(OK);
    assertThat(harness.gate().submissions().getFirst().signal()).isEqualTo(signal);
  }

  // conformance: G-03
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/opentelemetry.proto.collector.trace.v1.TraceService/export",
        "/opentelemetry.proto.collector.trace.v1.traceservice/Export",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/"
      })
  void g03_otherPath_unimplemented(String path) {
    assertThat(grpc.open(path, new String[0]).data(framed(BODY), true).join().code())
        .isEqualTo(UNIMPLEMENTED);
  }

  // conformance: G-04
  @ParameterizedTest
  @ValueSource(strings = {"application/x-protobuf", "application/json", "text/plain"})
  void g04_otherContentType_415(String type) {
    RawGrpc.Ended ended = export(false, BODY, "content-type", type);

    assertThat(ended.header(":status")).isEqualTo("415");
    assertThat(harness.gate().submissions()).isEmpty();
  }

  // conformance: G-04
  @ParameterizedTest
  @ValueSource(strings = {"application/grpc", "application/grpc+proto"})
  void g04_grpcContentType_ok(String type) {
    assertThat(export(false, BODY, "content-type", type).code()).isEqualTo(OK);
  }

  // conformance: G-05
  @Test
  void g05_dataFramesOfOneByte_areOneMessage() {
    assertThat(grpc.open().data(framed(BODY), 1, true).join().code()).isEqualTo(OK);

    assertThat(harness.gate().onlyRequest()).isEqualTo(BODY);
  }

  // conformance: G-05
  @Test
  void g05_messageOverManyFrames_isOneMessage() {
    byte[] body = Payloads.noise(300_000);

    assertThat(grpc.export(body).code()).isEqualTo(OK);

    assertThat(harness.gate().onlyRequest()).isEqualTo(body);
  }

  // conformance: G-06
  @Test
  void g06_noMessage_unimplemented() {
    assertThat(grpc.open().data(new byte[0], true).join().code()).isEqualTo(UNIMPLEMENTED);
  }

  // conformance: G-06
  @Test
  void g06_twoMessagesInOneFrame_unimplemented() {
    byte[] two = Payloads.repeated(framed(BODY), 2);

    assertThat(grpc.open().data(two, true).join().code()).isEqualTo(UNIMPLEMENTED);
    assertThat(harness.gate().submissions()).isEmpty();
  }

  // conformance: G-07
  @Test
  void g07_success_statusInTrailers() {
    RawGrpc.Ended ended = grpc.export(BODY);

    assertThat(ended.header(":status")).isEqualTo("200");
    assertThat(ended.header("content-type")).isEqualTo("application/grpc");
    assertThat(ended.header("grpc-status")).isEqualTo("0");
    assertThat(ended.blocks()).isEqualTo(2);
  }

  // conformance: G-07
  @Test
  void g07_failure_messageIsPercentEncoded() {
    harness.gate().answerWith(new Answer.Invalid("größer als 100 % „x“\n"));

    RawGrpc.Ended ended = grpc.export(BODY);

    assertThat(ended.code()).isEqualTo(INVALID_ARGUMENT);
    assertThat(ended.header("grpc-message"))
        .isEqualTo("gr%C3%B6%C3%9Fer als 100 %25 %E2%80%9Ex%E2%80%9C%0A");
  }

  // conformance: G-08
  @Test
  void g08_timeoutPassed_isNoSuccess() {
    harness.gate().onSubmit(submission -> {});
    RawGrpc.Call call = grpc.open("grpc-timeout", "100m").data(framed(BODY), true);
    await().until(() -> harness.gate().submissions().size() == 1);

    await().until(call::isDone);
    harness.gate().submissions().getFirst().answer().accept(new Answer.Accepted(1));

    assertThat(call.join().code()).isNotEqualTo(OK);
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  // conformance: G-12
  @Test
  void g12_unknownEncoding_unimplementedWithThoseThatAreKnown() {
    RawGrpc.Ended ended = export(true, BODY, "grpc-encoding", "br");

    assertThat(ended.code()).isEqualTo(UNIMPLEMENTED);
    assertThat(ended.header("grpc-accept-encoding"))
        .contains("gzip")
        .contains("zstd")
        .doesNotContain("br");
  }

  // conformance: G-13
  @ParameterizedTest
  @ValueSource(strings = {"", "identity"})
  void g13_compressedFlagWithoutEncoding_internal(String encoding) {
    String[] headers =
        encoding.isEmpty() ? new String[0] : new String[] {"grpc-encoding", encoding};

    assertThat(export(true, BODY, headers).code()).isEqualTo(INTERNAL);
    assertThat(harness.gate().submissions()).isEmpty();
  }

  // conformance: G-10, G-11
  @ParameterizedTest
  @ValueSource(strings = {"gzip", "zstd"})
  void g10_compressed_reachesGateDecompressed(String encoding) {
    byte[] sent = encoding.equals("gzip") ? Payloads.gzip(BODY) : Payloads.zstd(BODY);

    assertThat(export(true, sent, "grpc-encoding", encoding).code()).isEqualTo(OK);

    assertThat(harness.gate().onlyRequest()).isEqualTo(BODY);
  }

  // conformance: G-14
  @Test
  void g14_damagedGzip_internal() {
    assertThat(export(true, BODY, "grpc-encoding", "gzip").code()).isEqualTo(INTERNAL);
  }

  // conformance: G-15
  @Test
  void g15_response_isNeverCompressed() {
    harness.gate().answerWith(new Answer.Accepted(5, 3, "x".repeat(500)));

    RawGrpc.Ended ended = export(false, BODY, "grpc-accept-encoding", "gzip");

    assertThat(ended.header("grpc-encoding")).isIn(null, "identity");
    assertThat(ended.body()[0]).isZero();
  }

  // conformance: G-16
  @Test
  void g16_uncompressedMessageWhereGzipIsDeclared_ok() {
    assertThat(export(false, BODY, "grpc-encoding", "gzip").code()).isEqualTo(OK);

    assertThat(harness.gate().onlyRequest()).isEqualTo(BODY);
  }

  // conformance: G-20, G-22
  @ParameterizedTest
  @ValueSource(ints = {LIMIT + 1, 4 * LIMIT})
  void g22_overLimit_resourceExhaustedOnTheWire(int length) {
    RawGrpc.Ended ended = grpc.export(new byte[length]);

    assertThat(ended.code()).as(ended.toString()).isEqualTo(RESOURCE_EXHAUSTED);
    assertThat(ended.header("grpc-status-details-bin")).isNull();
    assertThat(grpc.export(BODY).code()).isEqualTo(OK);
  }

  // conformance: G-20, G-22
  @Test
  void g22_bomb_resourceExhaustedOnTheWire() {
    RawGrpc.Ended ended = export(true, Payloads.gzipBomb(), "grpc-encoding", "gzip");

    assertThat(ended.code()).as(ended.toString()).isEqualTo(RESOURCE_EXHAUSTED);
    assertThat(ended.header("grpc-status-details-bin")).isNull();
  }

  // conformance: G-22
  @Test
  void g22_lengthThatIsOnlyClaimed_resourceExhaustedOnTheWire() {
    byte[] claim = {0, 0x7f, -1, -1, -1, 1, 2, 3};

    assertThat(grpc.open().data(claim, false).join().code()).isEqualTo(RESOURCE_EXHAUSTED);
  }

  // conformance: G-23
  @Test
  void g23_hugeErrorMessage_isShortenedAndCountKept() throws Exception {
    harness.gate().answerWith(new Answer.Accepted(5, 3, "ä".repeat(5 << 20)));

    RawGrpc.Ended ended = grpc.export(BODY);

    byte[] message = Arrays.copyOfRange(ended.body(), 5, ended.body().length);
    ExportTraceServiceResponse parsed = ExportTraceServiceResponse.parseFrom(message);
    assertThat(ended.code()).isEqualTo(OK);
    assertThat(parsed.getPartialSuccess().getRejectedSpans()).isEqualTo(3);
    assertThat(parsed.getPartialSuccess().getErrorMessage())
        .startsWith("ääää")
        .hasSizeLessThanOrEqualTo(Reasons.MAX_CHARS)
        .doesNotContain("\ufffd");
  }

  // conformance: G-24
  @Test
  void g24_hugeHeaders_areRefusedAndOthersServed() throws IOException {
    assertThat(export(false, BODY, "x-long", "y".repeat(15_000)).code()).isNotEqualTo(OK);

    try (RawGrpc other = harness.rawGrpc()) {
      assertThat(other.export(BODY).code()).isEqualTo(OK);
    }
  }

  // conformance: G-30, G-31
  @Test
  void g30_success_frameOfAnEmptyMessage() {
    assertThat(grpc.export(new byte[0]).body()).isEqualTo(new byte[5]);
  }

  // conformance: G-40, G-45
  @Test
  void g45_unavailable_retryInfoToTheByte() {
    harness.gate().answerWith(new Answer.Unavailable(1, Duration.ofSeconds(5), "busy"));

    RawGrpc.Ended ended = grpc.export(BODY);

    assertThat(ended.code()).isEqualTo(UNAVAILABLE);
    byte[] details = Base64.getDecoder().decode(ended.header("grpc-status-details-bin"));
    // Vector V85.
    assertThat(HexFormat.of().formatHex(details))
        .isEqualTo(
            "080e1204627573791a300a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e"
                + "5265747279496e666f12040a020805");
  }

  // conformance: G-41, G-42
  @Test
  void g41_badData_invalidArgument() {
    harness.gate().answerWith(new Answer.Invalid("field 1 at byte 7 is truncated"));

    RawGrpc.Ended ended = grpc.export(BODY);

    assertThat(ended.code()).isEqualTo(INVALID_ARGUMENT);
    assertThat(ended.header("grpc-message")).isEqualTo("field 1 at byte 7 is truncated");
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

    assertThat(grpc.export(BODY).code()).isEqualTo(UNAVAILABLE);
  }

  // conformance: G-50
  @ParameterizedTest
  @ValueSource(ints = {200, 1000})
  void g50_manyCallsOnOneConnection_answeredOutOfOrder(int count) {
    harness.gate().onSubmit(submission -> {});
    List<RawGrpc.Call> calls =
        IntStream.range(0, count)
            .mapToObj(i -> grpc.open().data(framed(Payloads.noise(i)), true))
            .toList();
    await().until(() -> harness.gate().submissions().size() == count);

    List<ScriptedGate.Submission> submissions = new ArrayList<>(harness.gate().submissions());
    Collections.shuffle(submissions, new Random(42));
    submissions.forEach(submission -> submission.answer().accept(new Answer.Accepted(1)));

    assertThat(calls).allSatisfy(call -> assertThat(call.join().code()).isEqualTo(OK));
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  // conformance: G-51
  @Test
  void g51_pingWithoutCalls_isAnswered() {
    grpc.ping();

    assertThat(grpc.export(BODY).code()).isEqualTo(OK);
  }

  // conformance: G-51
  @Test
  void g51_pingsWithoutEnd_tooManyPings() {
    for (int i = 0; i < 10; i++) {
      grpc.pingOnly();
    }

    assertThat(grpc.goAway()).isEqualTo("11 too_many_pings");
  }

  // conformance: G-46
  @Test
  void g46_close_goAwayFirst() throws IOException {
    grpc.ping();
    harness.receiver().close(Duration.ofSeconds(30));

    assertThat(grpc.goAway()).startsWith("0 ");
    grpc.awaitEnd();
  }
}
