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
import io.spillway.tests.harness.LoopDisk;
import io.spillway.tests.harness.LoopDisk.Death;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Yaml;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The power of the machine is cut under load: everything that was not forced to the device is gone,
 * data and journal. What was acknowledged with {@code durability: power} is still there. Needs
 * root, for the loop mount.
 *
 * <p>An acknowledgement that reaches a sender after the cut proves nothing either way, so what is
 * owed is what senders had heard before it.
 */
@Tag("long")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class PowerLossIT {

  private static final Logger LOG = LoggerFactory.getLogger(PowerLossIT.class);
  private static final int ROUNDS = 12;
  private static final int ITEMS_PER_REQUEST = 20;
  private static final int PAUSE_MILLIS = 2;
  private static final int ITEMS_BEFORE_CUT = 2_000;
  private static final int LONGEST_LIFE_MILLIS = 1_500;

  @RegisterExtension final Lab lab = new Lab();

  private LoopDisk disk;
  private CapturingSink sink;
  private RelayProcess relay;
  private Load load;

  /** Items acknowledged around a cut, too late to say whether before or after it. */
  private final Map<Kind, Set<Long>> notOwed = new EnumMap<>(Kind.class);

  // conformance: R-01
  @Test
  void cut_durabilityPower_losesNothingAcknowledged() throws Exception {
    long seed = System.nanoTime();
    LOG.info("seed {}", seed);
    Random random = new Random(seed);
    start("power");

    for (int round = 1; round <= ROUNDS; round++) {
      if (random.nextInt(3) > 0) {
        sink.fail(new Fault.Refused()); // so that the disk alone has what was acknowledged
      }
      awaitMore(ITEMS_BEFORE_CUT);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(LONGEST_LIFE_MILLIS)));
      cutAndRestart();
      assertThat(relay.ledger().balanced()).as("round %d: %s", round, relay.ledger()).isTrue();
      if (random.nextBoolean()) {
        sink.heal();
      }
    }
    awaitMore(ITEMS_BEFORE_CUT);
    drain();

    for (Kind kind : Kind.values()) {
      assertThat(owed(kind)).as("acknowledged %s", kind).isNotEmpty();
      assertThat(missing(kind)).as("acknowledged %s that did not arrive", kind).isEmpty();
    }
    assertThat(relay.ledger().balanced()).as("%s", relay.ledger()).isTrue();
    assertThat(load.failures()).isEmpty();
    assertThat(sink.damaged()).isZero();
    LOG.info(
        "{} cuts: {} items acknowledged, {} of them around a cut; {} sent again; dropped {}",
        ROUNDS,
        load.acknowledged(),
        notOwed.values().stream().mapToLong(Set::size).sum(),
        relay.ledger().sum(Ledger.Line::redelivered),
        relay.ledger().dropped());
  }

  /** The other promise, under the same cut: so the cut really drops what was not forced. */
  @Test
  void cut_durabilityProcess_losesItemsAndBalances() throws Exception {
    start("process");
    sink.fail(new Fault.Refused());
    awaitMore(5 * ITEMS_BEFORE_CUT);

    cutAndRestart();
    assertThat(relay.ledger().balanced()).as("%s", relay.ledger()).isTrue();
    awaitMore(ITEMS_BEFORE_CUT);
    drain();

    long lost = 0;
    for (Kind kind : Kind.values()) {
      lost += missing(kind).size();
    }
    LOG.info("{} of {} acknowledged items lost", lost, load.acknowledged());
    assertThat(lost).as("acknowledged items that did not arrive").isPositive();
    assertThat(relay.ledger().balanced()).as("%s", relay.ledger()).isTrue();
    assertThat(load.failures()).isEmpty();
  }

  private void start(String durability) throws IOException {
    disk = lab.own(LoopDisk.create(lab.directory(), "1G"));
    sink = lab.sink(Protocol.GRPC);
    relay =
        lab.relay(
            Yaml.toOneSink(Yaml.fixed(disk.path()), sink)
                .replace(
                    "min_free: 64MiB",
                    "min_free: 64MiB\n  segment_bytes: 2MiB\n  durability: " + durability));
    load = lab.own(Load.mixed(relay, ITEMS_PER_REQUEST, PAUSE_MILLIS)).start();
  }

  private void awaitMore(long items) {
    long before = load.acknowledged();
    await().until(() -> load.acknowledged() > before + items);
  }

  private void cutAndRestart() {
    Map<Kind, Set<Long>> heard = new EnumMap<>(Kind.class);
    for (Kind kind : Kind.values()) {
      heard.put(kind, load.acknowledged(kind));
    }
    disk.die(Death.POWER_CUT);
    relay.kill();
    for (Kind kind : Kind.values()) {
      Set<Long> late = load.acknowledged(kind);
      late.removeAll(heard.get(kind));
      notOwed.computeIfAbsent(kind, _ -> new HashSet<>()).addAll(late);
    }
    disk.unmount();
    disk.mount();
    relay.start();
  }

  private void drain() {
    load.stop();
    sink.heal();
    await()
        .atMost(Duration.ofMinutes(2))
        .untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
  }

  private Set<Long> owed(Kind kind) {
    Set<Long> owed = load.acknowledged(kind);
    owed.removeAll(notOwed.getOrDefault(kind, Set.of()));
    return owed;
  }

  private Set<Long> missing(Kind kind) {
    Set<Long> missing = new TreeSet<>(owed(kind));
    missing.removeAll(sink.ids(kind));
    return missing;
  }
}
