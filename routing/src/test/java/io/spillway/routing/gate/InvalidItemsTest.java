package io.spillway.routing.gate;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.InvalidItems;
import io.spillway.otlp.stage.Lane.Refusal;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Sender;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the gate does with spans that strict sinks refuse the whole request for. */
class InvalidItemsTest {
  private static final Span GOOD = Span.newBuilder().setName("good").build();
  private static final Span BAD =
      Span.newBuilder().setSpanId(ByteString.copyFromUtf8("short")).build();

  private final Map<LaneId, FakeLane> lanes = new HashMap<>();
  private final List<Answer> answers = new ArrayList<>();
  private final List<String> heard = new ArrayList<>();

  // conformance: G-32, G-33, W-14, W-45
  @Test
  void submit_someInvalid_storesTheRestAndSaysHowManyAndWhy() {
    RoutingGate gate = gate(InvalidItems.PARTIAL_SUCCESS);

    gate.submit(Signal.TRACES, request(BAD, GOOD, BAD), answers::add);

    assertThat(lane().appends)
        .singleElement()
        .satisfies(
            append -> {
              assertThat(append.request().toByteArray()).isEqualTo(request(GOOD).toByteArray());
              assertThat(append.items()).isEqualTo(1);
            });
    assertThat(answers)
        .containsExactly(
            new Answer.Accepted(
                3,
                2,
                "2 of 3 spans rejected, the first for this: byte 6: field 2 of Span, a span id,"
                    + " takes 5 bytes (expected 8, or none). The rest is stored; do not send it"
                    + " again. Send span ids of 8 bytes."));
    assertThat(heard).containsExactly("TRACES SPAN_ID 2 true");
  }

  @Test
  void submit_someInvalidAndGzip_leavesTheGzipBehindWithThem() {
    Slice gzip = Slice.of(new byte[] {0x1f, (byte) 0x8b});
    RequestBytes request = new RequestBytes(request(BAD, GOOD), gzip);

    gate(InvalidItems.PARTIAL_SUCCESS).submit(Signal.TRACES, request, Sender.UNKNOWN, answers::add);
    gate(InvalidItems.PASS).submit(Signal.TRACES, request, Sender.UNKNOWN, answers::add);

    assertThat(lane().appends).extracting(FakeLane.Append::gzip).containsExactly(null, gzip);
  }

  // conformance: G-36, G-41
  @Test
  void submit_allInvalid_isInvalidAndStoresNothing() {
    RoutingGate gate = gate(InvalidItems.PARTIAL_SUCCESS);

    gate.submit(Signal.TRACES, request(BAD), answers::add);

    assertThat(lane().appends).isEmpty();
    assertThat(answers)
        .containsExactly(
            new Answer.Invalid(
                1,
                "1 of 1 span rejected, the first for this: byte 6: field 2 of Span, a span id,"
                    + " takes 5 bytes (expected 8, or none). Nothing was stored. Send span ids of 8"
                    + " bytes."));
    assertThat(heard).containsExactly("TRACES SPAN_ID 1 true");
  }

  // conformance: W-45, R-06
  @Test
  void submit_pass_storesTheRequestAsItIs() {
    RoutingGate gate = gate(InvalidItems.PASS);
    Slice request = request(BAD, GOOD);

    gate.submit(Signal.TRACES, request, answers::add);

    assertThat(lane().appends.getFirst().request()).isSameAs(request);
    assertThat(answers).containsExactly(new Answer.Accepted(2));
    assertThat(heard).containsExactly("TRACES SPAN_ID 1 false");
  }

  /** A sender may not send again what was rejected, and must what was refused. */
  // conformance: G-37
  @Test
  void submit_laneFull_isUnavailableAndNothingIsRejected() {
    RoutingGate gate = gate(InvalidItems.PARTIAL_SUCCESS);
    lane().full = new Refusal(Duration.ofSeconds(3), "full");

    gate.submit(Signal.TRACES, request(BAD, GOOD), answers::add);

    assertThat(answers).containsExactly(new Answer.Unavailable(2, Duration.ofSeconds(3), "full"));
    assertThat(heard).isEmpty();
  }

  // conformance: W-44
  @Test
  void submit_textThatIsNotUtf8_rejectsItsSpanOrPassesIt() {
    byte[] bytes = request(GOOD, Span.newBuilder().setName("\u0001bad").build()).toByteArray();
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = bytes[i] == 1 ? (byte) 0xff : bytes[i];
    }
    Slice request = Slice.of(bytes);

    gate(InvalidItems.PARTIAL_SUCCESS).submit(Signal.TRACES, request, answers::add);
    gate(InvalidItems.PASS).submit(Signal.TRACES, request, answers::add);

    assertThat(answers.getFirst())
        .isInstanceOfSatisfying(
            Answer.Accepted.class,
            answer ->
                assertThat(answer.message())
                    .contains("field 5 of Span is not valid UTF-8")
                    .endsWith("Encode text as UTF-8."));
    assertThat(answers.getLast()).isEqualTo(new Answer.Accepted(2));
    assertThat(lane().appends.getFirst().request().toByteArray())
        .isEqualTo(request(GOOD).toByteArray());
    assertThat(lane().appends.getLast().request()).isSameAs(request);
  }

  @Test
  void submit_nothingInvalid_isNotCopied() {
    RoutingGate gate = gate(InvalidItems.PARTIAL_SUCCESS);
    Slice request = request(GOOD, GOOD);

    gate.submit(Signal.TRACES, request, answers::add);

    assertThat(lane().appends.getFirst().request()).isSameAs(request);
    assertThat(heard).isEmpty();
  }

  private RoutingGate gate(InvalidItems handling) {
    Configuration configuration =
        ConfigurationLoader.parse(
            "test.yaml", "routes: [ { name: default, exporters: [e] } ]", Map.of());
    List<RouteSettings> routes =
        RouteConfig.readAll(configuration.root(), Map.of("e", new ExporterPlace(null, false)));
    return new RoutingGate(
        routes,
        id -> lanes.computeIfAbsent(id, FakeLane::new),
        IntakeLimit.NONE,
        new ItemRule(
            handling,
            (signal, flaw, items, rejected) ->
                heard.add(signal + " " + flaw + " " + items + " " + rejected)));
  }

  private FakeLane lane() {
    return lanes.get(new LaneId("default", Signal.TRACES));
  }

  private static Slice request(Span... spans) {
    return Slice.of(
        ExportTraceServiceRequest.newBuilder()
            .addResourceSpans(
                ResourceSpans.newBuilder()
                    .addScopeSpans(ScopeSpans.newBuilder().addAllSpans(List.of(spans))))
            .build()
            .toByteArray());
  }
}
