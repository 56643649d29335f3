package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.Fault;
import io.spillway.tests.harness.HttpWire;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Yaml;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/** What failover came to is not forgotten when the relay is stopped or killed. */
@Timeout(300)
class FailoverRestartIT {
  private static final Duration HOLD = Duration.ofMinutes(30);

  @RegisterExtension final Lab lab = new Lab();

  @Test
  void restart_amidHold_goesOnWithItAndWithTheHistory() throws Exception {
    CapturingSink primary = lab.sink(Protocol.HTTP);
    CapturingSink secondary = lab.sink(Protocol.GRPC);
    primary.fail(Fault.unauthorized());
    RelayProcess relay = lab.relay(yaml(primary, secondary, "30m"));
    send(relay, 0);
    await().until(() -> !lane(relay).path("waiting_until").isNull());
    JsonNode history = lane(relay).path("transitions");
    assertThat(history).hasSize(1);
    Instant until = Instant.parse(history.get(0).path("when").asString()).plus(HOLD);

    assertThat(relay.stop()).isZero();
    relay.start();

    assertStillHeld(relay, history, until);

    relay.kill();
    relay.start();

    assertStillHeld(relay, history, until);
    send(relay, 1);
    assertThat(secondary.ids(Kind.TRACES)).isEmpty();

    // The hold is over while the relay is not there.
    relay.kill();
    relay.configure(yaml(primary, secondary, "1ms"));
    relay.start();
    await().untilAsserted(() -> assertThat(secondary.ids(Kind.TRACES)).hasSize(2));
    await().until(() -> kept().contains("PASSED_OVER"));

    relay.kill();
    relay.configure(yaml(primary, secondary, "30m"));
    relay.start();
    assertThat(lane(relay).path("transitions")).hasSize(2);
    assertThat(lane(relay).path("waiting_until").isNull()).isTrue();
    send(relay, 2);
    await().untilAsserted(() -> assertThat(secondary.ids(Kind.TRACES)).hasSize(3));

    primary.heal();
    await()
        .untilAsserted(
            () -> {
              send(relay, 3);
              assertThat(primary.ids(Kind.TRACES)).contains(3L);
              assertThat(relay.activeExporter("default", Kind.TRACES))
                  .isEqualTo(Yaml.id("primary", primary));
            });
    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    assertThat(relay.ledger().balanced()).isTrue();
  }

  private static void assertStillHeld(RelayProcess relay, JsonNode history, Instant until) {
    JsonNode lane = lane(relay);
    assertThat(lane.path("transitions")).isEqualTo(history);
    assertThat(lane.path("active").isNull()).isTrue();
    assertThat(lane.path("exporters").get(0).path("state").asString()).isEqualTo("open");
    assertThat(Instant.parse(lane.path("waiting_until").asString()))
        .isCloseTo(until, within(500, ChronoUnit.MILLIS));
  }

  private String yaml(CapturingSink primary, CapturingSink secondary, String hold) {
    return """
    %sexporters:
    %s%sroutes:
      - name: default
        exporters: [%s, %s]
        failover: { after: 10s, failback_after: 1s, hold: %s }
    """
        .formatted(
            Yaml.anywhere(lab.directory()),
            Yaml.exporter("primary", primary, "gzip"),
            Yaml.exporter("secondary", secondary, "gzip"),
            Yaml.id("primary", primary),
            Yaml.id("secondary", secondary),
            hold);
  }

  private String kept() throws Exception {
    return Files.readString(lab.directory().resolve("buffer/failover/default.traces.json"));
  }

  private static JsonNode lane(RelayProcess relay) {
    for (JsonNode lane : relay.status().path("lanes")) {
      if (lane.path("signal").asString().equals(Kind.TRACES.label())) {
        return lane;
      }
    }
    throw new AssertionError("no lane of traces");
  }

  private static void send(RelayProcess relay, long id) {
    try (HttpWire wire = new HttpWire(relay::http, Encoding.GZIP)) {
      byte[] request = Items.request(Kind.TRACES, id, 1, Map.of("service.name", "restart"));
      assertThat(wire.send(Kind.TRACES, request).acknowledged()).isTrue();
    }
  }
}
