package io.spillway.exporters;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.exporters.HttpSink.Script;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.rpc.ExportResponse;
import io.spillway.otlp.rpc.RpcStatus;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** OTLP/HTTP against a scripted server on plain sockets. */
final class OtlpHttpExporterTest extends ExporterContract {
  private static final byte[] NOTHING = new byte[0];

  @Override
  String type() {
    return "otlp_http";
  }

  @Override
  Sink newSink(int port, Sink.@Nullable Tls tls) {
    return new HttpSink(port, tls);
  }

  private HttpSink httpSink(Script script) {
    HttpSink sink = opened(new HttpSink(0, null));
    sink.script = script;
    return sink;
  }

  private Outcome exportTo(HttpSink sink) {
    return export(exporter(sink.port()));
  }

  @ParameterizedTest
  @CsvSource({
    "200 OK, Delivered,",
    "202 Accepted, Delivered,",
    "204 No Content, Delivered,",
    "302 Found, SinkDown, NOT_FOUND",
    "308 Permanent Redirect, SinkDown, NOT_FOUND",
    "400 Bad Request, BadData,",
    "401 Unauthorized, SinkDown, AUTH",
    "402 Payment Required, SinkDown, SERVER",
    "403 Forbidden, SinkDown, AUTH",
    "404 Not Found, SinkDown, NOT_FOUND",
    "405 Method Not Allowed, SinkDown, NOT_FOUND",
    "408 Request Timeout, SinkDown, SERVER",
    "413 Too Large, TooLarge,",
    "415 Unsupported, SinkDown, SERVER",
    "422 Unprocessable, BadData,",
    "429 Too Many, Retry, THROTTLED",
    "500 Oops, SinkDown, SERVER",
    "501 Not Implemented, SinkDown, SERVER",
    "502 Bad Gateway, Retry, SERVER",
    "503 Unavailable, Retry, SERVER",
    "504 Gateway Timeout, Retry, SERVER"
  })
  void export_status_becomesAnOutcome(String status, String kind, @Nullable ErrorClass error) {
    HttpSink sink = httpSink(Script.status(status, "Location: /elsewhere\n", NOTHING));

    Outcome outcome = exportTo(sink);

    String reason = "HTTP " + status;
    assertThat(outcome)
        .isEqualTo(
            switch (kind) {
              case "Delivered" -> new Outcome.Delivered();
              case "Retry" -> new Outcome.Retry(null, error, reason);
              case "SinkDown" -> new Outcome.SinkDown(error, reason);
              case "TooLarge" -> new Outcome.TooLarge(reason);
              default -> new Outcome.BadData(reason);
            });
    assertThat(sink.received()).hasSize(1); // no redirect followed, nothing sent again
    assertThat(policy.redirects)
        .isEqualTo(status.startsWith("3") ? List.of("/elsewhere") : List.of());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "5 | 5",
        "0 | 0",
        "86400 | 86400",
        "Sun, 22 Nov 2026 10:02:00 GMT | 120",
        "Sun, 22 Nov 2026 09:00:00 GMT | 0",
        "-1 |",
        "soon |",
        "99999999999 |",
        "Wed, 99 Nov 2026 10:02:00 GMT |"
      })
  void export_retryAfter_isObeyedWhereItMakesSense(String value, @Nullable Long seconds) {
    HttpSink sink = httpSink(Script.status("503 Busy", "Retry-After: " + value + "\n", NOTHING));

    Outcome.Retry retry = (Outcome.Retry) exportTo(sink);

    assertThat(retry.after()).isEqualTo(seconds == null ? null : Duration.ofSeconds(seconds));
  }

  // conformance: E-20, E-21
  @Test
  void export_head_isWhatOtlpAsksFor() {
    HttpSink sink = httpSink(Script.ok(NOTHING));

    exportTo(sink);

    assertThat(sink.received().getFirst().headers())
        .containsEntry("content-type", "application/x-protobuf")
        .containsEntry("content-encoding", "gzip")
        .containsEntry("host", "127.0.0.1:" + sink.port());
  }

  // conformance: E-05
  @Test
  void export_endpoints_areBelowTheBaseOrUsedAsTheyAre() {
    HttpSink sink = httpSink(Script.ok(NOTHING));
    String own = "http://127.0.0.1:" + sink.port();
    Exporter exporter =
        exporterTo(own + "/base/", "logs_endpoint: " + own, "metrics_endpoint: " + own + "/m/");

    for (Signal signal : Signal.values()) {
      outcome(exporter.export(Requests.of(signal, Codec.NONE, "x", 1)));
    }

    assertThat(sink.paths)
        .containsExactly("/base/v1/traces", "/m/", "/", "/base/v1development/profiles");
  }

  // conformance: E-50
  @Test
  void export_statusBody_isPartOfTheReason() {
    byte[] protobuf = new RpcStatus(3, "span 7 has no id", null).toProtobuf();
    HttpSink sink =
        httpSink(
            Script.status("400 Bad Request", "Content-Type: application/x-protobuf\n", protobuf));
    assertThat(exportTo(sink))
        .isEqualTo(new Outcome.BadData("HTTP 400 Bad Request: span 7 has no id"));

    sink.script =
        Script.status(
            "400 Bad Request",
            "Content-Type: application/json; charset=utf-8\n",
            "{\"message\":\"no id\"}".getBytes(UTF_8));
    assertThat(exportTo(sink)).isEqualTo(new Outcome.BadData("HTTP 400 Bad Request: no id"));

    sink.script =
        Script.status(
            "400 Bad Request", "Content-Type: text/plain\n", "x".repeat(9999).getBytes(UTF_8));
    assertThat(exportTo(sink))
        .isEqualTo(
            new Outcome.BadData("HTTP 400 Bad Request: " + "x".repeat(SinkWords.MAX_CHARS) + "…"));
  }

  @Test
  void export_sinkQuotesAHeader_reasonDoesNotShowIt() {
    HttpSink sink =
        httpSink(
            Script.status(
                "401 Unauthorized",
                "Content-Type: text/plain\n",
                "no: s3cret-value".getBytes(UTF_8)));

    assertThat(export(exporter(sink.port(), "headers: { api-key: s3cret-value }")))
        .isEqualTo(new Outcome.SinkDown(ErrorClass.AUTH, "HTTP 401 Unauthorized: no: [redacted]"));
  }

  @Test
  void export_compressedAnswer_isRead() {
    byte[] body;
    try (BlockCompressor compressor = new BlockCompressor()) {
      body =
          compressor
              .compress(Codec.GZIP, Slice.of(new ExportResponse(1, "late").toProtobuf()))
              .toByteArray();
    }
    String headers = "Content-Type: application/x-protobuf\nContent-Encoding: gzip\n";

    assertThat(exportTo(httpSink(Script.status("200 OK", headers, body))))
        .isEqualTo(new Outcome.Delivered(1, "late"));
  }

  @Test
  void export_unreadableAnswers_areDeliveredWithAWarning() {
    String protobuf = "Content-Type: application/x-protobuf\n";
    byte[] bomb;
    try (BlockCompressor compressor = new BlockCompressor()) {
      bomb = compressor.compress(Codec.GZIP, Slice.of(new byte[64 << 20])).toByteArray();
    }

    assertWarned(Script.status("200 OK", protobuf, new byte[] {0x0a, 0x7f}));
    assertWarned(Script.status("200 OK", protobuf + "Content-Encoding: br\n", new byte[1]));
    assertWarned(Script.status("200 OK", protobuf + "Content-Encoding: gzip\n", bomb));
    assertWarned(Script.status("200 OK", protobuf, new byte[(4 << 20) + 1]));
    assertWarned(Script.status("200 OK", "", "<html>".getBytes(UTF_8)));
  }

  // conformance: E-23
  @Test
  void hostile_partialSuccessOf5Mib_isDeliveredAndTheNextAnswerIsRead() {
    String head = "Content-Type: application/x-protobuf\n";
    HttpSink sink = httpSink(Script.status("200 OK", head, Requests.partialSuccess(1, 5 << 20)));
    Exporter exporter = exporter(sink.port());

    Outcome hostile = export(exporter);
    sink.script = Script.status("200 OK", head, Requests.partialSuccess(1, 10));

    assertThat(hostile).isInstanceOf(Outcome.Delivered.class);
    assertThat(((Outcome.Delivered) hostile).malformed()).isTrue();
    assertThat(((Outcome.Delivered) hostile).message().length()).isLessThan(1000);
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered(1, "xxxxxxxxxx"));
  }

  private void assertWarned(Script script) {
    Outcome outcome = exportTo(httpSink(script));
    assertThat(outcome).isInstanceOf(Outcome.Delivered.class);
    assertThat(((Outcome.Delivered) outcome).message())
        .startsWith("taken, with an unreadable answer: ");
    assertThat(((Outcome.Delivered) outcome).malformed()).isTrue();
  }

  @Test
  void export_chunkedOrUnboundedAnswer_isRead() {
    String head = "HTTP/1.1 200 OK\nContent-Type: application/x-protobuf\n";
    byte[] body = new ExportResponse(1, "").toProtobuf();
    byte[] chunked =
        (body.length + "\r\n" + new String(body, UTF_8) + "\r\n0\r\n\r\n").getBytes(UTF_8);

    assertThat(exportTo(httpSink(Script.bytes(head + "Transfer-Encoding: chunked\n\n", chunked))))
        .isEqualTo(new Outcome.Delivered(1, ""));
    assertThat(exportTo(httpSink(Script.bytes(head + "\n", body).then((socket, out) -> false))))
        .isEqualTo(new Outcome.Delivered(1, ""));
  }

  @Test
  void export_interimAnswer_isPassedOver() {
    HttpSink sink =
        httpSink(
            Script.bytes("HTTP/1.1 100 Continue\n\n", NOTHING)
                .then(Script.status("400 Bad Request", "", NOTHING)));

    assertThat(exportTo(sink)).isEqualTo(new Outcome.BadData("HTTP 400 Bad Request"));
  }

  @Test
  void export_notHttp_isDown() {
    assertThat(exportTo(httpSink(Script.bytes("SSH-2.0-OpenSSH_9.6\n\n", NOTHING))))
        .isEqualTo(new Outcome.SinkDown(ErrorClass.SERVER, "the answer is not HTTP"));
  }

  @Test
  void export_resetInTheMiddleOfAnAnswer_retries() {
    HttpSink sink =
        httpSink(
            Script.bytes("HTTP/1.1 200 OK\nContent-Length: 100\n\n", new byte[10])
                .then(Script.reset()));

    assertRetry(exportTo(sink), ErrorClass.RESET);
    assertThat(sink.received()).hasSize(1);
  }

  @Test
  void export_answerCutShort_retries() {
    HttpSink sink =
        httpSink(
            Script.bytes("HTTP/1.1 200 OK\nContent-Length: 100\n\n", new byte[10])
                .then((socket, out) -> false));

    assertRetry(exportTo(sink), ErrorClass.RESET);
  }

  @Test
  void export_oneAfterTheOther_useOneConnection() {
    HttpSink sink = httpSink(Script.ok(NOTHING));
    Exporter exporter = exporter(sink.port());

    for (int i = 0; i < 5; i++) {
      assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
    }

    assertThat(sink.connections).hasValue(1);
  }

  @Test
  void export_sinkWantsNoKeepAlive_dialsAgain() {
    HttpSink sink = httpSink(Script.status("200 OK", "Connection: close\n", NOTHING));
    Exporter exporter = exporter(sink.port());

    export(exporter);
    export(exporter);

    assertThat(sink.connections).hasValue(2);
  }

  @Test
  void export_manyAtOnce_keepsToTheConnectionLimit() {
    HttpSink sink = httpSink(Script.ok(NOTHING));
    sink.hold();
    Exporter exporter = exporter(sink.port(), "max_connections: 8");

    var attempts =
        java.util.stream.IntStream.range(0, 18)
            .mapToObj(i -> exporter.export(Requests.spans(1)))
            .toList();
    await().atMost(60, SECONDS).until(() -> sink.received().size() == 8);
    attempts.getLast().cancel(false); // while it waits in line
    sink.release();

    attempts
        .subList(0, attempts.size() - 1)
        .forEach(a -> assertThat(outcome(a)).isEqualTo(new Outcome.Delivered()));
    assertThat(sink.connections).hasValue(8);
    assertThat(sink.received()).hasSize(attempts.size() - 1);
  }

  @Test
  void export_keptConnectionDies_isNotSentAgainBehindTheEgresssBack() {
    AtomicInteger requests = new AtomicInteger();
    HttpSink sink =
        httpSink(
            (socket, out) ->
                requests.incrementAndGet() == 2
                    ? Script.reset().run(socket, out)
                    : Script.ok(NOTHING).run(socket, out));
    Exporter exporter = exporter(sink.port());
    export(exporter);

    assertRetry(export(exporter), ErrorClass.RESET);

    assertThat(sink.received()).hasSize(2);
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
  }

  @Test
  void export_keptConnectionDiesAfterOneByte_isNotSentAgain() {
    AtomicInteger requests = new AtomicInteger();
    HttpSink sink =
        httpSink(
            (socket, out) ->
                requests.incrementAndGet() == 2
                    ? Script.bytes("H", NOTHING).then((s, o) -> false).run(socket, out)
                    : Script.ok(NOTHING).run(socket, out));
    Exporter exporter = exporter(sink.port());
    export(exporter);

    assertRetry(export(exporter), ErrorClass.RESET);

    assertThat(sink.received()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {128 << 10, (128 << 10) + 1, (3 << 20) + 17})
  void export_largeBody_arrivesWhole(int length) {
    HttpSink sink = httpSink(Script.ok(NOTHING));
    byte[] body = new byte[length];
    new Random(length).nextBytes(body);

    Outcome outcome =
        outcome(
            exporter(sink.port())
                .export(new ExportRequest(Signal.LOGS, Codec.NONE, Slice.of(body), length, 1)));

    assertThat(outcome).isEqualTo(new Outcome.Delivered());
    assertThat(sink.received().getFirst().body().toByteArray()).isEqualTo(body);
  }

  @Test
  void export_refusedBeforeItIsRead_isTooLarge() {
    HttpSink sink = opened(new HttpSink(0, null));
    sink.readsRequests = false;
    sink.script =
        Script.status("413 Too Large", "Connection: close\n", NOTHING)
            .then(
                (socket, out) -> {
                  socket.shutdownOutput();
                  socket.getInputStream().readNBytes(1 << 20); // and no more
                  return false;
                });
    byte[] large = new byte[16 << 20];

    Outcome outcome =
        outcome(
            exporter(sink.port())
                .export(
                    new ExportRequest(Signal.LOGS, Codec.NONE, Slice.of(large), large.length, 1)));

    assertThat(outcome).isEqualTo(new Outcome.TooLarge("HTTP 413 Too Large"));
  }
}
