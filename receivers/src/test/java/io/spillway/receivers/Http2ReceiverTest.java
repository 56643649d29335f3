package io.spillway.receivers;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.rpc.RpcStatus;
import io.spillway.otlp.stage.Answer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** OTLP/HTTP over HTTP/2 without TLS. */
@Timeout(60)
class Http2ReceiverTest {
  private static final int LIMIT = ReceiverHarness.MAX_REQUEST_BYTES;
  private static final int NO_ERROR = 0;
  private static final int PROTOCOL_ERROR = 1;
  private static final int REFUSED_STREAM = 7;
  private static final int CANCEL = 8;

  @RegisterExtension final ReceiverHarness harness = new ReceiverHarness();

  // conformance: H-01, H-03, H-30
  @ParameterizedTest
  @CsvSource({"/v1/traces, TRACES", "/v1/metrics, METRICS", "/v1/logs, LOGS"})
  void h03_priorKnowledge_reachesGate(String path, Signal signal) throws IOException {
    byte[] body = Payloads.noise(100);

    try (RawHttp2 client = connect()) {
      client.post(1, path, "content-type", "application/x-protobuf").body(1, body);

      RawHttp2.Stream answer = client.read(1);
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.header("content-type")).isEqualTo("application/x-protobuf");
      assertThat(answer.header("connection")).isNull();
      assertThat(answer.body()).isEmpty();
    }
    assertThat(harness.gate().onlyRequest()).isEqualTo(body);
    RecordingListener.Heard heard = harness.listener().only();
    assertThat(heard.signal()).isEqualTo(signal);
    assertThat(heard.transport()).isEqualTo(Transport.HTTP);
    assertThat(heard.wireBytes()).isEqualTo(100);
  }

  // conformance: H-03
  @Test
  void h03_prefaceInSingleBytes_isRecognised() throws IOException {
    InetSocketAddress address = harness.receiver().httpAddress();
    Socket socket = new Socket(address.getAddress(), address.getPort());
    try (RawHttp2 client = new RawHttp2(socket)) {
      socket.setTcpNoDelay(true);
      for (byte b : RawHttp2.PREFACE.getBytes(US_ASCII)) {
        socket.getOutputStream().write(b);
      }
      client.frame(RawHttp2.SETTINGS, 0, 0, new byte[0]).postTraces(1).body(1, new byte[0]);

      assertThat(client.read(1).status()).isEqualTo(200);
    }
  }

  /** The client of the JDK asks for an upgrade with its first request. */
  // conformance: H-03
  @Test
  void h03_upgradeByJdkClient_goesOnInHttp2() throws Exception {
    byte[] body = Payloads.traces(200);

    try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
      for (int i = 0; i < 3; i++) {
        HttpResponse<byte[]> response =
            client.send(jdkRequest(body), HttpResponse.BodyHandlers.ofByteArray());
        assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(response.statusCode()).isEqualTo(200);
      }
      List<CompletableFuture<HttpResponse<byte[]>>> concurrent = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        concurrent.add(client.sendAsync(jdkRequest(body), HttpResponse.BodyHandlers.ofByteArray()));
      }
      for (CompletableFuture<HttpResponse<byte[]>> response : concurrent) {
        assertThat(response.join().statusCode()).isEqualTo(200);
      }
    }
    assertThat(harness.gate().submissions()).hasSize(53);
    assertThat(harness.gate().submissions())
        .allSatisfy(s -> assertThat(s.request().toByteArray()).isEqualTo(body));
  }

  // conformance: H-03, H-40
  @Test
  void h03_upgrade_answersFirstRequestOnStream1() throws Exception {
    harness.gate().answerWith(new Answer.Invalid("as asked for"));

    try (RawHttp client = harness.http();
        RawHttp2 upgraded = upgrade(client)) {
      assertThat(upgraded.read(1).status()).isEqualTo(400);
      assertThat(status(upgraded.read(1)).message()).isEqualTo("as asked for");
      harness.gate().answerWith(new Answer.Accepted(1));
      upgraded.postTraces(3).body(3, Payloads.noise(20));
      assertThat(upgraded.read(3).status()).isEqualTo(200);
    }
    assertThat(harness.listener().all()).hasSize(2);
  }

  // conformance: H-03
  @Test
  void h03_upgradeWithBadSettings_isAnsweredInHttp11() throws IOException {
    try (RawHttp client = harness.http()) {
      RawHttp.Response response =
          client.post("/v1/traces", askingForUpgrade("!!"), new byte[0]).read();

      assertThat(response.status()).isEqualTo(200);
      assertThat(client.postProtobuf(new byte[0]).read().status()).isEqualTo(200);
    }
  }

  // conformance: H-20
  @Test
  void h20_oneByteDataFrames_arePutTogether() throws IOException {
    byte[] body = Payloads.noise(2000);

    try (RawHttp2 client = connect()) {
      client.postTraces(1);
      for (byte b : body) {
        client.data(1, new byte[] {b}, false);
      }
      client.data(1, new byte[0], true);

      assertThat(client.read(1).status()).isEqualTo(200);
    }
    assertThat(harness.gate().onlyRequest()).isEqualTo(body);
  }

  // conformance: H-20
  @Test
  void h20_expectContinue_isAskedFor() throws IOException {
    try (RawHttp2 client = connect()) {
      client.postTraces(1, "expect", "100-continue");
      assertThat(client.readStatus(1)).isEqualTo("100");

      client.body(1, Payloads.noise(10));
      assertThat(client.read(1).status()).isEqualTo(200);
    }
  }

  // conformance: H-04, H-05, H-13, H-17, H-40
  @ParameterizedTest
  @CsvSource({
    "GET, /v1/traces, application/x-protobuf, identity, 405",
    "POST, /v1/nothing, application/x-protobuf, identity, 404",
    "POST, /v1/traces, text/plain, identity, 415",
    "POST, /v1/traces, application/x-protobuf, br, 415",
    "POST, /v1/traces, application/x-protobuf, gzip, 400"
  })
  void h40_refused_sameStatusAsOverHttp11(
      String method, String path, String contentType, String encoding, int status)
      throws Exception {
    try (RawHttp2 client = connect()) {
      client
          .headers(
              1,
              false,
              ":method",
              method,
              ":scheme",
              "http",
              ":path",
              path,
              "content-type",
              contentType,
              "content-encoding",
              encoding)
          .body(1, Payloads.noise(30));

      assertThat(client.read(1).status()).isEqualTo(status);
      assertThat(status(client.read(1)).message()).isNotEmpty();
      client.postTraces(3).body(3, new byte[0]);
      assertThat(client.read(3).status()).isEqualTo(200);
    }
  }

  // conformance: H-40
  @Test
  void h40_headTooLarge_431WithStatusBody() throws Exception {
    List<String> fields = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      fields.add("x-field");
      fields.add("y");
    }
    try (RawHttp2 client = connect()) {
      client.postTraces(1, fields.toArray(String[]::new));

      RawHttp2.Stream answer = client.read(1);
      assertThat(answer.status()).isEqualTo(431);
      assertThat(answer.header("content-type")).isEqualTo("application/x-protobuf");
      assertThat(status(answer).message()).isEqualTo("the head of the request exceeds 16384 bytes");
      client.postTraces(3).body(3, new byte[0]);
      assertThat(client.read(3).status()).isEqualTo(200);
    }
  }

  /** Exactly the limit, several times: more than the windows of stream and connection hold. */
  // conformance: H-25
  @Test
  void h25_bodiesAtLimit_windowsAreGivenBack() throws IOException {
    byte[] body = Payloads.noise(LIMIT);

    try (RawHttp2 client = connect()) {
      for (int stream = 1; stream < 8; stream += 2) {
        client.postTraces(stream).body(stream, body);
        assertThat(client.read(stream).status()).isEqualTo(200);
      }
    }
    assertThat(harness.gate().submissions())
        .hasSize(4)
        .allSatisfy(s -> assertThat(s.request().toByteArray()).isEqualTo(body));
  }

  // conformance: H-25, H-26
  @Test
  void h26_bodyFarOverLimit_413AndOtherStreamsGoOn() throws Exception {
    try (RawHttp2 client = connect()) {
      client.postTraces(1).postTraces(3).body(3, new byte[LIMIT * 4]);

      assertThat(client.read(3).status()).isEqualTo(413);
      assertThat(status(client.read(3)).code()).isEqualTo(8);
      assertThat(client.readReset(3)).isEqualTo(NO_ERROR);
      client.body(1, Payloads.noise(10));
      assertThat(client.read(1).status()).isEqualTo(200);
    }
    assertThat(harness.listener().all().getFirst().answer()).isInstanceOf(Answer.TooLarge.class);
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  // conformance: H-25, H-26
  @Test
  void h25_contentLengthOver_413BeforeBody() throws IOException {
    try (RawHttp2 client = connect()) {
      client.postTraces(1, "content-length", Integer.toString(LIMIT + 1));

      assertThat(client.read(1).status()).isEqualTo(413);
      assertThat(client.readReset(1)).isEqualTo(NO_ERROR);
    }
  }

  // conformance: H-03
  @Test
  void streams_answeredInAnyOrder() throws IOException {
    harness.gate().onSubmit(submission -> {});

    try (RawHttp2 client = connect()) {
      client.postTraces(1).body(1, Payloads.noise(10));
      client.postTraces(3).body(3, Payloads.noise(10));
      await().until(() -> harness.gate().submissions().size() == 2);
      harness.gate().submissions().get(1).answer().accept(new Answer.Accepted(1));
      assertThat(client.read(3).status()).isEqualTo(200);

      harness
          .gate()
          .submissions()
          .get(0)
          .answer()
          .accept(new Answer.Unavailable(1, Duration.ofSeconds(3), "full"));
      assertThat(client.read(1).status()).isEqualTo(503);
      assertThat(client.read(1).header("retry-after")).isEqualTo("3");
    }
  }

  @Test
  void streamsBeyondBound_areRefusedAndOthersAnswered() throws IOException {
    int bound = Http2Connection.MAX_STREAMS_PER_CONNECTION;
    try (RawHttp2 client = connect()) {
      assertThat(client.readMaxStreams()).isEqualTo(bound);
      for (int i = 0; i <= bound; i++) {
        client.postTraces(2 * i + 1);
      }
      assertThat(client.readReset(2 * bound + 1)).isEqualTo(REFUSED_STREAM);

      for (int i = 0; i < bound; i++) {
        client.body(2 * i + 1, new byte[0]);
      }
      for (int i = 0; i < bound; i++) {
        assertThat(client.read(2 * i + 1).status()).isEqualTo(200);
      }
    }
    assertThat(harness.listener().all()).hasSize(bound);
  }

  @Test
  void malformedRequest_onlyItsStreamIsReset() throws IOException {
    try (RawHttp2 client = connect()) {
      client.postTraces(1);
      client.headers(3, true, ":method", "CONNECT", ":authority", "relay");
      client.headers(5, true, ":method", "POST", ":scheme", "http");
      client.postTraces(7, "content-length", "5").data(7, new byte[9], true);

      assertThat(client.readReset(3)).isEqualTo(PROTOCOL_ERROR);
      assertThat(client.readReset(5)).isEqualTo(PROTOCOL_ERROR);
      assertThat(client.readReset(7)).isEqualTo(PROTOCOL_ERROR);
      client.body(1, new byte[0]);
      assertThat(client.read(1).status()).isEqualTo(200);
    }
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  @Test
  void senderResetsStreamInsideBody_nothingIsHeardAndNothingHeld() throws IOException {
    try (RawHttp2 client = connect()) {
      client.postTraces(1).data(1, new byte[100], false);
      await().until(() -> harness.admission().inFlightBytes() > 0);
      client.reset(1, CANCEL);

      await().until(() -> harness.admission().inFlightBytes() == 0);
      client.postTraces(3).body(3, new byte[0]);
      assertThat(client.read(3).status()).isEqualTo(200);
    }
    assertThat(harness.listener().all()).hasSize(1);
  }

  @Test
  void senderResetsStreamAtGate_answerIsStillHeard() throws IOException {
    harness.gate().onSubmit(submission -> {});

    try (RawHttp2 client = connect()) {
      client.postTraces(1).body(1, Payloads.noise(10));
      await().until(() -> harness.gate().submissions().size() == 1);
      client.reset(1, CANCEL);
      harness.gate().answerWith(new Answer.Accepted(1));
      client.postTraces(3).body(3, new byte[0]);
      assertThat(client.read(3).status()).isEqualTo(200);
      harness.gate().submissions().getFirst().answer().accept(new Answer.Accepted(1));
    }
    assertThat(harness.listener().all()).hasSize(2);
    assertThat(harness.admission().inFlightBytes()).isZero();
    harness.receiver().close(Duration.ofSeconds(30));
  }

  @Test
  void garbageFrames_goAwayAndClosed() throws IOException {
    try (RawHttp2 client = connect()) {
      client.frame(RawHttp2.DATA, 0, 0, new byte[3]);

      assertThat(client.readGoAwayError()).isEqualTo(PROTOCOL_ERROR);
      client.readToEnd();
    }
  }

  // conformance: H-52
  @Test
  void h52_closeWithStreamInFlight_goAwayThenAnswerThenEnd() throws IOException {
    harness.gate().onSubmit(submission -> {});

    try (RawHttp2 client = connect()) {
      client.postTraces(1).body(1, Payloads.noise(10));
      await().until(() -> harness.gate().submissions().size() == 1);
      CompletableFuture<Void> closed =
          CompletableFuture.runAsync(() -> harness.receiver().close(Duration.ofSeconds(30)));
      assertThat(client.readGoAway()).isEqualTo(1);
      assertThat(closed).isNotDone();
      harness.gate().submissions().getFirst().answer().accept(new Answer.Accepted(1));

      assertThat(client.read(1).status()).isEqualTo(200);
      client.readToEnd();
      closed.join();
    }
  }

  // conformance: H-11, H-15
  @Test
  void h15_gzippedJson_reachesGateAsProtobuf() throws Exception {
    String json = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\"}]}]}]}";

    try (RawHttp2 client = connect()) {
      client
          .post(1, "/v1/traces", "content-type", "application/json", "content-encoding", "gzip")
          .body(1, Payloads.gzip(json.getBytes(US_ASCII)));

      assertThat(client.read(1).status()).isEqualTo(200);
      assertThat(new String(client.read(1).body(), US_ASCII)).isEqualTo("{}");
    }
    assertThat(ExportTraceServiceRequest.parseFrom(harness.gate().onlyRequest()).toString())
        .contains("\"a\"");
  }

  private RawHttp2 connect() throws IOException {
    return new RawHttp2(harness.receiver().httpAddress());
  }

  private static String askingForUpgrade(String settings) {
    return String.join(
        "\r\n",
        "Content-Type: application/x-protobuf",
        "Upgrade: h2c",
        "Connection: Upgrade, HTTP2-Settings",
        "HTTP2-Settings: " + settings,
        "");
  }

  private static RawHttp2 upgrade(RawHttp client) throws IOException {
    RawHttp.Response switching =
        client.post("/v1/traces", askingForUpgrade("AAMAAABkAAQAAP__"), Payloads.noise(20)).read();
    assertThat(switching.status()).isEqualTo(101);
    assertThat(switching.header("upgrade")).isEqualTo("h2c");
    return client.goOnInHttp2();
  }

  private HttpRequest jdkRequest(byte[] body) {
    return HttpRequest.newBuilder(
            URI.create(
                "http://127.0.0.1:" + harness.receiver().httpAddress().getPort() + "/v1/traces"))
        .header("Content-Type", "application/x-protobuf")
        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
        .build();
  }

  private static RpcStatus status(RawHttp2.Stream answer) throws Exception {
    return RpcStatus.parse(Slice.of(answer.body()));
  }
}
