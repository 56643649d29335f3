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
import org.junit.jupiter.params.provider.EnumSource;

/** What every exporter that dials promises, kept against a real server. */
@Timeout(180)
abstract class ExporterContract {
  static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");

  final FakePolicy policy = new FakePolicy();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final Exporters exporters = new Exporters(policy, InstantSource.fixed(NOW), "1.2.3");

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
    exporter.close(Duration.ZERO);

    await()
        .atMost(60, SECONDS)
        .until(() -> port.toSink.get() == exporters.sentBytes(exporter.id()));
    // What a sink says while the connection is being closed may not be read any more.
    assertThat(exporters.receivedBytes(exporter.id()))
        .isBetween(port.fromSink.get() * 99 / 100, port.fromSink.get());
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
