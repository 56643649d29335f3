package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.Fault;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Ledger;
import io.spillway.tests.harness.Load;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Yaml;
import java.nio.file.Path;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The relay is killed at random moments under load and started again on what it left: every
 * acknowledged item arrives, nothing arrives that was never sent, and the books balance after each
 * start.
 */
class CrashLoopIT {

  private static final Logger LOG = LoggerFactory.getLogger(CrashLoopIT.class);
  private static final int ITEMS_PER_REQUEST = 20;
  private static final int PAUSE_MILLIS = 2;
  private static final int ITEMS_BEFORE_KILL = 500;
  private static final int LONGEST_LIFE_MILLIS = 1_000;

  /** Each of as many senders as there are wires has one request on its way at a time. */
  private static final int WIRES = 2 * Encoding.values().length;

  /**
   * Blocks that a lane has handed out and that are not settled: its egress window and read-ahead.
   */
  private static final int WINDOW_BLOCKS = 64 + 4;

  /** What can be sent twice after one crash. */
  private static final long WINDOW_ITEMS =
      (long) Kind.values().length * WINDOW_BLOCKS * WIRES * ITEMS_PER_REQUEST;

  @RegisterExtension final Lab lab = new Lab();

  // conformance
  @Test
  @Timeout(300)
  void kill_threeTimesUnderLoad_losesNothingAcknowledged() {
    crash(lab.relay(config("gzip")), 3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "gzip", "zstd"})
  @Tag("long")
  @Timeout(value = 15, unit = TimeUnit.MINUTES)
  void kill_sixtyTimesUnderLoad_losesNothingAcknowledged(String codec) {
    crash(lab.relay(config(codec)), 60);
  }

  /**
   * In a container the relay is process 1 in every life: nothing may take that for its own lock.
   */
  @Test
  @Tag("long")
  @Timeout(value = 15, unit = TimeUnit.MINUTES)
  void kill_thirtyTimesAsProcessOne_losesNothingAcknowledged() {
    assertThat(Path.of("/usr/bin/unshare")).as("unshare, of util-linux").isExecutable();
    assertThat(ProcessHandle.current().info().user()).as("user").hasValue("root");
    RelayProcess relay = lab.relayInPidNamespace(config("gzip"));
    assertThat(relay.status().path("pid").asLong()).isEqualTo(1);

    crash(relay, 30);
  }

  private CapturingSink sink;

  private String config(String codec) {
    sink = lab.sink(Protocol.GRPC);
    return Yaml.toOneSink(Yaml.fixed(lab.directory()), sink)
        .replace("compression: gzip", "compression: " + codec);
  }

  private void crash(RelayProcess relay, int rounds) {
    long seed = System.nanoTime();
    LOG.info("seed {}", seed);
    Random random = new Random(seed);
    Load load = lab.own(Load.mixed(relay, ITEMS_PER_REQUEST, PAUSE_MILLIS)).start();
    long redelivered = 0;

    for (int round = 1; round <= rounds; round++) {
      long acknowledgedBefore = load.acknowledged();
      await().until(() -> load.acknowledged() > acknowledgedBefore + ITEMS_BEFORE_KILL);
      if (random.nextInt(3) == 0) {
        sink.fail(random.nextBoolean() ? new Fault.Refused() : new Fault.Hanging());
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(LONGEST_LIFE_MILLIS)));
      relay.kill();
      sink.heal();
      relay.start();
      assertBalanced(relay, round);
      long since = relay.ledger().sum(Ledger.Line::redelivered) - redelivered;
      assertThat(since).as("sent again after one crash").isBetween(0L, WINDOW_ITEMS);
      redelivered += since;
    }
    load.stop();

    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    assertBalanced(relay, rounds);
    assertConserved(load, relay.ledger());
    assertThat(load.failures()).isEmpty();
    LOG.info(
        "{} rounds: {} items acknowledged, {} sent again by the relay",
        rounds,
        load.acknowledged(),
        relay.ledger().sum(Ledger.Line::redelivered));
  }

  private static Set<Long> without(Set<Long> all, Set<Long> some) {
    Set<Long> rest = new TreeSet<>(all);
    rest.removeAll(some);
    return rest;
  }

  private void assertBalanced(RelayProcess relay, int round) {
    Ledger ledger = relay.ledger();
    assertThat(ledger.balanced()).as("round %d: %s", round, ledger).isTrue();
  }

  private void assertConserved(Load load, Ledger ledger) {
    for (Kind kind : Kind.values()) {
      assertThat(load.acknowledged(kind)).as("acknowledged %s", kind).isNotEmpty();
      assertThat(without(load.acknowledged(kind), sink.ids(kind)))
          .as("acknowledged %s that did not arrive", kind)
          .isEmpty();
      assertThat(without(sink.ids(kind), load.sent(kind)))
          .as("%s that arrived and were never sent", kind)
          .isEmpty();
      assertThat(ledger.sum(kind, Ledger.Line::routed))
          .as("routed %s: at least what was acknowledged", kind)
          .isGreaterThanOrEqualTo(load.acknowledged(kind).size());
      assertThat(ledger.sum(kind, l -> Ledger.sum(l.delivered())))
          .as("delivered %s: no more than arrived", kind)
          .isLessThanOrEqualTo(sink.arrivals(kind));
      assertThat(sink.arrivals(kind) - ledger.sum(kind, l -> Ledger.sum(l.delivered())))
          .as("%s that arrived twice: each is counted", kind)
          .isLessThanOrEqualTo(ledger.sum(kind, Ledger.Line::redelivered));
    }
    assertThat(ledger.dropped()).as("dropped").isZero();
    assertThat(sink.damaged()).as("damaged").isZero();
  }
}
