package io.spillway.receivers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.rpc.RpcStatus;
import io.spillway.otlp.stage.Answer;
import io.spillway.receivers.RawHttp.Response;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class HttpReceiverTest {
  private static final String PROTOBUF = "Content-Type: application/x-protobuf\r\n";
  private static final String JSON = "Content-Type: application/json\r\n";
  private static final int LIMIT = ReceiverHarness.MAX_REQUEST_BYTES;

  @RegisterExtension final ReceiverHarness harness = new ReceiverHarness();

  @RegisterExtension
  final ReceiverHarness elsewhere =
      new ReceiverHarness(
          new HttpService(new HttpPaths(Map.of("/otlp/metrics", Signal.METRICS)), null));

  // conformance: H-02, H-05
  @Test
  void h02_configuredPath_isServedAndItsDefaultIsNot() throws Exception {
    try (RawHttp client = elsewhere.http()) {
      assertThat(client.post("/otlp/metrics", PROTOBUF, new byte[0]).read().status())
          .isEqualTo(200);
      Response unknown = client.post("/v1/metrics", PROTOBUF, new byte[0]).read();
      assertThat(unknown.status()).isEqualTo(404);
      assertThat(status(unknown).message())
          .isEqualTo("nothing is served at this path (expected /otlp/metrics)");
    }
    assertThat(elsewhere.listener().only().signal()).isEqualTo(Signal.METRICS);
  }

  // conformance: H-01, H-10
  @ParameterizedTest
  @CsvSource({
    "/v1/traces, TRACES",
    "/v1/metrics, METRICS",
    "/v1/logs, LOGS",
    "/v1development/profiles, PROFILES"
  })
  void h01_postToSignalPath_reachesGate(String path, Signal signal) throws IOException {
    byte[] body = Payloads.noise(100);

    try (RawHttp client = harness.http()) {
      assertThat(client.post(path, PROTOBUF, body).read().status()).isEqualTo(200);
    }

    assertThat(harness.gate().onlyRequest()).isEqualTo(body);
    assertThat(harness.gate().submissions().getFirst().signal()).isEqualTo(signal);
    RecordingListener.Heard heard = harness.listener().only();
    assertThat(heard.signal()).isEqualTo(signal);
    assertThat(heard.transport()).isEqualTo(Transport.HTTP);
    assertThat(heard.wireBytes()).isEqualTo(100);
    assertThat(heard.answer()).isEqualTo(new Answer.Accepted(1));
    assertThat(heard.elapsed()).isPositive();
  }

  // conformance: H-06
  @ParameterizedTest
  @ValueSource(strings = {"/v1/traces?x=1", "http://relay:4318/v1/traces"})
  void h06_queryOrAbsoluteForm_isServed(String target) throws IOException {
    try (RawHttp client = harness.http()) {
      assertThat(client.post(target, PROTOBUF, new byte[0]).read().status()).isEqualTo(200);
    }
  }

  // conformance: H-05, H-40, H-41
  @ParameterizedTest
  @ValueSource(strings = {"/", "/v1/traces/", "/v1/Traces", "/v1/profiles", "*"})
  void h05_unknownPath_404WithStatusBody(String path) throws Exception {
    try (RawHttp client = harness.http()) {
      Response response = client.post(path, PROTOBUF, Payloads.noise(10)).read();

      assertThat(response.status()).isEqualTo(404);
      assertThat(status(response).message())
          .isEqualTo(
              "nothing is served at this path (expected /v1/traces, /v1/metrics, /v1/logs or"
                  + " /v1development/profiles)");
      assertThat(client.postProtobuf(new byte[0]).read().status()).isEqualTo(200);
    }
  }

  // conformance: H-04, H-40, H-41
  @ParameterizedTest
  @ValueSource(strings = {"GET", "PUT", "DELETE", "OPTIONS"})
  void h04_otherMethod_405WithAllow(String method) throws Exception {
    try (RawHttp client = harness.http()) {
      Response response =
          client.send(method + " /v1/traces HTTP/1.1\r\nHost: relay\r\n" + JSON + "\r\n").read();

      assertThat(response.status()).isEqualTo(405);
      assertThat(response.header("allow")).isEqualTo("POST");
      assertThat(response.header("content-type")).isEqualTo("application/json");
      assertThat(RpcStatus.parseJson(Slice.of(response.body())).message())
          .isEqualTo("method " + method + " is not served (expected POST)");
    }
    assertThat(harness.listener().all()).isEmpty();
  }

  // conformance: H-12, H-14
  @ParameterizedTest
  @ValueSource(
      strings = {
        "APPLICATION/X-PROTOBUF",
        "application/x-protobuf; charset=utf-8",
        "Application/X-Protobuf ;a=b"
      })
  void h12_contentTypeInAnyCaseWithParameters_200(String contentType) throws IOException {
    try (RawHttp client = harness.http()) {
      Response response =
          client.post("/v1/traces", "Content-Type: " + contentType + "\r\n", new byte[0]).read();

      assertThat(response.status()).isEqualTo(200);
      assertThat(response.header("content-type")).isEqualTo("application/x-protobuf");
    }
  }

  // conformance: H-13, H-40, H-41
  @ParameterizedTest
  @ValueSource(
      strings = {"", "Content-Type: text/plain\r\n", "Content-Type: application/jsonx\r\n"})
  void h13_otherContentType_415(String header) throws Exception {
    try (RawHttp client = harness.http()) {
      Response response = client.post("/v1/logs", header, Payloads.noise(10)).read();

      assertThat(response.status()).isEqualTo(415);
      assertThat(status(response).message())
          .endsWith("is not served (expected application/x-protobuf or application/json)");
    }
    assertThat(harness.gate().submissions()).isEmpty();
    assertThat(harness.listener().only().answer()).isInstanceOf(Answer.Invalid.class);
  }

  // conformance: H-10, H-15, H-16
  @ParameterizedTest
  @CsvSource({
    "identity, identity",
    "gzip, gzip",
    "GZIP, gzip",
    "zstd, zstd",
    "zlib, zlib",
    "deflate, zlib",
    "snappy, snappy",
    "snappy, x-snappy-framed",
    "x-snappy-framed, x-snappy-framed",
    "lz4, lz4"
  })
  void h15_servedEncoding_reachesGateDecompressed(String token, String format) throws IOException {
    byte[] body = Payloads.traces(50);
    byte[] sent = Payloads.encoded(format, body);

    try (RawHttp client = harness.http()) {
      Response response =
          client.post("/v1/traces", PROTOBUF + "Content-Encoding: " + token + "\r\n", sent).read();

      assertThat(response.status()).isEqualTo(200);
    }
    assertThat(harness.gate().onlyRequest()).isEqualTo(body);
    assertThat(harness.listener().only().wireBytes()).isEqualTo(sent.length);
  }

  // conformance: H-17, H-40
  @ParameterizedTest
  @ValueSource(strings = {"br", "none", "gzip, gzip"})
  void h17_otherEncoding_415WithAcceptEncoding(String encoding) throws Exception {
    try (RawHttp client = harness.http()) {
      Response response =
          client
              .post(
                  "/v1/traces",
                  PROTOBUF + "Content-Encoding: " + encoding + "\r\n",
                  Payloads.noise(10))
              .read();

      assertThat(response.status()).isEqualTo(415);
      assertThat(response.header("accept-encoding"))
          .isEqualTo("gzip, zstd, zlib, deflate, snappy, x-snappy-framed, lz4, identity");
      assertThat(status(response).message())
          .isEqualTo(
              "Content-Encoding "
                  + encoding
                  + " is not served (expected one of gzip, zstd, zlib, deflate, snappy,"
                  + " x-snappy-framed, lz4, identity, or none)");
    }
    assertThat(harness.listener().only().answer()).isInstanceOf(Answer.Invalid.class);
  }

  // conformance: H-18, H-40
  @ParameterizedTest
  @ValueSource(strings = {"gzip", "zstd", "zlib", "snappy", "x-snappy-framed", "lz4"})
  void h18_damagedCompression_400(String encoding) throws Exception {
    byte[] whole = Payloads.encoded(encoding, Payloads.traces(50));
    byte[] truncated = Arrays.copyOf(whole, whole.length - 5);

    try (RawHttp client = harness.http()) {
      for (byte[] damaged : new byte[][] {Payloads.noise(100), truncated}) {
        Response response =
            client
                .post("/v1/traces", PROTOBUF + "Content-Encoding: " + encoding + "\r\n", damaged)
                .read();

        assertThat(response.status()).isEqualTo(400);
        assertThat(status(response).code()).isEqualTo(3);
        assertThat(status(response).message()).isNotEmpty();
      }
    }
    assertThat(harness.gate().submissions()).isEmpty();
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  // conformance: H-20
  @Test
  void h20_chunkedBody_isPutTogether() throws IOException {
    byte[] body = Payloads.noise(700_000);

    try (RawHttp client = harness.http()) {
      client.send(chunkedHead(PROTOBUF));
      for (int from = 0; from < body.length; from += 70_000) {
        client.chunk(Arrays.copyOfRange(body, from, from + 70_000));
      }
      assertThat(client.send("0\r\n\r\n").read().status()).isEqualTo(200);
    }

    assertThat(harness.gate().onlyRequest()).isEqualTo(body);
  }

  // conformance: H-20
  @Test
  void h20_expectContinue_isAskedFor() throws IOException {
    byte[] body = Payloads.noise(10);

    try (RawHttp client = harness.http()) {
      client.send(
          "POST /v1/traces HTTP/1.1\r\nHost: relay\r\nContent-Length: 10\r\n"
              + PROTOBUF
              + "Expect: 100-continue\r\n\r\n");

      assertThat(client.read().status()).isEqualTo(100);
      assertThat(client.send(body).read().status()).isEqualTo(200);
    }
    assertThat(harness.gate().onlyRequest()).isEqualTo(body);
  }

  // conformance: H-20, H-25, H-26
  @Test
  void h20_expectContinueOverLimit_413WithoutBody() throws IOException {
    try (RawHttp client = harness.http()) {
      Response response =
          client
              .send(
                  "POST /v1/traces HTTP/1.1\r\nHost: relay\r\nContent-Length: "
                      + (LIMIT + 1)
                      + "\r\n"
                      + PROTOBUF
                      + "Expect: 100-continue\r\n\r\n")
              .read();

      assertThat(response.status()).isEqualTo(413);
      assertThat(response.header("connection")).isEqualTo("close");
      assertThat(client.isAtEnd()).isTrue();
    }
  }

  // conformance: H-25
  @Test
  void h25_contentLengthAtLimit_200() throws IOException {
    try (RawHttp client = harness.http()) {
      assertThat(client.postProtobuf(new byte[LIMIT]).read().status()).isEqualTo(200);
    }
    assertThat(harness.gate().onlyRequest()).hasSize(LIMIT);
  }

  // conformance: H-25, H-26, H-40
  @Test
  void h25_contentLengthOver_413() throws Exception {
    try (RawHttp client = harness.http()) {
      Response response = client.postProtobuf(new byte[LIMIT + 1]).read();

      assertThat(response.status()).isEqualTo(413);
      assertThat(status(response))
          .isEqualTo(
              new RpcStatus(
                  8,
                  "request of 1048577 bytes exceeds the limit of 1048576 bytes."
                      + " Send smaller batches, or raise max_request_body_size.",
                  null));
      assertThat(client.isAtEnd()).isTrue();
    }
    assertThat(harness.listener().only().answer()).isInstanceOf(Answer.TooLarge.class);
  }

  // conformance: H-25, H-26
  @Test
  void h25_chunkedOver_413() throws IOException {
    byte[] chunk = new byte[LIMIT / 4];

    try (RawHttp client = harness.http()) {
      client.send(chunkedHead(PROTOBUF));
      for (int i = 0; i < 4; i++) {
        client.chunk(chunk);
      }
      client.chunk(new byte[1]).send("0\r\n\r\n");

      assertThat(client.read().status()).isEqualTo(413);
      // So little was left of the body that the connection stays usable.
      assertThat(client.postProtobuf(new byte[0]).read().status()).isEqualTo(200);
    }
    assertThat(harness.listener().all()).hasSize(2);
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  /** A sender that looks for the answer only when it is through with its body. */
  // conformance: H-26
  @Test
  void h26_bodyFarOverLimit_senderStillReads413() throws IOException {
    byte[] piece = new byte[1 << 20];

    try (RawHttp client = harness.http()) {
      client.send(
          "POST /v1/traces HTTP/1.1\r\nHost: relay\r\nContent-Length: "
              + (64L << 20)
              + "\r\n"
              + PROTOBUF
              + "\r\n");
      for (int i = 0; i < 64; i++) {
        client.send(piece);
      }

      assertThat(client.read().status()).isEqualTo(413);
    }
  }

  // conformance: H-25
  @ParameterizedTest
  @ValueSource(strings = {"gzip", "zstd", "zlib", "snappy", "x-snappy-framed", "lz4"})
  void h25_bomb_413(String encoding) throws IOException {
    byte[] bomb =
        switch (encoding) {
          case "gzip" -> Payloads.gzipBomb();
          case "zstd" -> Payloads.zstdBomb();
          default -> Payloads.encoded(encoding, new byte[16 << 20]);
        };
    assertThat(bomb.length).isLessThan(LIMIT);

    try (RawHttp client = harness.http()) {
      Response response =
          client
              .post("/v1/traces", PROTOBUF + "Content-Encoding: " + encoding + "\r\n", bomb)
              .read();

      assertThat(response.status()).isEqualTo(413);
      assertThat(client.postProtobuf(new byte[0]).read().status()).isEqualTo(200);
    }
    assertThat(harness.listener().all().getFirst().answer()).isInstanceOf(Answer.TooLarge.class);
  }

  // conformance: H-14, H-30, H-31, J-16
  @Test
  void h30_accepted_200WithEmptyBodyInRequestEncoding() throws IOException {
    try (RawHttp client = harness.http()) {
      Response protobuf = client.postProtobuf(new byte[0]).read();
      assertThat(protobuf.status()).isEqualTo(200);
      assertThat(protobuf.header("content-type")).isEqualTo("application/x-protobuf");
      assertThat(protobuf.body()).isEmpty();

      Response json = client.post("/v1/traces", JSON, "{}".getBytes(UTF_8)).read();
      assertThat(json.status()).isEqualTo(200);
      assertThat(json.header("content-type")).isEqualTo("application/json");
      assertThat(json.text()).isEqualTo("{}");
    }
  }

  // conformance: H-11, H-15
  @Test
  void h11_json_reachesGateAsProtobuf() throws Exception {
    String json = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\"}]}]}]}";

    try (RawHttp client = harness.http()) {
      byte[] body = Payloads.gzip(json.getBytes(UTF_8));
      Response response =
          client.post("/v1/traces", JSON + "Content-Encoding: gzip\r\n", body).read();

      assertThat(response.status()).isEqualTo(200);
    }
    ExportTraceServiceRequest request =
        ExportTraceServiceRequest.parseFrom(harness.gate().onlyRequest());
    assertThat(request.getResourceSpans(0).getScopeSpans(0).getSpans(0).getName()).isEqualTo("a");
  }

  // conformance: H-14, H-31, H-40, H-43, J-16
  @ParameterizedTest
  @ValueSource(strings = {"", "{", "[]", "{\"resourceSpans\":1}"})
  void h43_malformedJson_400InJson(String json) throws Exception {
    try (RawHttp client = harness.http()) {
      Response response = client.post("/v1/traces", JSON, json.getBytes(UTF_8)).read();

      assertThat(response.status()).isEqualTo(400);
      assertThat(response.header("content-type")).isEqualTo("application/json");
      assertThat(RpcStatus.parseJson(Slice.of(response.body())).message()).isNotEmpty();
    }
    assertThat(harness.gate().submissions()).isEmpty();
  }

  // conformance: H-43, J-19
  @ParameterizedTest
  @ValueSource(strings = {"[", "{\"a\":"})
  void j19_deepNesting_400AndConnectionGoesOn(String level) throws IOException {
    byte[] deep = ("{\"x\":" + level.repeat(200_000)).getBytes(UTF_8);

    try (RawHttp client = harness.http()) {
      Response response =
          client
              .post("/v1/traces", JSON + "Content-Encoding: gzip\r\n", Payloads.gzip(deep))
              .read();
      assertThat(response.status()).isEqualTo(400);
      assertThat(client.postProtobuf(new byte[0]).read().status()).isEqualTo(200);
    }
  }

  // conformance: H-18
  @Test
  void h18_severalGzipMembers_areOneBody() throws IOException {
    byte[] body = Payloads.traces(3);
    byte[] members = Payloads.repeated(Payloads.gzip(body), 2);

    try (RawHttp client = harness.http()) {
      Response response =
          client.post("/v1/traces", PROTOBUF + "Content-Encoding: gzip\r\n", members).read();
      assertThat(response.status()).isEqualTo(200);
    }
    assertThat(harness.gate().onlyRequest()).isEqualTo(Payloads.repeated(body, 2));
  }

  // conformance: H-19
  @Test
  void h19_gzipIsAccepted_responseIsNotCompressed() throws Exception {
    harness.gate().answerWith(new Answer.Accepted(3, 1, "x".repeat(500)));

    try (RawHttp client = harness.http()) {
      Response response =
          client.post("/v1/traces", PROTOBUF + "Accept-Encoding: gzip\r\n", new byte[0]).read();

      assertThat(response.header("content-encoding")).isNull();
      assertThat(ExportTraceServiceResponse.parseFrom(response.body()).getPartialSuccess())
          .satisfies(partial -> assertThat(partial.getRejectedSpans()).isEqualTo(1));
    }
  }

  // conformance: H-32
  @Test
  void h32_partialSuccess_200WithCountAndMessage() throws Exception {
    harness.gate().answerWith(new Answer.Accepted(5, 3, "three spans have bad ids"));

    try (RawHttp client = harness.http()) {
      Response protobuf = client.postProtobuf(Payloads.traces(5)).read();
      assertThat(protobuf.status()).isEqualTo(200);
      ExportTraceServiceResponse parsed = ExportTraceServiceResponse.parseFrom(protobuf.body());
      assertThat(parsed.getPartialSuccess().getRejectedSpans()).isEqualTo(3);
      assertThat(parsed.getPartialSuccess().getErrorMessage())
          .isEqualTo("three spans have bad ids");

      Response json = client.post("/v1/traces", JSON, "{}".getBytes(UTF_8)).read();
      assertThat(json.text())
          .isEqualTo(
              "{\"partialSuccess\":{\"rejectedSpans\":\"3\","
                  + "\"errorMessage\":\"three spans have bad ids\"}}");
    }
  }

  // conformance: G-23, H-27
  @Test
  void h27_hugeMessage_isShortenedAndCountKept() throws Exception {
    harness.gate().answerWith(new Answer.Accepted(5, 3, "🙂".repeat(3 << 20)));

    try (RawHttp client = harness.http()) {
      Response response = client.postProtobuf(Payloads.traces(5)).read();

      ExportTraceServiceResponse parsed = ExportTraceServiceResponse.parseFrom(response.body());
      assertThat(parsed.getPartialSuccess().getRejectedSpans()).isEqualTo(3);
      assertThat(parsed.getPartialSuccess().getErrorMessage())
          .isEqualTo("🙂".repeat(Reasons.MAX_CHARS / 2 - 1) + "…");
    }
  }

  // conformance: H-14, H-40, H-42, H-43
  @Test
  void h43_invalid_400WithStatusBody() throws Exception {
    harness.gate().answerWith(new Answer.Invalid("field 1 at byte 7 is truncated"));

    try (RawHttp client = harness.http()) {
      Response response = client.postProtobuf(Payloads.noise(8)).read();

      assertThat(response.status()).isEqualTo(400);
      assertThat(response.header("content-type")).isEqualTo("application/x-protobuf");
      assertThat(status(response))
          .isEqualTo(new RpcStatus(3, "field 1 at byte 7 is truncated", null));
    }
  }

  // conformance: H-40
  @Test
  void h25_gateFindsItTooLarge_413() throws Exception {
    harness.gate().answerWith(new Answer.TooLarge(1, "one span of 9 MiB"));

    try (RawHttp client = harness.http()) {
      Response response = client.postProtobuf(Payloads.noise(8)).read();

      assertThat(response.status()).isEqualTo(413);
      assertThat(status(response)).isEqualTo(new RpcStatus(8, "one span of 9 MiB", null));
    }
  }

  // conformance: H-40, H-44
  @ParameterizedTest
  @CsvSource({"0, 1", "200, 1", "1000, 1", "1001, 2", "30000, 30"})
  void h44_unavailable_503WithRetryAfterInWholeSeconds(long millis, String seconds)
      throws Exception {
    Duration retryAfter = Duration.ofMillis(millis);
    harness.gate().answerWith(new Answer.Unavailable(1, retryAfter, "the lane is full"));

    try (RawHttp client = harness.http()) {
      Response response = client.postProtobuf(Payloads.noise(8)).read();

      assertThat(response.status()).isEqualTo(503);
      assertThat(response.header("retry-after")).isEqualTo(seconds);
      assertThat(status(response)).isEqualTo(new RpcStatus(14, "the lane is full", retryAfter));
    }
  }

  // conformance: H-45
  @Test
  void h45_gateThrows_503() throws IOException {
    harness
        .gate()
        .onSubmit(
            submission -> {
              throw new IllegalStateException("broken");
            });

    try (RawHttp client = harness.http()) {
      assertThat(client.postProtobuf(Payloads.noise(8)).read().status()).isEqualTo(503);
    }
    assertThat(harness.listener().only().answer()).isInstanceOf(Answer.Unavailable.class);
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  // conformance: H-50
  @Test
  void h50_answersFromAnotherThread_connectionIsKept() throws IOException {
    harness
        .gate()
        .onSubmit(s -> Thread.ofVirtual().start(() -> s.answer().accept(new Answer.Accepted(1))));

    try (RawHttp client = harness.http()) {
      for (int i = 0; i < 50; i++) {
        assertThat(client.postProtobuf(Payloads.noise(10)).read().status()).isEqualTo(200);
      }
    }
    assertThat(harness.listener().all()).hasSize(50);
  }

  // conformance: H-50, H-51
  @Test
  void h50_connectionClose_isHonoured() throws IOException {
    try (RawHttp client = harness.http()) {
      Response response =
          client.post("/v1/traces", PROTOBUF + "Connection: close\r\n", new byte[0]).read();

      assertThat(response.status()).isEqualTo(200);
      assertThat(response.header("connection")).isEqualTo("close");
      assertThat(client.isAtEnd()).isTrue();
    }
  }

  // conformance: H-50
  @Test
  void h50_http10_isAnsweredAndClosed() throws IOException {
    try (RawHttp client = harness.http()) {
      client.send("POST /v1/traces HTTP/1.0\r\nContent-Length: 0\r\n" + PROTOBUF + "\r\n");

      assertThat(client.read().status()).isEqualTo(200);
      assertThat(client.isAtEnd()).isTrue();
    }
  }

  @Test
  void pipelined_gateAnswersLate_answersComeInOrder() throws IOException {
    StringBuilder requests = new StringBuilder();
    for (int i = 0; i < 500; i++) {
      String path = i % 3 == 0 ? "/nothing" : "/v1/traces";
      requests
          .append("POST ")
          .append(path)
          .append(" HTTP/1.1\r\nHost: relay\r\nContent-Length: 3\r\n")
          .append(PROTOBUF)
          .append("\r\nabc");
    }
    harness
        .gate()
        .onSubmit(
            s ->
                Thread.ofVirtual()
                    .start(() -> s.answer().accept(new Answer.Invalid("as asked for"))));

    try (RawHttp client = harness.http()) {
      client.send(requests.toString()).endOutput();

      for (int i = 0; i < 500; i++) {
        assertThat(client.read().status()).isEqualTo(i % 3 == 0 ? 404 : 400);
      }
      assertThat(client.isAtEnd()).isTrue();
    }
    assertThat(harness.gate().submissions()).hasSize(333);
  }

  @Test
  void pipelined_gateAnswersAtOnce_stackStaysShallow() throws IOException {
    String request =
        "POST /v1/traces HTTP/1.1\r\nHost: relay\r\nTransfer-Encoding: chunked\r\n"
            + PROTOBUF
            + "\r\n"
            + "1\r\nx\r\n".repeat(100)
            + "0\r\n\r\n";

    try (RawHttp client = harness.http()) {
      client.send(request.repeat(50));

      for (int i = 0; i < 50; i++) {
        assertThat(client.read().status()).isEqualTo(200);
      }
    }
    assertThat(harness.gate().submissions()).hasSize(50);
  }

  // conformance: H-51
  @Test
  void senderHalfCloses_answerStillArrives() throws IOException {
    harness
        .gate()
        .onSubmit(s -> Thread.ofVirtual().start(() -> s.answer().accept(new Answer.Accepted(1))));

    try (RawHttp client = harness.http()) {
      client.postProtobuf(Payloads.noise(10)).endOutput();

      assertThat(client.read().status()).isEqualTo(200);
      assertThat(client.isAtEnd()).isTrue();
    }
  }

  @Test
  void senderGoesAwayInsideBody_nothingIsHeardAndNothingHeld() throws IOException {
    try (RawHttp client = harness.http()) {
      client.send(
          "POST /v1/traces HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000\r\n"
              + PROTOBUF
              + "\r\nabc");
      await().until(() -> harness.admission().inFlightBytes() > 0);
    }

    await().until(() -> harness.admission().inFlightBytes() == 0);
    assertThat(harness.listener().all()).isEmpty();
    assertThat(harness.gate().submissions()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "'\u0016\u0003\u0001 tls hello\r\n\r\n', 400",
    "'nonsense\r\n\r\n', 400",
    "'POST /v1/traces HTTP/1.1\r\nContent-Length: x\r\n\r\n', 400"
  })
  void garbage_400AndClosed(String text, int status) throws Exception {
    try (RawHttp client = harness.http()) {
      Response response = client.send(text).read();

      assertThat(response.status()).isEqualTo(status);
      assertThat(response.header("connection")).isEqualTo("close");
      assertThat(status(response).message()).startsWith("not an HTTP/1.1 request: ");
      assertThat(client.isAtEnd()).isTrue();
    }
  }

  @Test
  void garbageAsChunk_400AndClosed() throws IOException {
    try (RawHttp client = harness.http()) {
      Response response = client.send(chunkedHead(PROTOBUF) + "zz\r\nabc\r\n").read();

      assertThat(response.status()).isEqualTo(400);
      assertThat(client.isAtEnd()).isTrue();
    }
    assertThat(harness.listener().only().answer())
        .isEqualTo(new Answer.Invalid("damaged chunked body"));
  }

  @Test
  void headerOverLimit_431() throws IOException {
    try (RawHttp client = harness.http()) {
      client.send(
          "POST /v1/traces HTTP/1.1\r\nX: " + "x".repeat(HttpServer.MAX_HEADER_BYTES) + "\r\n\r\n");

      assertThat(client.read().status()).isEqualTo(431);
    }
  }

  @Test
  void requestLineOverLimit_414() throws IOException {
    try (RawHttp client = harness.http()) {
      client.send("POST /" + "x".repeat(HttpServer.MAX_REQUEST_LINE_BYTES) + " HTTP/1.1\r\n\r\n");

      assertThat(client.read().status()).isEqualTo(414);
    }
  }

  @Test
  void refusedHead_shortBodyIsReadAndConnectionKept() throws IOException {
    try (RawHttp client = harness.http()) {
      byte[] body = new byte[HttpExchange.MAX_DISCARDED_BYTES];
      assertThat(client.post("/v1/traces", "", body).read().status()).isEqualTo(415);

      assertThat(client.postProtobuf(new byte[0]).read().status()).isEqualTo(200);
    }
  }

  @Test
  void refusedHead_longBodyEndsConnection() throws IOException {
    try (RawHttp client = harness.http()) {
      byte[] body = new byte[HttpExchange.MAX_DISCARDED_BYTES + 1];
      assertThat(client.post("/v1/traces", "", body).read().status()).isEqualTo(415);

      assertThat(client.isAtEnd()).isTrue();
      assertThatThrownBy(() -> client.postProtobuf(new byte[0]).read())
          .isInstanceOfAny(EOFException.class, IOException.class);
    }
  }

  private static String chunkedHead(String headers) {
    return "POST /v1/traces HTTP/1.1\r\nHost: relay\r\nTransfer-Encoding: chunked\r\n"
        + headers
        + "\r\n";
  }

  private static RpcStatus status(Response response) throws Exception {
    return RpcStatus.parse(Slice.of(response.body()));
  }
}
