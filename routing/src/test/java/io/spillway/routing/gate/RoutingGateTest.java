package io.spillway.routing.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.Lane.AppendCallback;
import io.spillway.otlp.stage.Lane.Refusal;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Sender;
import io.spillway.routing.egress.OverQuota;
import io.spillway.routing.gate.FakeLane.Append;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RoutingGateTest {
  private static final String BY_TEAM =
      """
      routes:
        - { name: red, match: { resource: { team: red } }, exporters: [e] }
        - { name: blue, match: { resource: { team: "b*", env: [prod, stage] } }, exporters: [e] }
        - { name: copy, match: { resource: { copy: "true" } }, continue: true, exporters: [e] }
        - { name: default, exporters: [e] }
      """;

  private final Map<LaneId, FakeLane> lanes = new HashMap<>();
  private final List<Answer> answers = new CopyOnWriteArrayList<>();

  // conformance: W-07
  @Test
  void submit_allResourcesToOneLane_movesTheRequestWhole() {
    RoutingGate gate = gate(BY_TEAM);
    Slice request = request(resource(2, "team", "red"), resource(1, "team", "red"));

    gate.submit(Signal.TRACES, request, answers::add);

    assertThat(answers).containsExactly(new Answer.Accepted(3));
    assertThat(lane("red").appends)
        .singleElement()
        .satisfies(
            append -> {
              assertThat(append.request()).isSameAs(request);
              assertThat(append.items()).isEqualTo(3);
              assertThat(append.sampledOut()).isZero();
            });
    assertUntouched("blue", "copy", "default");
  }

  @Test
  void submit_gzipOfTheSender_goesAlongWithWholeRequestsOnly() {
    RoutingGate gate = gate(BY_TEAM);
    Slice gzip = Slice.of(new byte[] {0x1f, (byte) 0x8b});
    Slice copied = request(resource(1, "copy", "true"));
    Slice mixed = request(resource(2, "team", "red"), resource(1));

    gate.submit(Signal.TRACES, new RequestBytes(copied, gzip), Sender.UNKNOWN, answers::add);
    gate.submit(Signal.TRACES, new RequestBytes(mixed, gzip), Sender.UNKNOWN, answers::add);

    assertThat(lane("copy").appends).singleElement().extracting(Append::gzip).isSameAs(gzip);
    assertThat(lane("default").appends).extracting(Append::gzip).containsExactly(gzip, null);
    assertThat(lane("red").appends).singleElement().extracting(Append::gzip).isNull();
  }

  @Test
  void submit_gzipOfWhatIsSplitOrSampled_isLeftBehind() {
    Slice gzip = Slice.of(new byte[] {0x1f, (byte) 0x8b});
    RequestBytes large = new RequestBytes(request(resource(40)), gzip);
    RoutingGate whole = gate(BY_TEAM);
    lane("default").maxAppendBytes = large.length() / 2;
    whole.submit(Signal.TRACES, large, Sender.UNKNOWN, answers::add);
    assertThat(lane("default").appends)
        .hasSizeGreaterThan(1)
        .allSatisfy(append -> assertThat(append.gzip()).isNull());

    lanes.clear();
    RoutingGate half =
        gate("routes: [ { name: default, exporters: [e], sampling: { percentage: 50 } } ]");
    half.submit(
        Signal.TRACES,
        new RequestBytes(request(resource(200)), gzip),
        Sender.UNKNOWN,
        answers::add);
    assertThat(lane("default").appends)
        .singleElement()
        .satisfies(
            append -> {
              assertThat(append.sampledOut()).isPositive();
              assertThat(append.gzip()).isNull();
            });
  }

  // conformance: R-06, W-02, W-12
  @Test
  void submit_resourcesToSeveralLanes_slicesInOrderWithUnknownFields() {
    RoutingGate gate = gate(BY_TEAM);
    ResourceSpans red = resource(2, "team", "red");
    ResourceSpans blue = resource(1, "team", "blue", "env", "stage");
    ResourceSpans test = resource(4, "team", "blue", "env", "test");
    ResourceSpans none = resource(3);
    ResourceSpans empty = resource(0, "team", "red");
    UnknownFieldSet unknown =
        UnknownFieldSet.newBuilder()
            .addField(
                99,
                UnknownFieldSet.Field.newBuilder()
                    .addLengthDelimited(ByteString.copyFromUtf8("later"))
                    .build())
            .build();
    ExportTraceServiceRequest request =
        ExportTraceServiceRequest.newBuilder()
            .addAllResourceSpans(List.of(none, red, blue, empty, red, test))
            .setUnknownFields(unknown)
            .build();

    gate.submit(Signal.TRACES, Slice.of(request.toByteArray()), answers::add);

    assertThat(answers).containsExactly(new Answer.Accepted(12));
    assertThat(stored("red")).isEqualTo(with(unknown, red, red));
    assertThat(stored("blue")).isEqualTo(with(unknown, blue));
    assertThat(stored("default")).isEqualTo(with(unknown, none, test));
    assertThat(lane("red").appends.getFirst().items()).isEqualTo(4);
    assertThat(lane("default").appends.getFirst().items()).isEqualTo(7);
    assertUntouched("copy");
  }

  @Test
  void submit_continue_storesInBothLanes() {
    RoutingGate gate = gate(BY_TEAM);
    ResourceSpans copied = resource(2, "copy", "true");
    ResourceSpans plain = resource(1);
    Slice request = request(plain, copied);

    gate.submit(Signal.TRACES, request, answers::add);

    assertThat(answers).containsExactly(new Answer.Accepted(3));
    assertThat(stored("copy").getResourceSpansList()).containsExactly(copied);
    // Every resource goes to the default route, so it gets the request as it came.
    assertThat(lane("default").appends.getFirst().request()).isSameAs(request);
  }

  @Test
  void submit_requestWithinALargerArray_slicesTheRightBytes() {
    RoutingGate gate = gate(BY_TEAM);
    ResourceSpans red = resource(1, "team", "red");
    ResourceSpans none = resource(1);
    byte[] bytes = request(red, none).toByteArray();
    byte[] larger = new byte[bytes.length + 20];
    System.arraycopy(bytes, 0, larger, 7, bytes.length);

    gate.submit(Signal.TRACES, new Slice(larger, 7, bytes.length), answers::add);

    assertThat(stored("red").getResourceSpansList()).containsExactly(red);
    assertThat(stored("default").getResourceSpansList()).containsExactly(none);
  }

  // conformance: G-31, R-03
  @Test
  void submit_noItems_isAcceptedWithoutTouchingLanes() {
    RoutingGate gate = gate(BY_TEAM);
    lane("default").full = new Refusal(Duration.ofSeconds(1), "full");

    gate.submit(Signal.TRACES, Slice.EMPTY, answers::add);
    gate.submit(Signal.TRACES, request(resource(0), resource(0, "team", "red")), answers::add);

    assertThat(answers).containsExactly(new Answer.Accepted(0), new Answer.Accepted(0));
    assertUntouched("red", "blue", "copy", "default");
  }

  // conformance: G-41
  @Test
  void submit_malformed_isInvalidAndTheNextRequestIsFine() {
    RoutingGate gate = gate(BY_TEAM);

    gate.submit(Signal.TRACES, Slice.of(new byte[] {10, 5, 1}), answers::add);
    gate.submit(Signal.TRACES, request(resource(1)), answers::add);

    assertThat(answers)
        .containsExactly(
            new Answer.Invalid(
                "traces request, byte 0: field 1 of ExportTraceServiceRequest takes 5 bytes"
                    + " (expected at most 1)"),
            new Answer.Accepted(1));
  }

  @Test
  void submit_oneLaneSaysItIsFull_storesNothingAnywhere() {
    RoutingGate gate = gate(BY_TEAM);
    lane("red").full = new Refusal(Duration.ofSeconds(3), "disk");
    lane("default").full = new Refusal(Duration.ofSeconds(7), "later");

    gate.submit(
        Signal.TRACES,
        request(resource(1, "copy", "true"), resource(1, "team", "red"), resource(1)),
        answers::add);

    assertThat(answers).containsExactly(new Answer.Unavailable(3, Duration.ofSeconds(7), "disk"));
    assertUntouched("red", "copy", "default");
  }

  // conformance: G-40
  @Test
  void submit_appendRefused_isUnavailableAfterAllAppendsEnded() {
    RoutingGate gate = gate(BY_TEAM);
    lane("red").mode = FakeLane.Mode.HOLD;
    lane("default").mode = FakeLane.Mode.HOLD;
    gate.submit(Signal.TRACES, request(resource(1, "team", "red"), resource(2)), answers::add);

    callback("default").refused(new Refusal(Duration.ofSeconds(4), "raced"));
    assertThat(answers).isEmpty();
    callback("red").refused(new Refusal(Duration.ofSeconds(9), "disk"));

    assertThat(answers).containsExactly(new Answer.Unavailable(3, Duration.ofSeconds(9), "raced"));
  }

  @Test
  void submit_firstAppendRefusedAtOnce_appendsNoMore() {
    RoutingGate gate = gate(BY_TEAM);
    lane("red").mode = FakeLane.Mode.REFUSE;

    gate.submit(Signal.TRACES, request(resource(1, "team", "red"), resource(2)), answers::add);

    assertThat(answers).containsExactly(new Answer.Unavailable(3, Duration.ofSeconds(1), "full"));
    assertUntouched("default");
  }

  @Test
  void submit_lanesEndOnOtherThreads_answersOnceAfterTheLast() {
    RoutingGate gate = gate(BY_TEAM);
    lane("red").mode = FakeLane.Mode.HOLD;
    lane("default").mode = FakeLane.Mode.HOLD;
    gate.submit(Signal.TRACES, request(resource(1, "team", "red"), resource(2)), answers::add);

    assertThat(answers).isEmpty();
    Stream.of("red", "default")
        .forEach(name -> Thread.ofPlatform().start(() -> callback(name).appended()));

    await().untilAsserted(() -> assertThat(answers).containsExactly(new Answer.Accepted(3)));
    callback("red").appended();
    assertThat(answers).hasSize(1);
  }

  // conformance: G-43
  @Test
  void submit_laneThrows_isUnavailable() {
    RoutingGate gate = gate(BY_TEAM);
    lane("default").mode = FakeLane.Mode.THROW;

    gate.submit(Signal.TRACES, request(resource(1)), answers::add);

    assertThat(answers)
        .containsExactly(
            new Answer.Unavailable(
                1, Duration.ofSeconds(5), "internal error; see the log of Spillway"));
  }

  @Test
  void submit_laneStoresAndThrows_answersOnce() {
    RoutingGate gate = gate(BY_TEAM);
    lane("default").mode = FakeLane.Mode.STORE_AND_THROW;

    gate.submit(Signal.TRACES, request(resource(1)), answers::add);

    assertThat(answers).containsExactly(new Answer.Accepted(1));
  }

  @Test
  void submit_answerThrows_isNotTheLanesProblem() {
    RoutingGate gate = gate(BY_TEAM);

    gate.submit(
        Signal.TRACES,
        request(resource(1)),
        answer -> {
          answers.add(answer);
          throw new IllegalStateException("thrown on purpose");
        });

    assertThat(answers).containsExactly(new Answer.Accepted(1));
  }

  @Test
  void submit_largerThanAnAppend_splitsAtItems() throws Exception {
    RoutingGate gate = gate(BY_TEAM);
    lane("default").maxAppendBytes = 200;
    ResourceSpans large = resource(40);

    gate.submit(Signal.TRACES, request(large), answers::add);

    assertThat(answers).containsExactly(new Answer.Accepted(40));
    List<FakeLane.Append> appends = lane("default").appends;
    assertThat(appends).hasSizeGreaterThan(1);
    assertThat(appends.stream().mapToInt(FakeLane.Append::items).sum()).isEqualTo(40);
    List<Span> spans = new ArrayList<>();
    for (FakeLane.Append append : appends) {
      spans.addAll(spans(parse(append.request())));
    }
    assertThat(spans).isEqualTo(large.getScopeSpans(0).getSpansList());
  }

  @Test
  void submit_splitAndHeld_answersAfterTheLastPart() {
    RoutingGate gate = gate(BY_TEAM);
    lane("default").maxAppendBytes = 200;
    lane("default").mode = FakeLane.Mode.HOLD;

    gate.submit(Signal.TRACES, request(resource(40)), answers::add);
    List<FakeLane.Append> appends = lane("default").appends;
    appends.subList(1, appends.size()).forEach(append -> append.callback().appended());
    assertThat(answers).isEmpty();
    appends.getFirst().callback().appended();

    assertThat(answers).containsExactly(new Answer.Accepted(40));
  }

  // conformance: W-13
  @Test
  void submit_singleItemTooLarge_saysSizeAndLimitAndStoresNothing() {
    RoutingGate gate = gate(BY_TEAM);
    lane("default").maxAppendBytes = 100;
    Span span = Span.newBuilder().setName("x".repeat(500)).build();
    ResourceSpans large =
        ResourceSpans.newBuilder().addScopeSpans(ScopeSpans.newBuilder().addSpans(span)).build();

    gate.submit(Signal.TRACES, request(resource(1, "team", "red"), large), answers::add);

    assertThat(answers)
        .singleElement()
        .isInstanceOfSatisfying(
            Answer.TooLarge.class,
            answer -> {
              assertThat(answer.items()).isEqualTo(2);
              assertThat(answer.reason()).contains("100").containsPattern("5[0-9]{2}");
            });
    assertUntouched("red", "default");
  }

  @Test
  void submit_sampling_countsWhatIsLeftOutAndKeepsErrors() throws Exception {
    RoutingGate gate =
        gate(
            """
            routes:
              - name: default
                sampling: { percentage: 25, keep: [ errors ] }
                exporters: [e]
            """);
    ResourceSpans.Builder resource = resource(2000).toBuilder();
    Span error =
        span(7777).toBuilder()
            .setStatus(Status.newBuilder().setCode(Status.StatusCode.STATUS_CODE_ERROR))
            .build();
    resource.getScopeSpansBuilder(0).addSpans(error);

    gate.submit(Signal.TRACES, request(resource.build()), answers::add);

    assertThat(answers).containsExactly(new Answer.Accepted(2001));
    FakeLane.Append append = lane("default").appends.getFirst();
    List<Span> kept = spans(parse(append.request()));
    assertThat(kept).hasSize(append.items());
    assertThat(append.items() + append.sampledOut()).isEqualTo(2001);
    assertThat(append.items()).isBetween(350, 650);
    assertThat(kept.stream().map(Span::getName)).contains(error.getName());
  }

  @Test
  void submit_quotaSamples_tracesAreSampledAndLogsGoOn() throws Exception {
    List<RouteSettings> routes =
        TestRoutes.read(
            """
            routes:
              - { name: default, sampling: { percentage: 50, keep: [ errors ] }, exporters: [e] }
            """);
    OverQuota[] verdict = {null};
    RoutingGate gate =
        new RoutingGate(
            routes, id -> lanes.computeIfAbsent(id, FakeLane::new), (lane, _) -> verdict[0]);

    gate.submit(Signal.TRACES, request(resource(2000)), answers::add);
    verdict[0] = new OverQuota.Sample(10);
    gate.submit(Signal.TRACES, request(resource(2000)), answers::add);
    verdict[0] = new OverQuota.Sample(80);
    gate.submit(Signal.TRACES, request(resource(2000)), answers::add);

    assertThat(answers).containsOnly(new Answer.Accepted(2000)).hasSize(3);
    List<FakeLane.Append> appends = lane("default").appends;
    assertThat(appends.get(0).items()).isBetween(850, 1150);
    assertThat(appends.get(1).items()).isBetween(100, 300);
    assertThat(appends.get(1).sampledOut()).isEqualTo(2000 - appends.get(1).items());
    assertThat(appends.get(2).items()).as("the route's own is stricter").isBetween(850, 1150);
  }

  @Test
  void submit_quotaRefuses_storesNothingAndSaysWhen() {
    List<RouteSettings> routes = TestRoutes.read("routes: [ { name: default, exporters: [e] } ]");
    OverQuota refuse = new OverQuota.Refuse(Duration.ofSeconds(60), "resource exhausted");
    RoutingGate gate =
        new RoutingGate(
            routes, id -> lanes.computeIfAbsent(id, FakeLane::new), (lane, _) -> refuse);

    gate.submit(Signal.TRACES, request(resource(3)), answers::add);

    assertThat(answers)
        .containsExactly(new Answer.Unavailable(3, Duration.ofSeconds(60), "resource exhausted"));
    assertUntouched("default");
  }

  @Test
  void submit_everythingSampledOut_appendsTheCountAlone() {
    RoutingGate gate =
        gate(
            """
            routes:
              - { name: default, sampling: { percentage: 0.000001 }, exporters: [e] }
            """);

    gate.submit(Signal.TRACES, request(resource(3)), answers::add);

    assertThat(answers).containsExactly(new Answer.Accepted(3));
    assertThat(lane("default").appends)
        .singleElement()
        .satisfies(
            append -> {
              assertThat(append.request().isEmpty()).isTrue();
              assertThat(append.items()).isZero();
              assertThat(append.sampledOut()).isEqualTo(3);
            });
  }

  @Test
  void submit_randomResourcesAndRoutes_everyItemGoesWhereTheModelSays() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    RoutingGate gate = gate(BY_TEAM);
    for (int round = 0; round < 200; round++) {
      lanes.values().forEach(lane -> lane.appends.clear());
      answers.clear();
      Map<String, List<Span>> expected = new HashMap<>();
      List<ResourceSpans> resources = new ArrayList<>();
      int items = 0;
      for (int i = random.nextInt(6); i >= 0; i--) {
        String team = List.of("red", "blue", "black", "green").get(random.nextInt(4));
        String env = List.of("prod", "stage", "test").get(random.nextInt(3));
        boolean copy = random.nextInt(3) == 0;
        ResourceSpans resource =
            resource(random.nextInt(4), "team", team, "env", env, "copy", String.valueOf(copy));
        resources.add(resource);
        items += resource.getScopeSpans(0).getSpansCount();
        for (String route : routesOf(team, env, copy)) {
          expected
              .computeIfAbsent(route, name -> new ArrayList<>())
              .addAll(resource.getScopeSpans(0).getSpansList());
        }
      }

      gate.submit(Signal.TRACES, request(resources.toArray(ResourceSpans[]::new)), answers::add);

      assertThat(answers).as("seed " + seed).containsExactly(new Answer.Accepted(items));
      for (String route : List.of("red", "blue", "copy", "default")) {
        List<Span> stored = new ArrayList<>();
        for (FakeLane.Append append : lane(route).appends) {
          stored.addAll(spans(parse(append.request())));
        }
        assertThat(stored)
            .as("seed " + seed + " route " + route)
            .isEqualTo(expected.getOrDefault(route, List.of()));
      }
    }
  }

  @Test
  void submit_manyThreads_keepsRequestsApart() throws Exception {
    RoutingGate gate = gate(BY_TEAM);
    List<Thread> threads =
        IntStream.range(1, 5)
            .mapToObj(
                spans ->
                    Thread.ofPlatform()
                        .start(
                            () -> {
                              for (int i = 0; i < 200; i++) {
                                gate.submit(
                                    Signal.TRACES,
                                    request(resource(spans, "team", "red"), resource(spans)),
                                    answers::add);
                              }
                            }))
            .toList();
    for (Thread thread : threads) {
      thread.join();
    }

    assertThat(answers).hasSize(800);
    assertThat(answers.stream().mapToInt(Answer::items).sum()).isEqualTo(200 * 2 * (1 + 2 + 3 + 4));
    assertThat(lane("red").appends.stream().mapToInt(FakeLane.Append::items).sum())
        .isEqualTo(200 * (1 + 2 + 3 + 4));
    for (FakeLane.Append append : lane("red").appends) {
      assertThat(spans(parse(append.request()))).hasSize(append.items());
    }
  }

  @Test
  void constructor_noCatchAllOrNoLane_fails() {
    List<RouteSettings> routes = TestRoutes.read("routes: [ { name: a, exporters: [e] } ]");
    List<RouteSettings> narrow =
        routes.stream()
            .map(
                route ->
                    new RouteSettings(
                        route.name(),
                        new RouteMatch(Set.of(Signal.TRACES), Map.of()),
                        false,
                        null,
                        route.targets(),
                        route.failover(),
                        route.drain(),
                        null))
            .toList();

    assertThatThrownBy(() -> new RoutingGate(narrow, FakeLane::new))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("routes: no route takes all metrics");
    assertThatThrownBy(() -> new RoutingGate(routes, id -> null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("lane a/traces is not open");
  }

  private static List<String> routesOf(String team, String env, boolean copy) {
    if (team.equals("red")) {
      return List.of("red");
    }
    if (team.startsWith("b") && !env.equals("test")) {
      return List.of("blue");
    }
    return copy ? List.of("copy", "default") : List.of("default");
  }

  private RoutingGate gate(String yaml) {
    return new RoutingGate(TestRoutes.read(yaml), id -> lanes.computeIfAbsent(id, FakeLane::new));
  }

  private FakeLane lane(String route) {
    return lanes.get(new LaneId(route, Signal.TRACES));
  }

  private AppendCallback callback(String route) {
    return lane(route).appends.getFirst().callback();
  }

  private void assertUntouched(String... routes) {
    for (String route : routes) {
      assertThat(lane(route).appends).as(route).isEmpty();
    }
  }

  private ExportTraceServiceRequest stored(String route) {
    assertThat(lane(route).appends).hasSize(1);
    return parse(lane(route).appends.getFirst().request());
  }

  private static ExportTraceServiceRequest parse(Slice request) {
    try {
      return ExportTraceServiceRequest.parseFrom(request.toByteArray());
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  private static List<Span> spans(ExportTraceServiceRequest request) {
    return request.getResourceSpansList().stream()
        .flatMap(resource -> resource.getScopeSpansList().stream())
        .flatMap(scope -> scope.getSpansList().stream())
        .toList();
  }

  private static ExportTraceServiceRequest with(UnknownFieldSet unknown, ResourceSpans... spans) {
    return ExportTraceServiceRequest.newBuilder()
        .addAllResourceSpans(List.of(spans))
        .setUnknownFields(unknown)
        .build();
  }

  private static Slice request(ResourceSpans... resources) {
    return Slice.of(with(UnknownFieldSet.getDefaultInstance(), resources).toByteArray());
  }

  private static ResourceSpans resource(int spans, String... attributes) {
    Resource.Builder resource = Resource.newBuilder();
    for (int i = 0; i < attributes.length; i += 2) {
      resource.addAttributes(
          KeyValue.newBuilder()
              .setKey(attributes[i])
              .setValue(AnyValue.newBuilder().setStringValue(attributes[i + 1])));
    }
    ScopeSpans.Builder scope = ScopeSpans.newBuilder();
    IntStream.range(0, spans).forEach(i -> scope.addSpans(span(i)));
    return ResourceSpans.newBuilder().setResource(resource).addScopeSpans(scope).build();
  }

  private static Span span(int number) {
    byte[] traceId = new byte[16];
    new Random(number).nextBytes(traceId);
    return Span.newBuilder()
        .setTraceId(ByteString.copyFrom(traceId))
        .setSpanId(ByteString.copyFrom("%08d".formatted(number), StandardCharsets.US_ASCII))
        .setName("span-" + number)
        .build();
  }
}
