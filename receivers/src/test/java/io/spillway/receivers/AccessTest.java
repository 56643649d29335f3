package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.rpc.RpcStatus;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What senders with and without credentials are answered, on the wire. */
@Timeout(60)
class AccessTest {
  private static final String TOKEN = "s3cr3t-token";
  private static final byte[] BODY = Payloads.noise(100);

  @TempDir Path folder;

  private Path tokens;
  private ReceiverHarness harness;

  @BeforeEach
  void start() throws IOException {
    tokens = Files.writeString(folder.resolve("tokens"), "# senders\nother-token\n" + TOKEN + "\n");
    start(new AuthConfig(AuthConfig.Kind.BEARER_TOKENS, tokens, ""));
  }

  private void start(AuthConfig auth) throws IOException {
    ListenerConfig listener = new ListenerConfig(null, auth, 100);
    harness =
        ReceiverHarness.start(
            ReceiverHarness.loopback(
                new GrpcGuard(listener, Keepalive.DEFAULT),
                new HttpGuard(listener, HttpTimeouts.DEFAULT)));
  }

  @AfterEach
  void stop() {
    harness.close();
  }

  private RawGrpc.Ended grpc(String authorization) throws IOException {
    try (RawGrpc grpc = harness.rawGrpc()) {
      RawGrpc.Call call =
          authorization == null ? grpc.open() : grpc.open("authorization", authorization);
      return call.data(RawGrpc.message(false, BODY), true).join();
    }
  }

  private RawHttp.Response http(String authorization, String contentType) throws IOException {
    try (RawHttp http = harness.http()) {
      String header = authorization == null ? "" : "Authorization: " + authorization + "\r\n";
      return http.post("/v1/traces", "Content-Type: " + contentType + "\r\n" + header, BODY).read();
    }
  }

  private static String basic(String user, String password) {
    byte[] both = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
    return "Basic " + Base64.getEncoder().encodeToString(both);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Bearer " + TOKEN, "bearer " + TOKEN, "Bearer other-token"})
  void export_withToken_reachesGate(String authorization) throws IOException {
    assertThat(grpc(authorization).code()).isZero();
    assertThat(http(authorization, HttpReply.PROTOBUF).status()).isEqualTo(200);

    assertThat(harness.gate().submissions()).hasSize(2);
    assertThat(harness.listener().turnedAway()).isEmpty();
  }

  // conformance: G-47
  @ParameterizedTest
  @ValueSource(strings = {"", "Bearer", "Bearer s3cr3t", "Basic s3cr3t-token", "Bearer  "})
  void g47_wrongToken_unauthenticated(String authorization) throws IOException {
    RawGrpc.Ended ended = grpc(authorization.isEmpty() ? null : authorization);

    assertThat(ended.code()).isEqualTo(16);
    assertThat(ended.header("grpc-status-details-bin")).isNull();
    assertThat(harness.gate().submissions()).isEmpty();
    assertThat(harness.listener().all()).isEmpty();
    assertThat(harness.listener().turnedAway()).containsExactly("grpc credentials");
    assertThat(harness.admission().inFlightBytes()).isZero();
  }

  // conformance: H-47
  @ParameterizedTest
  @ValueSource(strings = {"", "Bearer", "Bearer s3cr3t", "Basic s3cr3t-token", "Bearer  "})
  void h47_wrongToken_401WithChallengeAndStatus(String authorization) throws IOException {
    RawHttp.Response response =
        http(authorization.isEmpty() ? null : authorization, HttpReply.PROTOBUF);

    assertThat(response.status()).isEqualTo(401);
    assertThat(response.header("www-authenticate")).isEqualTo("Bearer realm=\"spillway\"");
    assertThat(response.header("content-type")).isEqualTo(HttpReply.PROTOBUF);
    assertThat(parse(response)).isEqualTo(new RpcStatus(16, Access.DENIED_REASON, null));
    assertThat(harness.listener().all()).isEmpty();
    assertThat(harness.listener().turnedAway()).containsExactly("http credentials");
  }

  // conformance: H-40
  @Test
  void h47_wrongTokenAndJson_isAnsweredInJson() throws IOException {
    RawHttp.Response response = http(null, "application/json; charset=utf-8");

    assertThat(response.status()).isEqualTo(401);
    assertThat(response.header("content-type")).isEqualTo(HttpReply.JSON);
    assertThat(response.text()).contains("\"code\":16");
  }

  @Test
  void h47_wrongToken_isRefusedBeforeTheBodyIsAskedFor() throws IOException {
    try (RawHttp http = harness.http()) {
      http.send("POST /v1/traces HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000000\r\n")
          .send("Content-Type: application/x-protobuf\r\nExpect: 100-continue\r\n\r\n");

      assertThat(http.read().status()).isEqualTo(401);
    }
  }

  // conformance: G-47
  @Test
  void g47_wrongToken_isRefusedBeforeTheMessageIsSent() throws IOException {
    try (RawGrpc grpc = harness.rawGrpc()) {
      assertThat(grpc.open("authorization", "Bearer no").join().code()).isEqualTo(16);
    }
  }

  // conformance: G-47, H-47
  @Test
  void g47_credentialsUnreadable_senderIsAskedToComeBack() throws Exception {
    Files.delete(tokens);
    Awaitility.await().until(() -> harness.receiver().hasUnusableFiles(Transport.GRPC));
    Awaitility.await().until(() -> harness.receiver().hasUnusableFiles(Transport.HTTP));

    RawGrpc.Ended ended = grpc("Bearer " + TOKEN);
    RawHttp.Response response = http("Bearer " + TOKEN, HttpReply.PROTOBUF);

    RpcStatus expected = new RpcStatus(14, Access.UNKNOWN_REASON, Intake.FAILURE_RETRY_AFTER);
    assertThat(ended.code()).isEqualTo(14);
    byte[] details = Base64.getDecoder().decode(ended.header("grpc-status-details-bin"));
    assertThat(RpcStatus.parse(Slice.of(details))).isEqualTo(expected);
    assertThat(response.status()).isEqualTo(503);
    assertThat(response.header("retry-after")).isEqualTo("5");
    assertThat(parse(response)).isEqualTo(expected);
    assertThat(harness.listener().turnedAway())
        .containsExactly("grpc credentials_unreadable", "http credentials_unreadable");

    Files.writeString(tokens, "new-token");
    Awaitility.await().until(() -> grpc("Bearer new-token").code() == 0);
    assertThat(grpc("Bearer " + TOKEN).code()).isEqualTo(16);
  }

  @Test
  void basic_passwordOfOneUser_isAsked() throws IOException {
    harness.close();
    Path password = Files.writeString(folder.resolve("password"), "öffne dich\n");
    start(new AuthConfig(AuthConfig.Kind.PASSWORD, password, "ali"));

    assertThat(grpc(basic("ali", "öffne dich")).code()).isZero();
    assertThat(grpc(basic("baba", "öffne dich")).code()).isEqualTo(16);
    RawHttp.Response denied = http(basic("ali", "sesam"), HttpReply.PROTOBUF);
    assertThat(denied.status()).isEqualTo(401);
    assertThat(denied.header("www-authenticate")).isEqualTo("Basic realm=\"spillway\"");
  }

  private static RpcStatus parse(RawHttp.Response response) {
    try {
      return RpcStatus.parse(Slice.of(response.body()));
    } catch (MalformedRequestException e) {
      throw new AssertionError(e);
    }
  }
}
