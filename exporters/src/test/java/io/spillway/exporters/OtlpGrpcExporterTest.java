package io.spillway.exporters;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.Status;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** OTLP/gRPC against a gRPC-Java server. */
final class OtlpGrpcExporterTest extends ExporterContract {

  @Override
  String type() {
    return "otlp_grpc";
  }

  @Override
  Sink newSink(int port, Sink.@Nullable Tls tls) {
    return new GrpcSink(port, tls);
  }

  private GrpcSink grpcSink() {
    return opened(new GrpcSink(0, null));
  }

  private Outcome exportTo(GrpcSink sink) {
    return export(exporter(sink.port()));
  }

  @ParameterizedTest
  @CsvSource({
    "CANCELLED, Retry, SERVER",
    "UNKNOWN, SinkDown, SERVER",
    "INVALID_ARGUMENT, BadData,",
    "DEADLINE_EXCEEDED, Retry, TIMEOUT",
    "NOT_FOUND, SinkDown, NOT_FOUND",
    "ALREADY_EXISTS, SinkDown, SERVER",
    "PERMISSION_DENIED, SinkDown, AUTH",
    "RESOURCE_EXHAUSTED, Retry, THROTTLED",
    "FAILED_PRECONDITION, SinkDown, SERVER",
    "ABORTED, Retry, SERVER",
    "OUT_OF_RANGE, Retry, SERVER",
    "UNIMPLEMENTED, SinkDown, NOT_FOUND",
    "INTERNAL, SinkDown, SERVER",
    "UNAVAILABLE, Retry, SERVER",
    "DATA_LOSS, Retry, SERVER",
    "UNAUTHENTICATED, SinkDown, AUTH"
  })
  void export_status_becomesAnOutcome(Status.Code code, String kind, @Nullable ErrorClass error) {
    GrpcSink sink = grpcSink();
    sink.script = call -> GrpcSink.fail(call, code.toStatus().withDescription("the words"), null);

    Outcome outcome = exportTo(sink);

    String reason = code + ": the words";
    assertThat(outcome)
        .isEqualTo(
            switch (kind) {
              case "Retry" -> new Outcome.Retry(null, error, reason);
              case "SinkDown" -> new Outcome.SinkDown(error, reason);
              default -> new Outcome.BadData(reason);
            });
  }

  @Test
  void export_exhaustedWithRetryInfo_isThrottled() {
    GrpcSink sink = grpcSink();
    sink.script = call -> GrpcSink.fail(call, Status.RESOURCE_EXHAUSTED, Duration.ofMillis(2500));

    assertThat(exportTo(sink))
        .isEqualTo(
            new Outcome.Retry(Duration.ofMillis(2500), ErrorClass.THROTTLED, "RESOURCE_EXHAUSTED"));
  }

  @Test
  void export_retryDelayZero_leavesItToBackoff() {
    GrpcSink sink = grpcSink();
    sink.script = call -> GrpcSink.fail(call, Status.UNAVAILABLE, Duration.ZERO);

    assertThat(exportTo(sink)).isEqualTo(new Outcome.Retry(null, ErrorClass.SERVER, "UNAVAILABLE"));
  }

  @Test
  void export_exhaustedAboveThePresumedLimit_isTooLarge() {
    GrpcSink sink = grpcSink();
    sink.script = call -> GrpcSink.fail(call, Status.RESOURCE_EXHAUSTED, null);
    var exporter = exporter(sink.port(), "max_request_bytes: 16MiB");

    assertThat(outcome(exporter.export(ofSize(GrpcOutcomes.PRESUMED_SINK_LIMIT + 1))))
        .isEqualTo(new Outcome.TooLarge("RESOURCE_EXHAUSTED"));
    assertThat(outcome(exporter.export(ofSize(GrpcOutcomes.PRESUMED_SINK_LIMIT))))
        .isEqualTo(new Outcome.Retry(null, ErrorClass.THROTTLED, "RESOURCE_EXHAUSTED"));
  }

  private static ExportRequest ofSize(int bytes) {
    return new ExportRequest(Signal.LOGS, Codec.NONE, Slice.of(new byte[bytes]), bytes, 1);
  }

  @Test
  void export_unreadableAnswer_isDeliveredWithAWarning() {
    GrpcSink sink = grpcSink();
    sink.script = call -> GrpcSink.answer(call, new byte[] {0x0a, 0x7f});

    Outcome outcome = exportTo(sink);

    assertThat(outcome).isInstanceOf(Outcome.Delivered.class);
    assertThat(((Outcome.Delivered) outcome).message())
        .startsWith("taken, with an unreadable answer: ");
  }

  @Test
  void export_answerAboveTheLimit_isDown() {
    GrpcSink sink = grpcSink();
    sink.script = call -> GrpcSink.answer(call, new byte[(4 << 20) + 1]);

    assertDown(exportTo(sink), ErrorClass.SERVER);
  }

  // conformance: E-23
  @Test
  void hostile_partialSuccessOf5Mib_isDownAndTheNextAnswerIsRead() {
    GrpcSink sink = grpcSink();
    sink.script = call -> GrpcSink.answer(call, Requests.partialSuccess(1, 5 << 20));
    Exporter exporter = exporter(sink.port());

    Outcome hostile = export(exporter);
    sink.script = call -> GrpcSink.answer(call, Requests.partialSuccess(1, 10));

    assertDown(hostile, ErrorClass.SERVER);
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered(1, "xxxxxxxxxx"));
  }

  @Test
  void export_connectionLostWhileAnswering_retries() {
    GrpcSink sink = grpcSink();
    CountingPort wire = opened(new CountingPort(sink.port()));
    sink.script =
        call -> {
          call.sendHeaders(new Metadata());
          Thread.ofVirtual().start(wire::close);
        };

    assertThat(export(exporter(wire.port()))).isInstanceOf(Outcome.Retry.class);
  }

  @Test
  void export_sinkQuotesAHeader_reasonDoesNotShowIt() {
    GrpcSink sink = grpcSink();
    sink.script =
        call ->
            GrpcSink.fail(
                call, Status.UNAUTHENTICATED.withDescription("bad key s3cret-value\n!"), null);

    assertThat(export(exporter(sink.port(), "headers: { api-key: s3cret-value }")))
        .isEqualTo(new Outcome.SinkDown(ErrorClass.AUTH, "UNAUTHENTICATED: bad key [redacted] !"));
  }

  @Test
  void export_longDescription_isCut() {
    GrpcSink sink = grpcSink();
    sink.script =
        call -> GrpcSink.fail(call, Status.INTERNAL.withDescription("x".repeat(5000)), null);

    Outcome outcome = exportTo(sink);

    assertThat(((Outcome.SinkDown) outcome).reason())
        .isEqualTo("INTERNAL: " + "x".repeat(SinkWords.MAX_CHARS) + "…");
  }
}
