package io.spillway.tests.bench.relays;

import io.spillway.relay.load.Latencies;
import io.spillway.tests.bench.Usage;
import io.spillway.tests.bench.relays.Scenario.Group;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One relay through one outage of its sink, under a load that goes on all the time:
 *
 * <pre>
 * calm | outage: the sink's port is closed | drain, until the backlog is delivered | the last items
 * </pre>
 *
 * <p>If the relay is to be restarted, it is killed when the outage ends, and started again on the
 * same files and ports as soon as the sink is back: what passes until the first item is the relay's
 * own time. What it had not acknowledged is sent again.
 *
 * <p>The backlog is what was acknowledged before the outage ends. Each item has a number of its
 * own, so that a duplicate cannot stand in for a loss. Spillway's loss is an error.
 */
final class Course {
  private static final Duration CALM = Duration.ofSeconds(5);

  /** Without an arrival, what has not arrived by now is given up: relays retry within 45 s. */
  private static final Duration QUIET = Duration.ofSeconds(50);

  private static final Duration DRAIN_LIMIT = Duration.ofMinutes(5);

  /** For what the relay has not taken when the load ends. */
  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);

  /** So that what waits to be sent again does not take the processor from the relay. */
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  private static final long POLL_MILLIS = 10;

  private final Relay relay;
  private final Scenario scenario;
  private final Workload workload;
  private final Duration outage;
  private final int first;
  private final int most;
  private final Arrivals arrivals;

  /**
   * @param relay of which nothing was asked but what {@code workload} holds
   */
  Course(Relay relay, Scenario scenario, Workload workload, Duration outage) {
    this.relay = relay;
    this.scenario = scenario;
    this.workload = workload;
    this.outage = outage;
    first = workload.first() + workload.items();
    most = Math.toIntExact(scenario.rate() * CALM.plus(outage).plus(DRAIN_LIMIT).toSeconds());
    arrivals = relay.sink().expect(first, most);
  }

  CourseSample run() throws IOException, InterruptedException {
    try (Connections connections =
        new Connections(
            scenario.in(),
            scenario.transport(),
            relay.address(),
            scenario.connections(),
            LONGEST_PAUSE)) {
      return run(connections, new SteadyLoad(workload, connections, scenario.rate(), first, most));
    }
  }

  private CourseSample run(Connections connections, SteadyLoad load)
      throws IOException, InterruptedException {
    Usage before = relay.usage();
    load.start();
    TimeUnit.NANOSECONDS.sleep(CALM.toNanos());
    relay.sink().leave();
    Latencies inOutage = load.enter();
    TimeUnit.NANOSECONDS.sleep(outage.toNanos());
    boolean restarts = scenario.group() == Group.RESTART;
    if (restarts) {
      relay.kill();
    }
    Missing backlog = new Missing(load.acknowledged(), arrivals);
    backlog.shrink();
    long arrived = arrivals.total();
    relay.sink().comeBack();
    long end = System.nanoTime();
    if (restarts) {
      relay.launch();
    }
    Latencies inDrain = load.enter();
    Drain drain = await(backlog, 0, arrived, end);
    load.stop(ANSWER_LIMIT);
    int[] acknowledged = load.acknowledged();
    Missing missing = new Missing(acknowledged, arrivals);
    missing.shrink();
    await(missing, backlog.size(), arrivals.total(), System.nanoTime());
    relay.requireAlive();
    requireKept(missing.size());
    Usage after = relay.usage();
    return new CourseSample(
        acknowledged.length,
        connections.refused(),
        missing.size(),
        arrivals.duplicates(),
        after.cpuSecondsSince(before),
        after.diskBytes() - before.diskBytes(),
        relay.peakMib(),
        inOutage.millis(0.99),
        inDrain.millis(0.99),
        drain.firstSeconds,
        drain.lastSeconds);
  }

  /**
   * When items came, in seconds.
   *
   * @param firstSeconds the first of all
   * @param lastSeconds the last of those that were waited for
   */
  private record Drain(@Nullable Double firstSeconds, @Nullable Double lastSeconds) {}

  /**
   * Waits until no more than {@code left} are missing, or nothing of them has come for long.
   *
   * @param arrivedBefore at {@code start}, which the seconds count from
   */
  private Drain await(Missing missing, int left, long arrivedBefore, long start)
      throws InterruptedException {
    long arrived = arrivedBefore;
    Double firstSeconds = null;
    Double lastSeconds = null;
    long lastMoved = start;
    for (long now = start;
        missing.size() > left
            && now - lastMoved < QUIET.toNanos()
            && now - start < DRAIN_LIMIT.toNanos();
        now = System.nanoTime()) {
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      if (arrivals.total() == arrived) {
        continue;
      }
      arrived = arrivals.total();
      double seconds = (System.nanoTime() - start) / 1e9;
      firstSeconds = firstSeconds == null ? Double.valueOf(seconds) : firstSeconds;
      if (missing.shrink()) {
        lastSeconds = seconds;
        lastMoved = System.nanoTime();
      }
    }
    return new Drain(firstSeconds, lastSeconds);
  }

  private void requireKept(int lost) throws IOException, InterruptedException {
    if (relay.sink().strangers() != 0) {
      throw relay.failure("%,d items arrived without a number".formatted(relay.sink().strangers()));
    }
    if (lost != 0 && !relay.mayLose()) {
      throw relay.failure("%,d acknowledged items did not arrive".formatted(lost));
    }
    relay.requireBalanced();
  }
}
