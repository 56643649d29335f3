package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.spillway.tests.harness.CapturedRequest;
import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Keep;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.GrpcWire;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Ledger;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Wire;
import io.spillway.tests.harness.Yaml;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One sender's bad spans cost nobody else anything, and the sender is told. */
@Timeout(300)
class InvalidItemsIT {
  private static final ByteString ID = ByteString.copyFromUtf8("0123456789abcdef");

  @RegisterExtension final Lab lab = new Lab();

  // conformance: G-32, G-33, G-36, G-37, W-14, W-45
  @Test
  void badIds_overGrpc_arePartialSuccessAndTheRestArrives() throws Exception {
    CapturingSink sink = lab.sink(Protocol.HTTP, Keep.REQUESTS);
    RelayProcess relay = lab.relay(Yaml.toOneSink(Yaml.anywhere(lab.directory()), sink));
    Span good = span("good", 16, 8);

    try (Wire wire = new GrpcWire(relay::grpc, Encoding.GZIP)) {
      Wire.Reply reply = wire.send(Kind.TRACES, request(good, span("a", 5, 8), span("b", 16, 4)));
      assertPartial(ExportTraceServiceResponse.parseFrom(reply.response()));

      Wire.Reply none = wire.send(Kind.TRACES, request(span("a", 5, 8)));
      assertThat(none.acknowledged()).isFalse();
      assertThat(none.retryable()).isFalse();
      assertThat(none.status())
          .startsWith("INVALID_ARGUMENT: 1 of 1 span rejected")
          .contains("Nothing was stored");
    }

    assertArrivesAlone(relay, sink, good);
    Ledger ledger = relay.ledger();
    assertThat(ledger.accepted()).containsEntry("traces", 1L);
    assertThat(ledger.invalid()).containsEntry("traces", 3L);
    assertThat(ledger.balanced()).isTrue();
    assertThat(
            relay.metric(
                "spillway_receiver_invalid_items_total", "reason=\"trace_id\"", "rejected"))
        .containsExactly(2.0);
    assertThat(
            relay.metric("spillway_receiver_invalid_items_total", "reason=\"span_id\"", "rejected"))
        .containsExactly(1.0);
    assertThat(relay.metric("spillway_receiver_items_total", "outcome=\"accepted\""))
        .containsExactly(1.0);
    assertThat(relay.metric("spillway_receiver_items_total", "outcome=\"invalid\""))
        .containsExactly(3.0);
  }

  // conformance: G-32, G-36, W-14, W-45, H-14
  @Test
  void badIds_overHttp_arePartialSuccessAndTheRestArrives() throws Exception {
    CapturingSink sink = lab.sink(Protocol.GRPC, Keep.REQUESTS);
    RelayProcess relay = lab.relay(Yaml.toOneSink(Yaml.anywhere(lab.directory()), sink));
    Span good = span("good", 16, 8);

    HttpResponse<byte[]> response = post(relay, request(good, span("a", 5, 8), span("b", 16, 4)));
    assertThat(response.statusCode()).isEqualTo(200);
    assertPartial(ExportTraceServiceResponse.parseFrom(response.body()));
    assertThat(post(relay, request(span("a", 5, 8))).statusCode()).isEqualTo(400);

    assertArrivesAlone(relay, sink, good);
  }

  // conformance: W-45
  @Test
  void badIds_withPass_areRelayedAndCounted() throws Exception {
    CapturingSink sink = lab.sink(Protocol.HTTP, Keep.REQUESTS);
    RelayProcess relay =
        lab.relay(
            Yaml.toOneSink(
                Yaml.anywhere(lab.directory())
                    .replace("  otlp:\n", "  otlp:\n    invalid_items: pass\n"),
                sink));
    byte[] request = request(span("good", 16, 8), span("a", 5, 8));

    assertThat(post(relay, request).body()).isEmpty();

    await().until(() -> !sink.requests().isEmpty());
    assertThat(sink.requests())
        .extracting(CapturedRequest::body)
        .containsExactly(ByteString.copyFrom(request));
    assertThat(
            relay.metric("spillway_receiver_invalid_items_total", "reason=\"trace_id\"", "passed"))
        .containsExactly(1.0);
  }

  private static void assertPartial(ExportTraceServiceResponse response) {
    assertThat(response.getPartialSuccess().getRejectedSpans()).isEqualTo(2);
    assertThat(response.getPartialSuccess().getErrorMessage())
        .startsWith("2 of 3 spans rejected, the first for this: byte ")
        .endsWith(
            ": field 1 of Span, a trace id, takes 5 bytes (expected 16, or none). The rest is"
                + " stored; do not send it again. Send trace ids of 16 bytes.");
  }

  private static void assertArrivesAlone(RelayProcess relay, CapturingSink sink, Span good) {
    await().until(() -> !sink.requests().isEmpty() && relay.ledger().buffered() == 0);
    assertThat(sink.requests())
        .extracting(CapturedRequest::body)
        .containsExactly(ByteString.copyFrom(request(good)));
  }

  private static HttpResponse<byte[]> post(RelayProcess relay, byte[] body) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create("http://" + relay.http() + Kind.TRACES.httpPath()))
              .header("Content-Type", "application/x-protobuf")
              .POST(HttpRequest.BodyPublishers.ofByteArray(body))
              .build(),
          HttpResponse.BodyHandlers.ofByteArray());
    }
  }

  private static byte[] request(Span... spans) {
    return ExportTraceServiceRequest.newBuilder()
        .addResourceSpans(
            ResourceSpans.newBuilder()
                .addScopeSpans(ScopeSpans.newBuilder().addAllSpans(List.of(spans))))
        .build()
        .toByteArray();
  }

  private static Span span(String name, int traceIdBytes, int spanIdBytes) {
    return Span.newBuilder()
        .setName(name)
        .setTraceId(ID.substring(0, traceIdBytes))
        .setSpanId(ID.substring(0, spanIdBytes))
        .build();
  }
}
