package io.spillway.routing.gate;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.profiles.v1development.Profile;
import io.opentelemetry.proto.profiles.v1development.ProfilesDictionary;
import io.opentelemetry.proto.profiles.v1development.ResourceProfiles;
import io.opentelemetry.proto.profiles.v1development.ScopeProfiles;
import io.opentelemetry.proto.resource.v1.Resource;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.LaneId;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Profiles through the gate: whole, and with lanes that are opened when the first ones come. */
@Timeout(60)
class ProfilesGateTest {
  private static final String TEAMS =
      """
      routes:
        - { name: red, match: { resource: { team: red } }, exporters: [e] }
        - { name: default, exporters: [e] }
      """;

  private final Map<LaneId, FakeLane> lanes = new ConcurrentHashMap<>();
  private final BlockingQueue<Answer> answers = new LinkedBlockingQueue<>();

  @Test
  void submit_firstProfiles_opensTheirLanesOffTheCallersThread() throws Exception {
    Thread caller = Thread.currentThread();
    RoutingGate gate =
        new RoutingGate(
            TestRoutes.read(TEAMS),
            id -> {
              if (id.signal() == Signal.PROFILES) {
                assertThat(Thread.currentThread()).isNotSameAs(caller);
              }
              return lanes.computeIfAbsent(id, FakeLane::new);
            });
    assertThat(lanes).doesNotContainKey(new LaneId("default", Signal.PROFILES)).hasSize(6);

    Slice request = request(resource("red", 2), resource("red", 1));

    assertThat(answer(gate, request)).isEqualTo(new Answer.Accepted(3));
    assertThat(lane("red").appends)
        .singleElement()
        .satisfies(append -> assertThat(append.request()).isSameAs(request));
    assertThat(answer(gate, request)).isEqualTo(new Answer.Accepted(3));
    assertThat(lane("red").appends).hasSize(2);
    assertThat(lane("default").appends).isEmpty();
  }

  // conformance: W-03, W-12
  @Test
  void submit_resourcesOfSeveralRoutes_eachPartHasTheWholeDictionary() throws Exception {
    RoutingGate gate = gate(TEAMS);
    ResourceProfiles red = resource("red", 2);
    ResourceProfiles blue = resource("blue", 1);

    assertThat(answer(gate, request(blue, red))).isEqualTo(new Answer.Accepted(3));

    assertThat(stored("red")).isEqualTo(parse(request(red)));
    assertThat(stored("default")).isEqualTo(parse(request(blue)));
    assertThat(stored("red").getDictionary().getStringTable(1)).isEqualTo("cpu");
  }

  // conformance: G-03
  @Test
  void submit_noRouteForProfiles_isNotServed() throws Exception {
    RoutingGate gate =
        gate(
            """
            routes:
              - { name: red, match: { resource: { team: red } }, exporters: [e] }
              - { name: default, match: { signals: [traces, metrics, logs] }, exporters: [e] }
            """);

    assertThat(answer(gate, request(resource("red", 1), resource("blue", 1))))
        .isEqualTo(
            new Answer.NotServed(
                2,
                "no route takes all profiles of this request. Nothing of it was stored; send them"
                    + " elsewhere, or configure a route without match.resource, headers or tenant"
                    + " for them."));
    assertThat(lane("red").appends).isEmpty();
    assertThat(answer(gate, request(resource("red", 1)))).isEqualTo(new Answer.Accepted(1));
  }

  @Test
  void submit_largerThanALaneTakes_isTooLargeAndNotCut() throws Exception {
    RoutingGate gate = gate(TEAMS);
    assertThat(answer(gate, request(resource("red", 1)))).isEqualTo(new Answer.Accepted(1));
    lane("red").maxAppendBytes = 40;

    assertThat(answer(gate, request(resource("red", 9)))).isInstanceOf(Answer.TooLarge.class);
    assertThat(lane("red").appends).hasSize(1);
  }

  private Answer answer(RoutingGate gate, Slice request) throws InterruptedException {
    gate.submit(Signal.PROFILES, request, answers::add);
    return answers.poll(30, TimeUnit.SECONDS);
  }

  private RoutingGate gate(String yaml) {
    return new RoutingGate(TestRoutes.read(yaml), id -> lanes.computeIfAbsent(id, FakeLane::new));
  }

  private FakeLane lane(String route) {
    return lanes.get(new LaneId(route, Signal.PROFILES));
  }

  private ExportProfilesServiceRequest stored(String route) throws Exception {
    assertThat(lane(route).appends).hasSize(1);
    return parse(lane(route).appends.getFirst().request());
  }

  private static ExportProfilesServiceRequest parse(Slice request) throws Exception {
    return ExportProfilesServiceRequest.parseFrom(request.toByteArray());
  }

  private static Slice request(ResourceProfiles... resources) {
    return Slice.of(
        ExportProfilesServiceRequest.newBuilder()
            .addAllResourceProfiles(List.of(resources))
            .setDictionary(ProfilesDictionary.newBuilder().addStringTable("").addStringTable("cpu"))
            .build()
            .toByteArray());
  }

  private static ResourceProfiles resource(String team, int profiles) {
    ScopeProfiles.Builder scope = ScopeProfiles.newBuilder();
    for (int i = 0; i < profiles; i++) {
      scope.addProfiles(Profile.newBuilder().setTimeUnixNano(i + 1));
    }
    return ResourceProfiles.newBuilder()
        .setResource(
            Resource.newBuilder()
                .addAttributes(
                    KeyValue.newBuilder()
                        .setKey("team")
                        .setValue(AnyValue.newBuilder().setStringValue(team))))
        .addScopeProfiles(scope)
        .build();
  }
}
