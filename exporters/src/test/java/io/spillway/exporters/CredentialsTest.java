package io.spillway.exporters;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.exporters.HttpSink.Script;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.tls.TestCertificates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Sinks and a token endpoint on real sockets, for both protocols. */
@Timeout(180)
@ParameterizedClass
@ValueSource(strings = {"otlp_http", "otlp_grpc"})
final class CredentialsTest {
  private static final String TOKEN = "t0ken-value-";

  @Parameter String type;
  @TempDir Path folder;

  private final FakePolicy policy = new FakePolicy();
  private final Exporters exporters =
      new Exporters(policy, InstantSource.system(), NameLookup.SYSTEM, "1.2.3");
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final AtomicInteger tokens = new AtomicInteger();

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable one : opened.reversed()) {
      one.close();
    }
    exporters.close();
  }

  private <S extends AutoCloseable> S own(S one) {
    opened.add(one);
    return one;
  }

  private Sink sink() {
    return own(type.equals("otlp_grpc") ? new GrpcSink(0, null) : new HttpSink(0, null));
  }

  /** A sink that takes nothing without this token. */
  private Sink sinkThatWants(String token) {
    Sink sink = sink();
    switch (sink) {
      case GrpcSink grpc ->
          grpc.script =
              call -> {
                if (authorization(grpc).equals("Bearer " + token)) {
                  GrpcSink.answer(call, new byte[0]);
                } else {
                  Status no = Status.UNAUTHENTICATED.withDescription("not " + authorization(grpc));
                  GrpcSink.fail(call, no, null);
                }
              };
      case HttpSink http ->
          http.script =
              (socket, out) ->
                  (authorization(http).equals("Bearer " + token)
                          ? Script.ok(new byte[0])
                          : Script.status(
                              "401 Unauthorized",
                              "Content-Type: text/plain\n",
                              ("not " + authorization(http)).getBytes(UTF_8)))
                      .run(socket, out);
      default -> throw new AssertionError(sink);
    }
    return sink;
  }

  private static String authorization(Sink sink) {
    return sink.received().getLast().headers().getOrDefault("authorization", "");
  }

  /** Gives numbered tokens. */
  private HttpSink tokenEndpoint() {
    HttpSink endpoint = own(new HttpSink(0, null));
    endpoint.script = (socket, out) -> giveToken(tokens.incrementAndGet()).run(socket, out);
    return endpoint;
  }

  private static Script giveToken(int number) {
    String json =
        "{\"access_token\":\"%s%d\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"x\":{}}"
            .formatted(TOKEN, number);
    return Script.status("200 OK", "Content-Type: application/json\n", json.getBytes(UTF_8));
  }

  private static String oauth(int port, String more) {
    return "auth: { oauth2: { client_id: 'me & you', client_secret: s3cret-of-client,"
        + " token_url: 'http://127.0.0.1:"
        + port
        + "/oauth/token', "
        + more
        + " } }";
  }

  private Exporter exporter(Sink sink, String keys) {
    String yaml =
        "exporters:\n  %s: { timeout: 1m, endpoint: 'http://127.0.0.1:%d', %s }\n"
            .formatted(type, sink.port(), keys);
    Configuration configuration = ConfigurationLoader.parse("test.yaml", yaml, Map.of());
    ExporterConfig config = ExporterConfig.readAll(configuration.root()).get(type);
    configuration.reportUnknownKeys();
    assertThat(configuration.problems().all()).isEmpty();
    assertThat(config.toString()).doesNotContain("s3cret");
    Exporter exporter = exporters.create(config);
    own(() -> exporter.close(Duration.ZERO));
    return exporter;
  }

  private static Outcome export(Exporter exporter) throws Exception {
    return exporter.export(Requests.spans(1)).get(120, SECONDS);
  }

  private static String header(Sink sink, String name) {
    return sink.received().getLast().headers().get(name);
  }

  // --- files

  @Test
  void headerFile_changes_isReadAgain() throws Exception {
    Sink sink = sink();
    Path file = Files.writeString(folder.resolve("key"), "  first-key\n");
    Exporter exporter = exporter(sink, "header_files: { x-key: '" + file + "' }");
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
    assertThat(header(sink, "x-key")).isEqualTo("first-key");

    Files.writeString(file, "second-key");

    await().atMost(60, SECONDS).until(() -> sent(exporter, sink, "x-key").equals("second-key"));
  }

  @Test
  void headerFile_vanishes_leavesTheOldValue() throws Exception {
    Sink sink = sink();
    Path gone = Files.writeString(folder.resolve("gone"), "the-old-one");
    Path other = Files.writeString(folder.resolve("other"), "before");
    Exporter exporter =
        exporter(sink, "header_files: { x-a: '" + gone + "', x-b: '" + other + "' }");

    Files.delete(gone);
    Files.writeString(other, "after"); // shows that the files were looked at

    await().atMost(60, SECONDS).until(() -> sent(exporter, sink, "x-b").equals("after"));
    assertThat(header(sink, "x-a")).isEqualTo("the-old-one");
  }

  private static String sent(Exporter exporter, Sink sink, String name) throws Exception {
    export(exporter);
    return header(sink, name);
  }

  @Test
  void basic_passwordInAFile_isEncoded() throws Exception {
    Sink sink = sink();
    Path file = Files.writeString(folder.resolve("password"), "open: sesame\n");

    export(exporter(sink, "auth: { basic: { username: ali, password_file: '" + file + "' } }"));

    String both = Base64.getEncoder().encodeToString("ali:open: sesame".getBytes(UTF_8));
    assertThat(header(sink, "authorization")).isEqualTo("Basic " + both);
  }

  @Test
  void bearer_writtenOrInAFile_isSent() throws Exception {
    Sink sink = sink();
    Path file = Files.writeString(folder.resolve("token"), "from-file");

    export(exporter(sink, "auth: { bearer_token: s3cret-token }"));
    assertThat(header(sink, "authorization")).isEqualTo("Bearer s3cret-token");
    export(exporter(sink, "auth: { bearer_token_file: '" + file + "' }"));
    assertThat(header(sink, "authorization")).isEqualTo("Bearer from-file");
  }

  // --- OAuth2

  @Test
  void oauth_manyAttempts_shareOneToken() throws Exception {
    Sink sink = sinkThatWants(TOKEN + 1);
    HttpSink endpoint = tokenEndpoint();
    Exporter exporter =
        exporter(
            sink, oauth(endpoint.port(), "scopes: [a, b], endpoint_params: { audience: 'x y' }"));

    List<CompletableFuture<Outcome>> attempts =
        IntStream.range(0, 20).mapToObj(i -> exporter.export(Requests.spans(1))).toList();
    for (CompletableFuture<Outcome> attempt : attempts) {
      assertThat(attempt.get(120, SECONDS)).isEqualTo(new Outcome.Delivered());
    }

    assertThat(endpoint.received()).hasSize(1);
    assertThat(endpoint.paths).containsExactly("/oauth/token");
    Sink.Received asked = endpoint.received().getFirst();
    String client =
        Base64.getEncoder().encodeToString("me+%26+you:s3cret-of-client".getBytes(UTF_8));
    assertThat(asked.headers())
        .containsEntry("authorization", "Basic " + client)
        .containsEntry("content-type", "application/x-www-form-urlencoded")
        .containsEntry("user-agent", "Spillway/1.2.3");
    assertThat(new String(asked.body().toByteArray(), UTF_8))
        .isEqualTo("audience=x+y&grant_type=client_credentials&scope=a+b");
  }

  @Test
  void oauth_serverWantsTheSecretInTheBody_getsIt() throws Exception {
    Sink sink = sinkThatWants(TOKEN + 1);
    HttpSink endpoint = tokenEndpoint();
    Script give = endpoint.script;
    endpoint.script =
        (socket, out) ->
            (endpoint.received().getLast().headers().containsKey("authorization")
                    ? Script.status("401 No", "", new byte[0])
                    : give)
                .run(socket, out);

    assertThat(export(exporter(sink, oauth(endpoint.port(), ""))))
        .isEqualTo(new Outcome.Delivered());

    assertThat(new String(endpoint.received().getLast().body().toByteArray(), UTF_8))
        .isEqualTo(
            "grant_type=client_credentials&client_id=me+%26+you&client_secret=s3cret-of-client");
  }

  @Test
  void oauth_tokenRefusedBySink_isReplacedWithinTheAttempt() throws Exception {
    Sink sink = sinkThatWants(TOKEN + 2);
    HttpSink endpoint = tokenEndpoint();

    assertThat(export(exporter(sink, oauth(endpoint.port(), ""))))
        .isEqualTo(new Outcome.Delivered());

    assertThat(sink.received()).hasSize(2);
    assertThat(endpoint.received()).hasSize(2);
  }

  @Test
  void oauth_everyTokenRefused_isDownAndAsksNoMore() throws Exception {
    Sink sink = sinkThatWants("another");
    HttpSink endpoint = tokenEndpoint();
    Exporter exporter = exporter(sink, oauth(endpoint.port(), ""));

    for (int i = 0; i < 3; i++) {
      Outcome outcome = export(exporter);
      ExporterContract.assertDown(outcome, ErrorClass.AUTH);
      assertThat(outcome.toString()).doesNotContain(TOKEN).contains("[redacted]");
    }

    assertThat(endpoint.received()).hasSize(2);
  }

  @Test
  void oauth_clientRefused_isDownInTheServersWords() throws Exception {
    Sink sink = sink();
    HttpSink endpoint = tokenEndpoint();
    String json =
        "{\"error\":\"invalid_client\",\"error_description\":\"s3cret-of-client is old\"}";
    endpoint.script =
        Script.status("401 No", "Content-Type: application/json\n", json.getBytes(UTF_8));

    assertThat(export(exporter(sink, oauth(endpoint.port(), ""))))
        .isEqualTo(
            new Outcome.SinkDown(
                ErrorClass.AUTH,
                "no token from 127.0.0.1:%d: HTTP 401 invalid_client: [redacted] is old"
                    .formatted(endpoint.port())));

    assertThat(sink.received()).isEmpty();
  }

  @Test
  void oauth_endpointRedirectsOrTalksNonsense_isDownAndNotFollowed() throws Exception {
    Sink sink = sink();
    HttpSink elsewhere = tokenEndpoint();
    HttpSink endpoint = own(new HttpSink(0, null));

    endpoint.script =
        Script.status(
            "307 Go", "Location: http://127.0.0.1:" + elsewhere.port() + "/\n", new byte[0]);
    ExporterContract.assertDown(
        export(exporter(sink, oauth(endpoint.port(), ""))), ErrorClass.AUTH);
    endpoint.script = Script.status("200 OK", "", "<html>".getBytes(UTF_8));
    ExporterContract.assertDown(
        export(exporter(sink, oauth(endpoint.port(), ""))), ErrorClass.AUTH);

    assertThat(elsewhere.received()).isEmpty();
    assertThat(sink.received()).isEmpty();
  }

  @Test
  void oauth_endpointFails_isDownUntilItWorks() throws Exception {
    Sink sink = sinkThatWants(TOKEN + 1);
    HttpSink endpoint = tokenEndpoint();
    Script give = endpoint.script;
    endpoint.script = Script.status("503 Busy", "", new byte[0]);
    Exporter exporter = exporter(sink, oauth(endpoint.port(), ""));

    ExporterContract.assertDown(export(exporter), ErrorClass.CONNECT);
    endpoint.script = Script.reset();
    ExporterContract.assertDown(export(exporter), ErrorClass.CONNECT);
    endpoint.script = give;

    await().atMost(60, SECONDS).until(() -> export(exporter) instanceof Outcome.Delivered);
  }

  @Test
  void oauth_endpointHangs_isDownInTime() throws Exception {
    Sink sink = sink();
    HttpSink endpoint = tokenEndpoint();
    endpoint.hold();

    Outcome slow = export(exporter(sink, oauth(endpoint.port(), "timeout: 300ms")));

    ExporterContract.assertDown(slow, ErrorClass.CONNECT);
    await().atMost(60, SECONDS).until(() -> endpoint.abandoned() == 1);
    assertThat(sink.received()).isEmpty();
  }

  @Test
  void oauth_endpointDenied_isDownByPolicy() throws Exception {
    Sink sink = sink();
    HttpSink endpoint = tokenEndpoint();
    policy.denyHosts = true;

    ExporterContract.assertDown(
        export(exporter(sink, oauth(endpoint.port(), ""))), ErrorClass.POLICY);

    assertThat(endpoint.received()).isEmpty();
  }

  @Test
  void oauth_behindAProxy_fetchesTheTokenThroughIt() throws Exception {
    Sink sink = sinkThatWants(TOKEN + 1);
    HttpSink endpoint = tokenEndpoint();
    ConnectProxy proxy = own(new ConnectProxy(0));
    String proxied =
        ", dangerously_allow_plaintext: true, proxy_url: 'http://127.0.0.1:%d'"
            .formatted(proxy.port());

    assertThat(export(exporter(sink, oauth(endpoint.port(), "") + proxied)))
        .isEqualTo(new Outcome.Delivered());

    assertThat(proxy.requests)
        .anySatisfy(head -> assertThat(head).startsWith("CONNECT 127.0.0.1:" + endpoint.port()))
        .anySatisfy(head -> assertThat(head).startsWith("CONNECT 127.0.0.1:" + sink.port()));
  }

  @Test
  void oauth_overTls_checksTheServer() throws Exception {
    Sink sink = sinkThatWants(TOKEN + 1);
    HttpSink endpoint = own(new HttpSink(0, new Sink.Tls(TestCertificates.localhost(), null)));
    endpoint.script = giveToken(1);

    assertThat(export(exporter(sink, tls(endpoint.port(), TestCertificates.localhost()))))
        .isEqualTo(new Outcome.Delivered());
    ExporterContract.assertDown(
        export(exporter(sink, tls(endpoint.port(), TestCertificates.elsewhere()))), ErrorClass.TLS);
  }

  private static String tls(int port, TestCertificates.Identity trusted) {
    return oauth(port, "tls: { ca_file: '" + trusted.certificate() + "' }")
        .replace("http://127.0.0.1", "https://localhost");
  }

  @Test
  void oauth_secretInAFile_isReadForEachToken() throws Exception {
    Sink sink = sink();
    HttpSink endpoint = tokenEndpoint();
    Path file = secretFile();
    String keys =
        oauth(endpoint.port(), "")
            .replace("client_secret: s3cret-of-client", "client_secret_file: '" + file + "'");

    export(exporter(sink, keys));

    String client = Base64.getEncoder().encodeToString("me+%26+you:of-file".getBytes(UTF_8));
    assertThat(header(endpoint, "authorization")).isEqualTo("Basic " + client);
  }

  private Path secretFile() throws IOException {
    return Files.writeString(folder.resolve("client"), "of-file\n");
  }
}
