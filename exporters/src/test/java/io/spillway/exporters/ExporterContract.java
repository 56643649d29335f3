package io.spillway.exporters;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.tls.TestCertificates;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What every exporter that dials promises, kept against a real server. */
@Timeout(180)
abstract class ExporterContract {
  static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");

  final FakePolicy policy = new FakePolicy();
  private final List<AutoCloseable> opened = new ArrayList<>();
  final FakeNames names = new FakeNames();
  final Exporters exporters = new Exporters(policy, InstantSource.fixed(NOW), names, "1.2.3");

  /** {@code otlp_grpc} or {@code otlp_http}. */
  abstract String type();

  abstract Sink newSink(int port, Sink.@Nullable Tls tls);

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable one : opened.reversed()) {
      one.close();
    }
    exporters.close();
  }

  // --- fixtures

  final <S extends AutoCloseable> S opened(S one) {
    opened.add(one);
    return one;
  }

  private Sink sink() {
    return opened(newSink(0, null));
  }

  final Exporter exporter(int port, String... keys) {
    return exporterTo("http://127.0.0.1:" + port, keys);
  }

  final Exporter exporterTo(String endpoint, String... keys) {
    Exporter exporter = exporters.create(config(endpoint, keys));
    opened(() -> exporter.close(Duration.ZERO));
    return exporter;
  }

  final ExporterConfig config(String endpoint, String... keys) {
    String id = type() + "/test";
    List<String> lines = new ArrayList<>(List.of("endpoint: \"" + endpoint + "\""));
    lines.addAll(List.of(keys));
    if (lines.stream().noneMatch(line -> line.startsWith("timeout:"))) {
      lines.add("timeout: 2m"); // a starved machine must not turn an answer into a timeout
    }
    String yaml = "exporters:\n  " + id + ":\n    " + String.join("\n    ", lines);
    Configuration configuration = ConfigurationLoader.parse("test.yaml", yaml, Map.of());
    Map<String, ExporterConfig> configs = ExporterConfig.readAll(configuration.root());
    configuration.reportUnknownKeys();
    assertThat(configuration.problems().all()).isEmpty();
    return configs.get(id);
  }

  static Outcome outcome(CompletableFuture<Outcome> attempt) {
    try {
      return attempt.get(120, SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  static Outcome export(Exporter exporter) {
    return outcome(exporter.export(Requests.spans(3)));
  }

  static void assertDown(Outcome outcome, ErrorClass error) {
    assertThat(outcome).isInstanceOf(Outcome.SinkDown.class);
    assertThat(((Outcome.SinkDown) outcome).error()).as(outcome.toString()).isEqualTo(error);
  }

  static void assertRetry(Outcome outcome, ErrorClass error) {
    assertThat(outcome).isInstanceOf(Outcome.Retry.class);
    assertThat(((Outcome.Retry) outcome).error()).as(outcome.toString()).isEqualTo(error);
  }

  /** A port that nobody listens on, for now. */
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  // --- answers

  @ParameterizedTest
  @EnumSource(Codec.class)
  void export_codec_payloadArrivesAsItIs(Codec codec) throws Exception {
    Sink sink = sink();
    Exporter exporter = exporter(sink.port());
    ExportRequest request = Requests.of(Signal.TRACES, codec, "x", 20);

    assertThat(outcome(exporter.export(request))).isEqualTo(new Outcome.Delivered());

    Sink.Received received = sink.received().getFirst();
    assertThat(received.body().toByteArray()).isEqualTo(request.payload().toByteArray());
    assertThat(Codec.ofEncoding(received.encoding())).isEqualTo(codec);
    assertThat(Decompression.decompress(codec, received.body(), 1 << 20).toByteArray())
        .isEqualTo(Requests.protobuf(Signal.TRACES, "x", 20));
  }

  @ParameterizedTest
  @EnumSource(Signal.class)
  void export_signal_goesToItsOwnService(Signal signal) {
    Sink sink = sink();
    Exporter exporter = exporter(sink.port());

    assertThat(outcome(exporter.export(Requests.of(signal, Codec.NONE, "x", 2))))
        .isEqualTo(new Outcome.Delivered());

    assertThat(sink.received().getFirst().signal()).isEqualTo(signal);
  }

  @Test
  void export_headers_areSentWithUserAgent() {
    Sink sink = sink();
    Exporter exporter = exporter(sink.port(), "headers: { Api-Key: s3cret-value, x-tenant: acme }");

    export(exporter);

    assertThat(sink.received().getFirst().headers())
        .containsEntry("api-key", "s3cret-value")
        .containsEntry("x-tenant", "acme")
        .hasEntrySatisfying("user-agent", agent -> assertThat(agent).startsWith("Spillway/1.2.3"));
  }

  @Test
  void config_toString_hidesHeaderValues() {
    assertThat(config("http://localhost:1", "headers: { api-key: s3cret-value }").toString())
        .contains("api-key")
        .doesNotContain("s3cret-value");
  }

  @Test
  void export_partialSuccess_deliversWithRejected() {
    Sink sink = sink();
    Exporter exporter = exporter(sink.port());

    sink.answerPartialSuccess(2, "no name");
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered(2, "no name"));

    sink.answerPartialSuccess(0, "old schema");
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered(0, "old schema"));
  }

  @Test
  void export_partialSuccessOutOfRange_isClamped() {
    Sink sink = sink();
    Exporter exporter = exporter(sink.port());

    sink.answerPartialSuccess(99, "all");
    assertThat(export(exporter))
        .isEqualTo(new Outcome.Delivered(3, "it claims to have rejected 99 of 3 items: all", true));

    sink.answerPartialSuccess(-5, "");
    assertThat(export(exporter))
        .isEqualTo(new Outcome.Delivered(0, "it claims to have rejected -5 of 3 items", true));
  }

  @Test
  void export_throttled_retriesWhenTheSinkSays() {
    Sink sink = sink();
    sink.answerThrottled(Duration.ofHours(2));

    Outcome outcome = export(exporter(sink.port()));

    assertRetry(outcome, ErrorClass.THROTTLED);
    assertThat(((Outcome.Retry) outcome).after()).isEqualTo(Duration.ofHours(2));
  }

  @Test
  void export_manyAtOnce_deliversEachOnce() {
    Sink sink = sink();
    Exporter exporter = exporter(sink.port());

    List<CompletableFuture<Outcome>> attempts =
        IntStream.range(0, 100)
            .mapToObj(i -> exporter.export(Requests.of(Signal.LOGS, Codec.NONE, "n" + i, 1)))
            .toList();

    assertThat(attempts).allSatisfy(a -> assertThat(outcome(a)).isEqualTo(new Outcome.Delivered()));
    assertThat(sink.received().stream().map(r -> new String(r.body().toByteArray(), ISO_8859_1)))
        .hasSize(100)
        .doesNotHaveDuplicates();
  }

  // --- trouble on the way

  @Test
  void export_nobodyListens_isDownUntilSomebodyDoes() throws Exception {
    int port = freePort();
    Exporter exporter = exporter(port);

    for (int i = 0; i < 4; i++) { // a library's own backoff would grow with these
      assertDown(export(exporter), ErrorClass.CONNECT);
    }
    opened(newSink(port, null));

    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
  }

  @Test
  void export_sinkRestarts_nextAttemptIsDelivered() {
    Sink before = newSink(0, null);
    int port = before.port();
    Exporter exporter = exporter(port);
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());

    before.close();
    assertThat(export(exporter)).isNotInstanceOf(Outcome.Delivered.class);
    opened(newSink(port, null));

    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
  }

  @Test
  void export_unknownHost_isDownWithDns() {
    assertDown(export(exporterTo("http://no-such-host.invalid:4317")), ErrorClass.DNS);
  }

  @Test
  void export_connectionReset_retries() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual().start(() -> resetAll(server));

      assertRetry(export(exporter(server.getLocalPort())), ErrorClass.RESET);
    }
  }

  private static void resetAll(ServerSocket server) {
    while (!server.isClosed()) {
      try (Socket socket = server.accept()) {
        InputStream in = socket.getInputStream();
        assertThat(in.read()).isNotNegative();
        socket.setSoLinger(true, 0);
      } catch (IOException e) {
        // Closed.
      }
    }
  }

  @Test
  void export_noAnswer_timesOutAndFreesTheSink() {
    Sink sink = sink();
    sink.hold();
    Exporter exporter = exporter(sink.port(), "timeout: 300ms");

    assertRetry(export(exporter), ErrorClass.TIMEOUT);

    await().atMost(60, SECONDS).until(() -> sink.abandoned() == 1);
    sink.release();
  }

  @Test
  void export_noAnswerToConnect_timesOut() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      // Accepted by the kernel, answered by nobody.
      assertRetry(export(exporter(server.getLocalPort(), "timeout: 300ms")), ErrorClass.TIMEOUT);
    }
  }

  @Test
  void cancel_inFlight_freesTheSinkAndOthersGoOn() {
    Sink sink = sink();
    sink.hold();
    Exporter exporter = exporter(sink.port());
    CompletableFuture<Outcome> cancelled = exporter.export(Requests.spans(1));
    await().atMost(60, SECONDS).until(() -> sink.received().size() == 1);

    cancelled.cancel(false);

    await().atMost(60, SECONDS).until(() -> sink.abandoned() == 1);
    sink.release();
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
  }

  // --- policy

  @Test
  void export_hostDenied_isDownWithRuleAndReason() {
    Sink sink = sink();
    policy.denyHosts = true;

    assertThat(export(exporter(sink.port())))
        .isEqualTo(
            new Outcome.SinkDown(
                ErrorClass.POLICY, "denied by egress::allow: 127.0.0.1 is not listed"));

    assertThat(sink.received()).isEmpty();
    assertThat(policy.addresses).isEmpty();
  }

  @Test
  void export_everyAddressDenied_isDownAndDialsNothing() {
    Sink sink = sink();
    policy.denyAddresses = true;

    assertDown(export(exporterTo("http://localhost:" + sink.port())), ErrorClass.POLICY);

    assertThat(sink.received()).isEmpty();
    assertThat(policy.addresses).isNotEmpty();
  }

  @Test
  void export_deniedBetweenLookupAndDial_isDown() {
    Sink sink = sink();
    policy.allowAddresses = 1; // the lookup's question; the dial's is the second

    assertDown(export(exporter(sink.port())), ErrorClass.POLICY);

    assertThat(sink.received()).isEmpty();
  }

  @Test
  void export_allowedAgain_isDelivered() {
    Sink sink = sink();
    Exporter exporter = exporter(sink.port());
    policy.denyHosts = true;
    assertDown(export(exporter), ErrorClass.POLICY);

    policy.denyHosts = false;

    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
  }

  // --- TLS

  private Sink tlsSink(TestCertificates.Identity identity, boolean mutual) {
    return opened(
        newSink(
            0, new Sink.Tls(identity, mutual ? TestCertificates.client().certificate() : null)));
  }

  private Exporter tlsExporter(Sink sink, String tls) {
    return exporterTo("https://localhost:" + sink.port(), "tls: { " + tls + " }");
  }

  private static String trust(TestCertificates.Identity identity) {
    return "ca_file: \"" + identity.certificate() + "\"";
  }

  @Test
  void export_tlsTrusted_isDelivered() {
    Sink sink = tlsSink(TestCertificates.localhost(), false);

    assertThat(export(tlsExporter(sink, trust(TestCertificates.localhost()))))
        .isEqualTo(new Outcome.Delivered());
  }

  @Test
  void export_tlsUnknownAuthority_isDown() {
    Sink sink = tlsSink(TestCertificates.localhost(), false);

    assertDown(export(tlsExporter(sink, trust(TestCertificates.elsewhere()))), ErrorClass.TLS);
    assertThat(sink.received()).isEmpty();
  }

  @Test
  void export_tlsWrongHost_isDownUnlessOverridden() {
    Sink sink = tlsSink(TestCertificates.elsewhere(), false);
    String trust = trust(TestCertificates.elsewhere());

    assertDown(export(tlsExporter(sink, trust)), ErrorClass.TLS);
    assertThat(sink.received()).isEmpty();

    assertThat(export(tlsExporter(sink, trust + ", server_name_override: elsewhere.example")))
        .isEqualTo(new Outcome.Delivered());
  }

  @Test
  void export_tlsSkipVerify_takesAnyCertificate() {
    Sink sink = tlsSink(TestCertificates.elsewhere(), false);

    assertThat(export(tlsExporter(sink, "insecure_skip_verify: true")))
        .isEqualTo(new Outcome.Delivered());
  }

  @Test
  void export_mutualTls_needsTheClientsCertificate() {
    Sink sink = tlsSink(TestCertificates.localhost(), true);
    String trust = trust(TestCertificates.localhost());
    TestCertificates.Identity client = TestCertificates.client();

    assertDown(export(tlsExporter(sink, trust)), ErrorClass.TLS);
    assertThat(sink.received()).isEmpty();

    String identity =
        ", cert_file: \"" + client.certificate() + "\", key_file: \"" + client.key() + "\"";
    assertThat(export(tlsExporter(sink, trust + identity))).isEqualTo(new Outcome.Delivered());
  }

  @Test
  void export_tlsToPlaintextSink_isNotDelivered() {
    Sink sink = sink();

    Outcome outcome = export(exporterTo("https://localhost:" + sink.port(), "timeout: 500ms"));

    assertThat(outcome).isNotInstanceOf(Outcome.Delivered.class);
    assertThat(sink.received()).isEmpty();
  }

  // --- names that move

  /** An exporter to a name at 127.0.0.1 with an attempt in flight at a sink that holds it. */
  private CompletableFuture<Outcome> heldAttempt(Sink sink, Exporter exporter) {
    sink.hold();
    CompletableFuture<Outcome> attempt = exporter.export(Requests.spans(1));
    await().atMost(60, SECONDS).until(() -> sink.received().size() == 1);
    return attempt;
  }

  private Exporter exporterToName(int port, String... keys) {
    names.set("sink.test", "127.0.0.1");
    return exporterTo("http://sink.test:" + port, keys);
  }

  private void awaitConnections(Exporter exporter, long connections) {
    await().atMost(60, SECONDS).until(() -> exporters.connections(exporter.id()) == connections);
  }

  @Test
  void recheck_nameMoved_finishesWhatIsInFlightAndMovesOn() {
    Sink before = sink();
    Sink after = sink();
    CountingPort moved = opened(new CountingPort("127.0.0.2", before.port(), after.port()));
    Exporter exporter = exporterToName(before.port());
    CompletableFuture<Outcome> inFlight = heldAttempt(before, exporter);
    names.set("sink.test", "127.0.0.2");

    exporters.recheck();
    await()
        .atMost(60, SECONDS)
        .until(
            () -> {
              CompletableFuture<Outcome> next = exporter.export(Requests.spans(1));
              await()
                  .atMost(60, SECONDS)
                  .until(() -> next.isDone() || before.received().size() > 1);
              return moved.connections.get() > 0;
            });
    assertThat(inFlight).isNotDone();
    before.release();

    assertThat(outcome(inFlight)).isEqualTo(new Outcome.Delivered());
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
    awaitConnections(exporter, 1);
    int taken = before.received().size();
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
    assertThat(before.received()).hasSize(taken);
  }

  @Test
  void recheck_idleConnectionOfAMovedName_isLeft() {
    Sink before = sink();
    Sink after = sink();
    opened(new CountingPort("127.0.0.2", before.port(), after.port()));
    Exporter exporter = exporterToName(before.port());
    export(exporter);
    names.set("sink.test", "127.0.0.2");

    exporters.recheck();

    awaitConnections(exporter, 0);
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
    assertThat(after.received()).hasSize(1);
  }

  @Test
  void refresh_nameMovedToAForbiddenAddress_cutsOffAtOnce() {
    Sink sink = sink();
    Exporter exporter = exporterToName(sink.port(), "dns_refresh_interval: 100ms");
    CompletableFuture<Outcome> inFlight = heldAttempt(sink, exporter);
    policy.deniedAddresses.add("127.0.0.2");

    names.set("sink.test", "127.0.0.2");

    assertThat(outcome(inFlight))
        .isEqualTo(
            new Outcome.SinkDown(
                ErrorClass.POLICY, "denied by egress::deny_networks: 127.0.0.2 is denied"));
    awaitConnections(exporter, 0);
    assertDown(export(exporter), ErrorClass.POLICY);
    sink.release();
  }

  @Test
  void recheck_openAddressIsDeniedNow_cutsOffAtOnce() {
    Sink sink = sink();
    Exporter exporter = exporterToName(sink.port());
    CompletableFuture<Outcome> inFlight = heldAttempt(sink, exporter);
    names.set("sink.test", "127.0.0.2"); // allowed, but what is open is not
    policy.deniedAddresses.add("127.0.0.1");

    exporters.recheck();

    assertDown(outcome(inFlight), ErrorClass.POLICY);
    awaitConnections(exporter, 0);
    sink.release();
  }

  @Test
  void recheck_hostIsDeniedNow_cutsOffAtOnce() {
    Sink sink = tlsSink(TestCertificates.localhost(), false);
    Exporter exporter = tlsExporter(sink, trust(TestCertificates.localhost()));
    CompletableFuture<Outcome> inFlight = heldAttempt(sink, exporter);
    policy.denyHosts = true;

    exporters.recheck();

    assertDown(outcome(inFlight), ErrorClass.POLICY);
    awaitConnections(exporter, 0);
    sink.release();
  }

  @Test
  void recheck_lookupFails_changesNothing() {
    Sink sink = sink();
    Exporter exporter = exporterToName(sink.port());
    CompletableFuture<Outcome> inFlight = heldAttempt(sink, exporter);
    names.set("sink.test");
    int lookups = names.lookups.get();

    exporters.recheck();
    exporters.recheck();
    await().atMost(60, SECONDS).until(() -> names.lookups.get() >= lookups + 2);
    sink.release();

    assertThat(outcome(inFlight)).isEqualTo(new Outcome.Delivered());
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
  }

  // --- proxies

  private ConnectProxy proxyTo(Sink sink) {
    return opened(new ConnectProxy(sink.port()));
  }

  private static String through(ConnectProxy proxy) {
    return "dangerously_allow_plaintext: true\n    proxy_url: \"http://127.0.0.1:"
        + proxy.port()
        + "\"";
  }

  private Outcome exportThrough(ConnectProxy proxy) {
    return export(exporterTo("http://127.0.0.1:4321", through(proxy), "timeout: 20s"));
  }

  @Test
  void export_proxy_tunnelsToTheSink() {
    Sink sink = sink();
    ConnectProxy proxy = proxyTo(sink);
    Exporter exporter = exporterTo("http://127.0.0.1:" + sink.port(), through(proxy));

    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());
    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());

    String authority = "127.0.0.1:" + sink.port();
    assertThat(proxy.requests)
        .containsExactly("CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n\r\n");
    assertThat(sink.received()).hasSize(2);
  }

  @Test
  void export_proxyWithCredentialsToTls_tunnelsToTheSink() {
    Sink sink = tlsSink(TestCertificates.localhost(), false);
    ConnectProxy proxy = proxyTo(sink);
    Exporter exporter =
        exporterTo(
            "https://localhost:" + sink.port(),
            "proxy_url: \"http://user:p%40ss@127.0.0.1:" + proxy.port() + "\"",
            "tls: { " + trust(TestCertificates.localhost()) + " }");

    assertThat(export(exporter)).isEqualTo(new Outcome.Delivered());

    assertThat(proxy.requests.getFirst())
        .contains("\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n");
    assertThat(sink.received().getFirst().headers()).doesNotContainKey("proxy-authorization");
  }

  @Test
  void export_proxyToANameUnknownHere_leavesItToTheProxy() {
    Sink sink = sink();
    ConnectProxy proxy = proxyTo(sink);
    names.set("inside.test");

    assertThat(export(exporterTo("http://inside.test:" + sink.port(), through(proxy))))
        .isEqualTo(new Outcome.Delivered());

    assertThat(proxy.requests.getFirst()).startsWith("CONNECT inside.test:" + sink.port());
  }

  @Test
  void export_proxyToAForbiddenPlace_isDownAndAsksNobody() {
    Sink sink = sink();
    ConnectProxy proxy = proxyTo(sink);
    names.set("metadata.test", "169.254.169.254");
    policy.deniedAddresses.add("169.254.169.254");
    policy.deniedHosts.add("elsewhere.test");
    names.set("elsewhere.test");

    assertDown(export(exporterTo("http://metadata.test:80", through(proxy))), ErrorClass.POLICY);
    assertDown(export(exporterTo("http://elsewhere.test:80", through(proxy))), ErrorClass.POLICY);

    assertThat(proxy.requests).isEmpty();
    assertThat(sink.received()).isEmpty();
  }

  /** The proxy would choose, and may choose the one that is denied. */
  @Test
  void export_proxyToANameWithAForbiddenAddress_isDownAndAsksNobody() {
    ConnectProxy proxy = proxyTo(sink());
    names.set("mixed.test", "127.0.0.1", "169.254.169.254");
    policy.deniedAddresses.add("169.254.169.254");

    assertDown(export(exporterTo("http://mixed.test:80", through(proxy))), ErrorClass.POLICY);

    assertThat(proxy.requests).isEmpty();
  }

  @Test
  void export_proxyItselfForbidden_isDownAndAsksNobody() {
    ConnectProxy proxy = proxyTo(sink());
    names.set("proxy.test", "127.0.0.1");
    String url =
        "dangerously_allow_plaintext: true\n    proxy_url: \"http://proxy.test:"
            + proxy.port()
            + "\"";
    names.set("inside.test");
    policy.deniedAddresses.add("127.0.0.1");
    assertDown(export(exporterTo("http://inside.test:80", url)), ErrorClass.POLICY);

    policy.deniedAddresses.clear();
    policy.deniedHosts.add("proxy.test");
    assertDown(export(exporterTo("http://inside.test:80", url)), ErrorClass.POLICY);

    assertThat(proxy.requests).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "HTTP/1.1 407 Who are you\\r"
            + "\\n"
            + "\\r"
            + "\\n"
            + " | AUTH | wants a user and password in proxy_url: HTTP 407 Who are you",
        "HTTP/1.1 403 Forbidden\\r"
            + "\\n"
            + "X: y\\r"
            + "\\n"
            + "\\r"
            + "\\n"
            + "no | CONNECT | refused to connect to 127.0.0.1:4321: HTTP 403 Forbidden",
        "HTTP/1.1 502\\r\\n\\r\\n | CONNECT | refused to connect to 127.0.0.1:4321: HTTP 502",
        "HTTP/1.1 302 Found\\r"
            + "\\n"
            + "Location: http://evil.test/\\r"
            + "\\n"
            + "\\r"
            + "\\n"
            + " | CONNECT | redirects, which is not followed: HTTP 302 Found",
        "HTTP/1.1 200 | CONNECT | closed the connection before it answered",
        "SSH-2.0-x\\r\\n\\r\\n | CONNECT | did not answer in HTTP/1.1"
      })
  void export_proxyDoesNotOpenATunnel_isDownWithItsWords(
      String answer, ErrorClass error, String words) {
    Sink sink = sink();
    ConnectProxy proxy = proxyTo(sink);
    proxy.answer = answer.translateEscapes();

    assertThat(exportThrough(proxy))
        .isEqualTo(new Outcome.SinkDown(error, "proxy 127.0.0.1:" + proxy.port() + " " + words));

    assertThat(sink.received()).isEmpty();
  }

  @Test
  void export_proxySaysTooMuch_isDown() {
    ConnectProxy proxy = proxyTo(sink());
    proxy.answer = "HTTP/1.1 200 OK\r\nX: " + "x".repeat(ProxyConnect.MAX_HEAD_BYTES);

    assertDown(exportThrough(proxy), ErrorClass.CONNECT);
  }

  @Test
  void export_proxySaysNothing_isDownWithinTheTimeout() {
    ConnectProxy proxy = proxyTo(sink());
    proxy.silent = true;
    Exporter exporter = exporterTo("http://127.0.0.1:4321", through(proxy), "timeout: 2s");

    assertThat(export(exporter))
        .isEqualTo(
            new Outcome.SinkDown(
                ErrorClass.CONNECT,
                "proxy 127.0.0.1:" + proxy.port() + " did not answer in 1000 ms"));
    awaitConnections(exporter, 0);
  }

  @Test
  void export_proxyNotThere_isDown() throws Exception {
    String proxy =
        "dangerously_allow_plaintext: true\n    proxy_url: \"http://127.0.0.1:" + freePort() + "\"";

    assertDown(export(exporterTo("http://127.0.0.1:4321", proxy)), ErrorClass.CONNECT);
  }

  // --- metering

  @Test
  void export_plaintext_everyByteOnTheSocketIsCounted() {
    CountingPort port = opened(new CountingPort(sink().port()));

    assertBytesAgree(exporter(port.port()), port);
  }

  @Test
  void export_tls_everyByteOnTheSocketIsCounted() {
    CountingPort port =
        opened(new CountingPort(tlsSink(TestCertificates.localhost(), false).port()));
    String tls = "tls: { " + trust(TestCertificates.localhost()) + " }";

    assertBytesAgree(exporterTo("https://localhost:" + port.port(), tls), port);
  }

  /** Of attempts one by one, at once and of many packets, until the connections are closed. */
  private void assertBytesAgree(Exporter exporter, CountingPort port) {
    List<ExportRequest> requests = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      requests.add(Requests.of(Signal.TRACES, Codec.NONE, "one by one " + i, 1 + 100 * i));
      outcome(exporter.export(requests.getLast()));
    }
    List<CompletableFuture<Outcome>> attempts = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      requests.add(Requests.of(Signal.LOGS, Codec.NONE, "at once " + i, i == 7 ? 60_000 : 10));
      attempts.add(exporter.export(requests.getLast()));
    }
    attempts.forEach(attempt -> assertThat(outcome(attempt)).isEqualTo(new Outcome.Delivered()));
    for (ExportRequest request : requests) {
      assertThat(request.wireBytes().end()).isGreaterThanOrEqualTo(request.payload().length());
    }

    // What was said after the last answer (an acknowledgement of HTTP/2, say) is charged to one
    // more attempt.
    ExportRequest last = Requests.spans(1);
    await()
        .atMost(60, SECONDS)
        .until(() -> port.toSink.get() == exporters.sentBytes(exporter.id()));
    outcome(exporter.export(last));
    await()
        .atMost(60, SECONDS)
        .until(() -> port.fromSink.get() == exporters.receivedBytes(exporter.id()));
    exporter.close(Duration.ZERO);

    await()
        .atMost(60, SECONDS)
        .until(() -> port.toSink.get() == exporters.sentBytes(exporter.id()));
    requests.add(last);
    long attributed = requests.stream().mapToLong(request -> request.wireBytes().count()).sum();
    assertThat(attributed).isBetween(port.toSink.get() - 2_000, port.toSink.get());
  }

  @Test
  void export_sinkReadsNothing_onlyWhatTheSocketTookIsCounted() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      Exporter exporter = exporter(server.getLocalPort(), "timeout: 500ms");
      ExportRequest request = Requests.of(Signal.LOGS, Codec.NONE, "much", 1_000_000);

      assertRetry(outcome(exporter.export(request)), ErrorClass.TIMEOUT);

      assertThat(request.wireBytes().end())
          .isLessThan(request.payload().length())
          .isLessThanOrEqualTo(exporters.sentBytes(exporter.id()));
    }
  }

  // --- close

  @Test
  void close_inFlight_waitsForTheAnswer() throws Exception {
    Sink sink = sink();
    sink.hold();
    Exporter exporter = exporter(sink.port());
    CompletableFuture<Outcome> attempt = exporter.export(Requests.spans(1));
    await().atMost(60, SECONDS).until(() -> sink.received().size() == 1);

    Thread closing = Thread.ofVirtual().start(() -> exporter.close(Duration.ofMinutes(1)));
    await()
        .atMost(60, SECONDS)
        .until(() -> exporter.export(Requests.spans(1)).isDone()); // it takes no more
    sink.release();

    assertThat(outcome(attempt)).isEqualTo(new Outcome.Delivered());
    assertThat(closing.join(Duration.ofMinutes(1))).isTrue();
  }

  @Test
  void close_deadlineOver_abandonsWhatIsInFlight() {
    Sink sink = sink();
    sink.hold();
    Exporter exporter = exporter(sink.port());
    CompletableFuture<Outcome> attempt = exporter.export(Requests.spans(1));
    await().atMost(60, SECONDS).until(() -> sink.received().size() == 1);

    exporter.close(Duration.ofMillis(50));
    exporter.close(Duration.ofMillis(50));

    assertRetry(outcome(attempt), ErrorClass.LOCAL);
    assertRetry(export(exporter), ErrorClass.LOCAL);
    await().atMost(60, SECONDS).until(() -> sink.abandoned() == 1);
    sink.release();
  }
}
