package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Fault;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Ledger;
import io.spillway.tests.harness.Load;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Yaml;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/** Stopping and reloading under load: nothing is lost, and nothing but what was asked changes. */
@Timeout(300)
class GracefulStopIT {

  private static final int ITEMS_PER_REQUEST = 10;
  private static final int PAUSE_MILLIS = 5;

  @RegisterExtension final Lab lab = new Lab();

  @Test
  void sigterm_underLoad_losesNothingAndSendsNothingTwice() {
    CapturingSink sink = lab.sink(Protocol.GRPC);
    RelayProcess relay = lab.relay(Yaml.toOneSink(Yaml.fixed(lab.directory()), sink));
    Load load = lab.own(Load.mixed(relay, ITEMS_PER_REQUEST, PAUSE_MILLIS)).start();
    awaitAcknowledged(load, 1_000);

    int exitCode = relay.stop();

    assertThat(exitCode).isZero();
    relay.start();
    awaitAcknowledged(load, load.acknowledged() + 500);
    load.stop();
    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    assertThat(relay.ledger().balanced()).isTrue();
    assertThat(relay.ledger().sum(Ledger.Line::redelivered)).as("redelivered").isZero();
    assertThat(load.failures()).isEmpty();
    for (Kind kind : Kind.values()) {
      assertThat(missing(load.acknowledged(kind), sink.ids(kind))).isEmpty();
      assertThat(missing(sink.ids(kind), load.sent(kind))).isEmpty();
    }
  }

  @Test
  void sigterm_sinkDown_leavesTheRestOnDisk() {
    CapturingSink sink = lab.sink(Protocol.HTTP);
    sink.fail(new Fault.Refused());
    RelayProcess relay = lab.relay(Yaml.toOneSink(Yaml.fixed(lab.directory()), sink));
    Load load = lab.own(Load.mixed(relay, ITEMS_PER_REQUEST, PAUSE_MILLIS)).start();
    awaitAcknowledged(load, 1_000);
    load.stop();

    assertThat(relay.stop()).isZero();
    relay.start();

    assertThat(relay.ledger().buffered()).isGreaterThanOrEqualTo(load.acknowledged());
    assertThat(relay.ledger().balanced()).isTrue();
    sink.heal();
    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    for (Kind kind : Kind.values()) {
      assertThat(missing(load.acknowledged(kind), sink.ids(kind))).isEmpty();
    }
  }

  @Test
  void restart_routeRenamed_oldLanesDrainToTheirSink() {
    CapturingSink sink = lab.sink(Protocol.GRPC);
    sink.fail(new Fault.Refused());
    String before = Yaml.toOneSink(Yaml.fixed(lab.directory()), sink);
    RelayProcess relay = lab.relay(before);
    Load load = lab.own(Load.mixed(relay, ITEMS_PER_REQUEST, PAUSE_MILLIS)).start();
    awaitAcknowledged(load, 500);
    load.stop();
    assertThat(relay.stop()).isZero();

    relay.configure(before.replace("name: default", "name: renamed"));
    relay.start();
    assertThat(retired(relay)).containsExactlyInAnyOrder("traces", "metrics", "logs");
    sink.heal();

    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    assertThat(retired(relay)).isEmpty();
    assertThat(relay.ledger().balanced()).isTrue();
    assertThat(relay.ledger().lane("default", Kind.TRACES).routed()).isPositive();
    for (Kind kind : Kind.values()) {
      assertThat(missing(load.acknowledged(kind), sink.ids(kind))).isEmpty();
    }
  }

  /** Signals of the lanes that are shown as retired: those with something in them. */
  private static List<String> retired(RelayProcess relay) {
    List<String> signals = new ArrayList<>();
    for (JsonNode lane : relay.status().path("lanes")) {
      if (lane.path("retired").asBoolean()) {
        signals.add(lane.path("signal").asString());
      }
    }
    return signals;
  }

  @Test
  void sighup_badConfig_changesNothingAndSaysWhy() {
    CapturingSink sink = lab.sink(Protocol.GRPC);
    String good = Yaml.toOneSink(Yaml.anywhere(lab.directory()), sink);
    RelayProcess relay = lab.relay(good);
    Load load = lab.own(Load.mixed(relay, ITEMS_PER_REQUEST, PAUSE_MILLIS)).start();
    awaitAcknowledged(load, 200);

    relay.configure(good.replace("routes:", "rutes:"));
    relay.reload();

    await().until(() -> relay.log().contains("did you mean \"routes\"?"));
    awaitAcknowledged(load, load.acknowledged() + 500);
    load.stop();
    assertThat(load.failures()).isEmpty();
    assertThat(load.retries()).isEmpty();
    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    for (Kind kind : Kind.values()) {
      assertThat(sink.ids(kind)).isEqualTo(load.acknowledged(kind));
    }
  }

  @Test
  void sighup_otherSink_switchesWithoutLoss() {
    CapturingSink first = lab.sink(Protocol.GRPC);
    CapturingSink second = lab.sink(Protocol.HTTP);
    String head = Yaml.anywhere(lab.directory());
    RelayProcess relay = lab.relay(Yaml.toOneSink(head, first));
    Load load = lab.own(Load.mixed(relay, ITEMS_PER_REQUEST, PAUSE_MILLIS)).start();
    await().until(() -> first.firstTakenNanos() != 0);

    relay.configure(Yaml.toOneSink(head, second));
    relay.reload();

    await().until(() -> second.firstTakenNanos() != 0);
    awaitAcknowledged(load, load.acknowledged() + 500);
    load.stop();
    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    assertThat(relay.ledger().balanced()).isTrue();
    assertThat(load.failures()).isEmpty();
    for (Kind kind : Kind.values()) {
      Set<Long> arrived = new HashSet<>(first.ids(kind));
      arrived.addAll(second.ids(kind));
      assertThat(missing(load.acknowledged(kind), arrived)).isEmpty();
      assertThat(missing(arrived, load.sent(kind))).isEmpty();
    }
  }

  private static void awaitAcknowledged(Load load, long items) {
    await().until(() -> load.acknowledged() >= items);
  }

  private static Set<Long> missing(Set<Long> wanted, Set<Long> present) {
    Set<Long> missing = new HashSet<>(wanted);
    missing.removeAll(present);
    return missing;
  }
}
