package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Fault;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Load;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Yaml;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import java.util.function.LongPredicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/** An outage that is long enough to leave a backlog, and what comes in meanwhile. */
@Tag("long")
@Timeout(300)
class BacklogDrainIT {
  private static final Duration GENEROUS = Duration.ofSeconds(90);
  private static final int ITEMS_PER_REQUEST = 10;
  private static final int PAUSE_MILLIS = 2;

  /**
   * Much more than the relay reads ahead, in each lane, also if each block holds a request of every
   * wire.
   */
  private static final int OUTAGE_ITEMS = 36_000;

  private static final int LIVE_ITEMS = 600;
  private static final long FIRST_LIVE_ID = 1_000_000;

  /** The oldest data that still counts as live, and a little. */
  private static final Duration AGED = Duration.ofSeconds(32);

  @RegisterExtension final Lab lab = new Lab();

  @Test
  void outageEnds_drainRate_liveDataArrivesBeforeTheBacklogAndOnce() {
    CapturingSink sink = lab.sink(Protocol.HTTP);
    sink.fail(new Fault.Refused());
    String unlimited = Yaml.toOneSink(Yaml.fixed(lab.directory()), sink);
    String slow = unlimited.replace("name: default,", "name: default, drain_rate: 2KiB,");
    assertThat(slow).isNotEqualTo(unlimited);
    RelayProcess relay = lab.relay(slow);
    Load outage = lab.own(Load.mixed(relay, ITEMS_PER_REQUEST, PAUSE_MILLIS)).start();
    await().atMost(GENEROUS).until(() -> outage.acknowledged() >= OUTAGE_ITEMS);
    outage.stop();
    Instant ended = Instant.now();
    await().atMost(GENEROUS).until(() -> Instant.now().isAfter(ended.plus(AGED)));

    sink.heal();
    await().atMost(GENEROUS).until(() -> everyLane(relay, "backlog_items", items -> items > 0));
    Load live = lab.own(Load.mixed(relay, ITEMS_PER_REQUEST, PAUSE_MILLIS));
    live.from(FIRST_LIVE_ID).start();
    await().atMost(GENEROUS).until(() -> live.acknowledged() >= LIVE_ITEMS);
    live.stop();
    await().atMost(GENEROUS).untilAsserted(() -> assertThat(missing(live, sink)).isEmpty());
    assertThat(missing(outage, sink)).isNotEmpty();
    assertThat(everyLane(relay, "backlog_items", items -> items > 0)).isTrue();
    await().untilAsserted(() -> assertThat(relay.ledger().balanced()).isTrue());

    relay.kill();
    relay.configure(unlimited);
    relay.start();
    await().atMost(GENEROUS).untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());

    assertThat(missing(outage, sink)).isEmpty();
    assertThat(relay.ledger().balanced()).isTrue();
    assertThat(arrivedAgain(sink)).isLessThanOrEqualTo(relay.ledger().sum(l -> l.redelivered()));
  }

  private static boolean everyLane(RelayProcess relay, String field, LongPredicate holds) {
    for (JsonNode lane : relay.status().path("lanes")) {
      if (!holds.test((long) lane.path(field).asDouble())) {
        return false;
      }
    }
    return true;
  }

  private static Set<Long> missing(Load load, CapturingSink sink) {
    Set<Long> missing = new HashSet<>();
    for (Kind kind : Kind.values()) {
      Set<Long> ofKind = new HashSet<>(load.acknowledged(kind));
      ofKind.removeAll(sink.ids(kind));
      missing.addAll(ofKind);
    }
    return missing;
  }

  private static long arrivedAgain(CapturingSink sink) {
    long again = 0;
    for (Kind kind : Kind.values()) {
      again += sink.arrivals(kind) - sink.ids(kind).size();
    }
    return again;
  }
}
