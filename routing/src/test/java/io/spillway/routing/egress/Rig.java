package io.spillway.routing.egress;

import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.Settlement;
import io.spillway.routing.DrainSettings;
import io.spillway.routing.FailoverSettings;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;

/** A dispatcher on a fake clock: what happens in it is decided by the test and the seed alone. */
final class Rig implements EgressListener {
  static final FailoverSettings FAILOVER =
      new FailoverSettings(Duration.ofSeconds(10), Duration.ofSeconds(60));

  final FakeClock clock;
  final FakeLane lane = new FakeLane();
  final Blocks blocks = new Blocks();
  final Queue<Runnable> answers = new ArrayDeque<>();
  final List<String> transitions = new ArrayList<>();
  final List<String> drops = new ArrayList<>();
  final List<Outcome> outcomes = new ArrayList<>();
  final List<Duration> endToEnd = new ArrayList<>();
  final Dispatcher dispatcher;

  Rig(FakeClock clock, EgressSettings settings) {
    this(clock, settings, EgressPast.NONE);
  }

  /** Goes on where another one stopped. */
  Rig(FakeClock clock, EgressSettings settings, EgressPast past) {
    this.clock = clock;
    dispatcher =
        new Dispatcher(
            lane,
            settings,
            past,
            clock,
            new Random(7),
            this,
            (attempt, outcome) ->
                answers.add(() -> this.dispatcher().finished(attempt, outcome, clock.nanos())),
            clock.nanos());
  }

  Rig(EgressSettings settings) {
    this(new FakeClock(), settings);
  }

  /** With a clock and bounds that other lanes share. */
  Rig(FakeClock clock, FailoverSettings failover, LaneFlow flow, FakeExporter... exporters) {
    this(clock, new EgressSettings(List.of(exporters), failover, DrainSettings.DEFAULT, flow));
  }

  Rig(FailoverSettings failover, FakeExporter... exporters) {
    this(new EgressSettings(List.of(exporters), failover));
  }

  Rig(FakeExporter... exporters) {
    this(FAILOVER, exporters);
  }

  private Dispatcher dispatcher() {
    return dispatcher;
  }

  /** Hands over blocks, one log record each. */
  void add(String... bodies) {
    for (String body : bodies) {
      add(blocks.block(body));
    }
  }

  void add(Block block) {
    dispatcher.arrived(block, false, clock.nanos());
    run();
  }

  /** Handles answers and steps until nothing happens any more without time passing. */
  void run() {
    dispatcher.step(clock.nanos());
    for (Runnable answer = answers.poll(); answer != null; answer = answers.poll()) {
      answer.run();
      dispatcher.step(clock.nanos());
    }
  }

  /** Lets time pass, stopping wherever the dispatcher wants to be called. */
  void advance(Duration by) {
    long until = clock.nanos() + by.toNanos();
    for (long next = dispatcher.nextStep(clock.nanos());
        next <= until;
        next = dispatcher.nextStep(clock.nanos())) {
      if (next <= clock.nanos()) {
        throw new AssertionError(
            "busy loop at " + clock.instant() + " next " + (next - clock.nanos()) + " " + status());
      }
      clock.set(next);
      run();
    }
    clock.set(until);
    run();
  }

  static EgressSettings settings(
      List<List<Exporter>> levels, FailoverSettings failover, OperatorOrders orders) {
    return new EgressSettings(levels, failover, orders, DrainSettings.DEFAULT, LaneFlow.UNLIMITED);
  }

  void retarget(EgressSettings settings) {
    dispatcher.retarget(settings, clock.nanos());
    run();
  }

  void probed(FakeExporter exporter, Outcome outcome) {
    dispatcher.probed(exporter.id(), outcome, clock.nanos());
    run();
  }

  EgressStatus status() {
    return dispatcher.status(clock.nanos());
  }

  BreakerState state(FakeExporter exporter) {
    return status().exporters().stream()
        .filter(status -> status.id().equals(exporter.id()))
        .findFirst()
        .orElseThrow()
        .state();
  }

  static Settlement deliveredBy(FakeExporter exporter, int items) {
    return Settlement.delivered(exporter.id(), items);
  }

  @Override
  public void attempt(
      LaneId id,
      String exporter,
      Outcome outcome,
      Duration elapsed,
      long bytes,
      long wireBytes,
      int items) {
    outcomes.add(outcome);
  }

  @Override
  public void settled(LaneId id, Block block, Settlement settlement, Duration took) {
    endToEnd.add(took);
  }

  @Override
  public void dropped(LaneId id, DropReason drop, int items, String reason) {
    drops.add(drop.label() + " " + items + " " + reason);
  }

  @Override
  public void transition(LaneId id, Transition t) {
    transitions.add(
        "%s %s->%s at %ds: %s"
            .formatted(
                t.exporter(),
                t.from().label(),
                t.to().label(),
                Duration.between(FakeClock.START, t.when()).toSeconds(),
                t.reason()));
  }
}
