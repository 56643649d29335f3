package io.spillway.tests.bench.relays;

import io.spillway.relay.load.Latencies;
import io.spillway.tests.bench.Usage;
import io.spillway.tests.bench.relays.Workload.Prepared;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Measures one relay for some seconds at a time. Each stretch has items of its own, and ends when
 * all that were acknowledged have arrived, from Spillway exactly as often as they were sent. From
 * other relays they may arrive more often, or not at all, which is counted when all stretches are
 * over: until then they may still come.
 */
final class Stretches implements AutoCloseable {
  private static final long DELIVERY_NANOS = TimeUnit.SECONDS.toNanos(120);

  /** Without an arrival, what a relay that may lose has not delivered by now is given up. */
  private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final long POLL_MILLIS = 5;

  private final Relay relay;
  private final Scenario scenario;
  private final Load load;
  private final List<Stretch> done = new ArrayList<>();

  Stretches(Relay relay, Scenario scenario) {
    this.relay = relay;
    this.scenario = scenario;
    this.load =
        new Load(scenario.in(), scenario.transport(), relay.address(), scenario.connections());
  }

  /** Loads and measures the relay; the sample is one of {@link #samples}. */
  void measure(Workload workload, Duration duration) throws IOException, InterruptedException {
    done.add(run(workload, duration));
  }

  /** Loads the relay as if it were measured. */
  void warmUp(Workload workload, Duration duration) throws IOException, InterruptedException {
    var _ = run(workload, duration);
  }

  /** What was measured, with what has not arrived until now as lost. */
  List<Sample> samples() {
    return done.stream().map(stretch -> stretch.sample.withLost(stretch.missing())).toList();
  }

  private Stretch run(Workload workload, Duration duration)
      throws IOException, InterruptedException {
    Arrivals arrivals = relay.sink().expect(workload.first(), workload.items());
    Usage before = relay.usage();
    Load.Sent sent = send(workload, duration);
    Delivery delivery = new Delivery(workload, sent, arrivals);
    if (relay.delivers()) {
      await(delivery);
    }
    Usage after = relay.usage();
    Sample sample =
        new Sample(
            sent.items(),
            sent.seconds(),
            after.cpuSecondsSince(before),
            sent.latencies().millis(0.5),
            sent.latencies().millis(0.99),
            relay.memoryMib("VmRSS"),
            relay.memoryMib("RssAnon"),
            relay.peakMib(),
            after.diskBytes() - before.diskBytes(),
            sent.refused(),
            0);
    return new Stretch(sample, delivery, relay.delivers());
  }

  private Load.Sent send(Workload workload, Duration duration) throws InterruptedException {
    if (scenario.rate() < 0) {
      TimeUnit.NANOSECONDS.sleep(duration.toNanos());
      List<Integer> none = Collections.nCopies(workload.requests().size(), 0);
      return new Load.Sent(none, 0, duration.toNanos() / 1e9, new Latencies(), 0);
    }
    return scenario.rate() == 0
        ? load.saturate(workload, duration)
        : load.pace(workload, scenario.rate(), duration);
  }

  private void await(Delivery delivery) throws InterruptedException {
    long start = System.nanoTime();
    long quietNanos = relay.mayLose() ? QUIET_NANOS : DELIVERY_NANOS;
    long arrived = 0;
    long lastMoved = start;
    for (long now = start;
        !delivery.isComplete() && now - start < DELIVERY_NANOS && now - lastMoved < quietNanos;
        now = System.nanoTime()) {
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      if (delivery.arrivals.total() != arrived) {
        arrived = delivery.arrivals.total();
        lastMoved = now;
      }
    }
    if (relay.sink().strangers() != 0) {
      throw relay.failure("%,d items arrived without a number".formatted(relay.sink().strangers()));
    }
    if (!relay.mayLose()) {
      delivery.requireExact(relay);
    }
  }

  /** What a stretch sent, and what arrived of it so far. */
  private record Delivery(Workload workload, Load.Sent sent, Arrivals arrivals) {

    boolean isComplete() {
      return arrivals.total() >= sent.items() && missing() == 0;
    }

    long missing() {
      long missing = 0;
      for (int i = 0; i < sent.times().size(); i++) {
        Prepared request = workload.requests().get(i);
        for (int item = request.first(); item < request.first() + request.items(); item++) {
          missing += Math.max(0, sent.times().get(i) - arrivals.count(item));
        }
      }
      return missing;
    }

    void requireExact(Relay relay) {
      if (arrivals.total() != sent.items()) {
        throw relay.failure(
            "%,d items were acknowledged, %,d arrived".formatted(sent.items(), arrivals.total()));
      }
      for (int i = 0; i < sent.times().size(); i++) {
        Prepared request = workload.requests().get(i);
        for (int item = request.first(); item < request.first() + request.items(); item++) {
          if (arrivals.count(item) != sent.times().get(i)) {
            throw relay.failure(
                "item %d was sent %d times and arrived %d times"
                    .formatted(item, sent.times().get(i), arrivals.count(item)));
          }
        }
      }
    }
  }

  private record Stretch(Sample sample, Delivery delivery, boolean delivers) {
    long missing() {
      return delivers ? delivery.missing() : 0;
    }
  }

  @Override
  public void close() {
    load.close();
  }
}
