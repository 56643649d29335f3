package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.Fault;
import io.spillway.tests.harness.HttpWire;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Ledger;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Yaml;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/** A route that is deleted while its lane holds data drains as it would have, and says so. */
@Tag("long")
@Timeout(300)
class RetiredRouteIT {
  private static final String DEFAULT = "  - { name: default, exporters: [debug] }\n";

  @RegisterExtension final Lab lab = new Lab();

  private final CapturingSink first = lab.own(new CapturingSink(Protocol.HTTP, keep()));
  private final CapturingSink second = lab.own(new CapturingSink(Protocol.HTTP, keep()));
  private final CapturingSink last = lab.own(new CapturingSink(Protocol.GRPC, keep()));

  private static CapturingSink.Keep keep() {
    return CapturingSink.Keep.ITEM_IDS;
  }

  private String head() {
    return Yaml.anywhere(lab.directory())
        + "exporters:\n  debug: {}\n"
        + Yaml.exporter("last", last, "gzip");
  }

  private String balanced() {
    return Yaml.exporter("first", first, "gzip") + Yaml.exporter("second", second, "gzip");
  }

  private static String route(String exporters) {
    return """
      - name: gone
        match: { resource: { case: gone } }
        exporters: [%s]
        failover: { after: 10s, failback_after: 1s }
    """
        .formatted(exporters);
  }

  private static void send(RelayProcess relay, long id) {
    try (HttpWire wire = new HttpWire(relay::http, Encoding.GZIP)) {
      byte[] request = Items.request(Kind.TRACES, id, 1, Map.of("case", "gone"));
      assertThat(wire.send(Kind.TRACES, request).acknowledged()).isTrue();
    }
  }

  /** The lane of the route, which is shown while it holds something. */
  private static JsonNode lane(RelayProcess relay) {
    for (JsonNode lane : relay.status().path("lanes")) {
      if (lane.path("route").asString().equals("gone")
          && lane.path("signal").asString().equals(Kind.TRACES.label())) {
        return lane;
      }
    }
    throw new AssertionError("the lane is not shown");
  }

  private static void awaitDrained(RelayProcess relay, String exporter) {
    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    Ledger.Line line = relay.ledger().lane("gone", Kind.TRACES);
    assertThat(line.delivered()).containsEntry(exporter, 1L);
    assertThat(relay.ledger().balanced()).isTrue();
  }

  @Test
  void restart_routeIsGone_laneKeepsItsLevelsAndDrainsInTheirOrder() {
    first.fail(Fault.unauthorized());
    second.fail(Fault.unauthorized());
    last.fail(new Fault.Refused());
    String levels =
        "{ balance: [%s, %s] }, %s"
            .formatted(Yaml.id("first", first), Yaml.id("second", second), Yaml.id("last", last));
    RelayProcess relay = lab.relay(head() + balanced() + "routes:\n" + route(levels) + DEFAULT);
    send(relay, 1);
    relay.kill();

    relay.configure(head() + balanced() + "routes:\n" + DEFAULT);
    relay.start();

    assertThat(lane(relay).path("retired").asBoolean()).isTrue();
    assertThat(lane(relay).path("problem").isNull()).isTrue();
    assertThat(lane(relay).path("exporters").findValuesAsString("id"))
        .containsExactly(Yaml.id("first", first), Yaml.id("second", second), Yaml.id("last", last));
    assertThat(lane(relay).path("exporters").findValuesAsString("level"))
        .containsExactly("0", "0", "1");

    // An exporter that is gone as well is done without; the next level takes over.
    assertThat(relay.stop()).isZero();
    last.heal();
    relay.configure(head() + "routes:\n" + DEFAULT);
    relay.start();

    awaitDrained(relay, Yaml.id("last", last));
    assertThat(relay.log()).contains(Yaml.id("first", first) + " is not configured any more");
  }

  @Test
  void reload_exporterAndItsPermissionAreGoneToo_nothingIsSentAndNothingLost() {
    first.fail(new Fault.Refused());
    String routed = "routes:\n" + route(Yaml.id("first", first)) + DEFAULT;
    String exporter = Yaml.exporter("first", first, "gzip");
    String head = Yaml.anywhere(lab.directory()) + "exporters:\n  debug: {}\n";
    String denying = "egress: { allow: [ { host: other.example } ] }\n";
    RelayProcess relay = lab.relay(head + exporter + routed);
    send(relay, 1);

    relay.configure(head + denying + "routes:\n" + DEFAULT);
    relay.reload();
    await().until(() -> lane(relay).path("retired").asBoolean());
    first.heal();

    await()
        .untilAsserted(
            () ->
                assertThat(lane(relay).path("exporters").get(0).path("last_error").asString())
                    .startsWith("policy: "));
    assertThat(lane(relay).path("problem").asString())
        .isEqualTo(
            Yaml.id("first", first)
                + " is not configured any more, and is used as it was until a restart");

    relay.kill();
    relay.start();

    assertThat(lane(relay).path("items").asInt()).isEqualTo(1);
    assertThat(lane(relay).path("exporters")).isEmpty();
    assertThat(lane(relay).path("problem").asString())
        .startsWith("its route is gone and no exporter is left to drain to")
        .contains(Yaml.id("first", first) + " is not configured any more");
    assertThat(first.ids(Kind.TRACES)).isEmpty();

    relay.configure(head + exporter + "routes:\n" + DEFAULT);
    relay.reload();

    awaitDrained(relay, Yaml.id("first", first));
    assertThat(first.ids(Kind.TRACES)).containsExactly(1L);
  }
}
