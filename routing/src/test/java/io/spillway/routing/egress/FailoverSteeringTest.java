package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;

import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.routing.FailoverSettings;
import io.spillway.routing.egress.EgressStatus.ExporterStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Pins, holds, levels that share the load, and idle probes. */
class FailoverSteeringTest {
  private static final Duration AFTER = Rig.FAILOVER.after();
  private static final Duration HOLD = Duration.ofMinutes(30);
  private static final FailoverSettings HOLDING =
      new FailoverSettings(AFTER, Duration.ofSeconds(60), HOLD);
  private static final Outcome UNAUTHENTICATED = new Outcome.SinkDown(ErrorClass.AUTH, "401");
  private static final Outcome DOWN = new Outcome.SinkDown(ErrorClass.CONNECT, "refused");

  private final FakeExporter a = new FakeExporter("otlp_grpc/a");
  private final FakeExporter b = new FakeExporter("otlp_grpc/b");
  private final FakeExporter c = new FakeExporter("otlp_grpc/c");

  private static EgressSettings pinned(
      FakeExporter exporter, @Nullable Instant until, FakeExporter... order) {
    OperatorOrder pin =
        new OperatorOrder(exporter.id(), "operator ann", "cheaper", FakeClock.START, until);
    return new EgressSettings(List.<Exporter>of(order), Rig.FAILOVER)
        .with(new OperatorOrders(pin, List.of()));
  }

  private static EgressSettings paused(
      FailoverSettings failover, FakeExporter exporter, FakeExporter... order) {
    OperatorOrder pause =
        new OperatorOrder(exporter.id(), "operator ann", "", FakeClock.START, null);
    return new EgressSettings(List.<Exporter>of(order), failover)
        .with(new OperatorOrders(null, List.of(pause)));
  }

  private EgressSettings balanced() {
    return Rig.settings(List.of(List.of(a, b), List.of(c)), Rig.FAILOVER, OperatorOrders.NONE);
  }

  private static ExporterStatus status(Rig rig, FakeExporter exporter) {
    return rig.status().exporters().stream()
        .filter(status -> status.id().equals(exporter.id()))
        .findFirst()
        .orElseThrow();
  }

  private static long deliveredBy(Rig rig, FakeExporter exporter) {
    return rig.lane.settled.values().stream()
        .filter(settlement -> settlement.equals(Rig.deliveredBy(exporter, 1)))
        .count();
  }

  // Pins.

  @Test
  void pin_standby_getsEverythingUntilItsTimeIsOver() {
    Rig rig = new Rig(pinned(b, FakeClock.START.plusSeconds(1800), a, b));

    rig.add("1");
    rig.advance(Duration.ofMinutes(30));
    rig.add("2");

    assertThat(rig.lane.settled)
        .containsEntry(0L, Rig.deliveredBy(b, 1))
        .containsEntry(1L, Rig.deliveredBy(a, 1));
    assertThat(rig.transitions)
        .containsExactly(
            "otlp_grpc/b released->pinned at 0s: cheaper",
            "otlp_grpc/b pinned->released at 1800s: its time is over");
    assertThat(rig.status().transitions())
        .extracting(Transition::to, Transition::who, Transition::reason)
        .containsExactly(
            tuple(Standing.PINNED, "operator ann", "cheaper"),
            tuple(Standing.RELEASED, "operator ann", "its time is over"));
    assertThat(rig.status().transitions().getLast().lasted()).isEqualTo(Duration.ofMinutes(30));
  }

  @Test
  void pin_thatFails_isRetriedAndNothingElseIsAsked() {
    b.behaviour = FakeExporter.REFUSES;
    Rig rig = new Rig(pinned(b, null, a, b));
    rig.add("1");

    rig.advance(Duration.ofHours(1));

    assertThat(a.calls).isEmpty();
    assertThat(b.calls.size()).isBetween(80, 300);
    assertThat(rig.lane.settled).isEmpty();

    b.behaviour = FakeExporter.TAKES;
    rig.advance(Duration.ofMinutes(1));

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(b, 1));
    assertThat(rig.status().pin()).isNotNull();
  }

  @Test
  void pin_exporterThatIsOpen_isTriedAtOnce() {
    a.behaviour = _ -> UNAUTHENTICATED;
    Rig rig = new Rig(a, b);
    rig.add("1");
    rig.advance(Duration.ofMinutes(5));
    a.behaviour = FakeExporter.TAKES;
    int before = b.calls.size();

    rig.retarget(pinned(a, null, a, b));
    rig.add("2");

    assertThat(rig.lane.settled).containsEntry(1L, Rig.deliveredBy(a, 1));
    assertThat(rig.state(a)).isEqualTo(BreakerState.CLOSED);
    assertThat(b.calls).hasSize(before);

    rig.retarget(new EgressSettings(List.of(b, a), Rig.FAILOVER));
    rig.add("3");

    assertThat(rig.lane.settled).containsEntry(2L, Rig.deliveredBy(b, 1));
    assertThat(rig.transitions.getLast()).startsWith("otlp_grpc/a pinned->released");
  }

  @Test
  void pin_exporterThatIsPaused_sendsNothing() {
    OperatorOrder order = new OperatorOrder(b.id(), "operator ann", "", FakeClock.START, null);
    Rig rig =
        new Rig(
            new EgressSettings(List.of(a, b), Rig.FAILOVER)
                .with(new OperatorOrders(order, List.of(order))));

    rig.add("1");
    rig.advance(Duration.ofMinutes(5));

    assertThat(a.calls).isEmpty();
    assertThat(b.calls).isEmpty();
    assertThat(rig.status().active()).isNull();
  }

  // Holds.

  @Test
  void hold_exporterLeft_dataWaitsForItThenGoesToTheNext() {
    a.behaviour = FakeExporter.REFUSES;
    Rig rig = new Rig(HOLDING, a, b);
    rig.add("1");
    rig.advance(AFTER);
    Instant left = rig.clock.instant();

    rig.advance(HOLD.minusNanos(1));

    assertThat(b.calls).isEmpty();
    assertThat(a.calls.size()).isGreaterThan(150);
    assertThat(rig.status().active()).isNull();
    assertThat(rig.status().waitingUntil()).isEqualTo(left.plus(HOLD));

    rig.advance(Duration.ofNanos(1));

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(b, 1));
    assertThat(rig.status().active()).isEqualTo(b.id());
    assertThat(rig.status().waitingUntil()).isNull();
    assertThat(rig.transitions.getLast())
        .isEqualTo("otlp_grpc/a open->passed_over at 1810s: its hold of 30m is over");
  }

  @Test
  void hold_exporterComesBack_getsWhatWaitedAtOnce() {
    a.behaviour = FakeExporter.REFUSES;
    Rig rig = new Rig(HOLDING, a, b);
    rig.add("1", "2");
    rig.advance(Duration.ofMinutes(20));
    a.behaviour = FakeExporter.TAKES;

    rig.advance(Failover.PROBE_MAX.multipliedBy(2));

    assertThat(deliveredBy(rig, a)).isEqualTo(2);
    assertThat(b.calls).isEmpty();
    assertThat(rig.state(a)).isEqualTo(BreakerState.CLOSED);

    a.behaviour = FakeExporter.REFUSES;
    rig.add("3");
    rig.advance(AFTER.plus(HOLD).minusSeconds(1));
    assertThat(b.calls).as("a new outage, a new hold").isEmpty();
    rig.advance(Duration.ofSeconds(1));
    assertThat(deliveredBy(rig, b)).isEqualTo(1);
  }

  @Test
  void hold_exporterIsPaused_nextTakesOverAtOnce() {
    a.behaviour = FakeExporter.REFUSES;
    Rig rig = new Rig(HOLDING, a, b);
    rig.add("1");
    rig.advance(Duration.ofMinutes(1));

    rig.retarget(paused(HOLDING, a, a, b));

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(b, 1));
  }

  @Test
  void hold_standbyThatFailedWhileIdle_isNotWaitedFor() {
    Rig rig = new Rig(HOLDING, a, b, c);
    rig.probed(b, UNAUTHENTICATED);
    a.behaviour = FakeExporter.REFUSES;
    rig.add("1");

    rig.advance(AFTER.plus(HOLD));

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(c, 1));
    assertThat(rig.status().active()).isEqualTo(c.id());
  }

  // Levels.

  @Test
  void balance_oneSlow_theOtherGetsMore() {
    a.behaviour = FakeExporter.HANGS;
    b.behaviour = FakeExporter.HANGS;
    Rig rig = new Rig(balanced());

    for (int i = 0; i < 600; i++) {
      rig.add("item " + i);
      rig.advance(Duration.ofMillis(100));
      b.calls.forEach(call -> call.answer().complete(new Outcome.Delivered()));
      if (i % 5 == 0) {
        a.calls.forEach(call -> call.answer().complete(new Outcome.Delivered()));
      }
      rig.run();
    }

    assertThat(a.calls.size()).isBetween(2, 100);
    assertThat(b.calls.size()).isGreaterThan(400);
    assertThat(c.calls).isEmpty();
    assertThat(rig.transitions).isEmpty();
    assertThat(rig.status().exporters())
        .extracting(ExporterStatus::level, ExporterStatus::active)
        .containsExactly(tuple(0, true), tuple(0, true), tuple(1, false));
  }

  @Test
  void balance_bothQuick_bothAreUsed() {
    Rig rig = new Rig(balanced());

    for (int i = 0; i < 200; i++) {
      rig.add("item " + i);
    }

    assertThat(a.calls.size()).isGreaterThan(50);
    assertThat(b.calls.size()).isGreaterThan(50);
  }

  @Test
  void balance_oneFails_theOtherTakesItsRequestsAtOnce() {
    a.behaviour = FakeExporter.REFUSES;
    Rig rig = new Rig(balanced());

    for (int i = 0; i < 40; i++) {
      rig.add("item " + i);
    }

    assertThat(deliveredBy(rig, b)).isEqualTo(40);
    for (int i = 40; i < 80; i++) {
      rig.advance(Duration.ofMillis(500));
      rig.add("item " + i);
    }
    assertThat(deliveredBy(rig, b)).isEqualTo(80);
    assertThat(rig.transitions).hasSize(1);
    assertThat(rig.transitions.getFirst()).startsWith("otlp_grpc/a closed->open");
    assertThat(c.calls).isEmpty();
  }

  @Test
  void balance_oneFailureThenNothingToSend_doesNotOpenIt() {
    a.behaviour = FakeExporter.REFUSES;
    Rig rig = new Rig(balanced());
    for (int i = 0; a.calls.isEmpty(); i++) {
      rig.add("item " + i);
    }
    a.behaviour = FakeExporter.TAKES;

    rig.advance(Duration.ofHours(1));

    assertThat(a.calls).hasSize(1);
    assertThat(rig.transitions).isEmpty();
    assertThat(rig.state(a)).isEqualTo(BreakerState.CLOSED);
  }

  @Test
  void balance_wholeLevelFails_nextLevelTakesOverAndGivesBack() {
    a.behaviour = FakeExporter.REFUSES;
    b.behaviour = FakeExporter.HANGS;
    Rig rig = new Rig(balanced());
    for (int i = 0; i < 10; i++) {
      rig.add("item " + i);
      rig.advance(Duration.ofSeconds(1));
    }

    rig.advance(Duration.ofSeconds(1));

    assertThat(deliveredBy(rig, c)).as("all but what probes the level").isGreaterThanOrEqualTo(9);
    assertThat(rig.status().active()).isEqualTo(c.id());

    b.behaviour = FakeExporter.TAKES;
    for (int i = 0; i < 120; i++) {
      rig.advance(Duration.ofSeconds(1));
      rig.add("after " + i);
    }

    assertThat(rig.status().active()).isEqualTo(b.id());
    assertThat(rig.state(a)).isEqualTo(BreakerState.OPEN);
    assertThat(rig.lane.settled).hasSize(130);
  }

  // Idle probes.

  @Test
  void probed_standbyWithExpiredKey_isPassedOverInItsTurn() {
    Rig rig = new Rig(a, b, c);

    rig.probed(b, UNAUTHENTICATED);

    assertThat(rig.state(b)).isEqualTo(BreakerState.OPEN);
    assertThat(status(rig, b).reason()).isEqualTo("an idle probe failed with auth: 401");
    a.behaviour = _ -> UNAUTHENTICATED;
    rig.add("1");
    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(c, 1));
  }

  @Test
  void probed_failsOnce_isNoReasonToLeaveIt() {
    Rig rig = new Rig(a, b);

    rig.probed(a, DOWN);
    rig.probed(a, DOWN);
    rig.probed(a, new Outcome.Delivered());
    rig.probed(a, DOWN);
    rig.probed(a, DOWN);
    rig.advance(Duration.ofHours(1));

    assertThat(rig.transitions).isEmpty();

    rig.probed(a, DOWN);

    assertThat(rig.transitions)
        .containsExactly(
            "otlp_grpc/a closed->open at 3600s: 3 idle probes failed, last with connect: refused");
    assertThat(rig.status().active()).isEqualTo(b.id());
  }

  @Test
  void probed_standbyJudgesTheRequest_works() {
    Rig rig = new Rig(a, b);
    rig.probed(b, UNAUTHENTICATED);

    rig.probed(b, new Outcome.BadData("empty request"));

    assertThat(rig.state(b)).isEqualTo(BreakerState.CLOSED);
  }

  @Test
  void probed_openPrimaryWithoutData_isTakenBackAfterTheSetTime() {
    Rig rig = new Rig(a, b);
    rig.probed(a, UNAUTHENTICATED);

    rig.probed(a, new Outcome.BadData("a proxy that knows no better"));
    assertThat(rig.state(a)).isEqualTo(BreakerState.OPEN);
    rig.probed(a, new Outcome.Delivered());
    assertThat(rig.state(a)).isEqualTo(BreakerState.RECOVERING);
    rig.advance(Duration.ofSeconds(60));
    rig.probed(a, new Outcome.Delivered());

    assertThat(rig.state(a)).isEqualTo(BreakerState.CLOSED);
    assertThat(rig.status().active()).isEqualTo(a.id());
  }

  @Test
  void probed_throttled_isLeftAloneByDataToo() {
    Rig rig = new Rig(a);

    rig.probed(a, new Outcome.Retry(Duration.ofMinutes(10), ErrorClass.THROTTLED, "429"));
    rig.add("1");
    rig.advance(Duration.ofMinutes(9));

    assertThat(a.calls).isEmpty();
    assertThat(status(rig, a).leftAloneUntil()).isNotNull();
    rig.advance(Duration.ofMinutes(2));
    assertThat(rig.lane.settled).hasSize(1);
  }
}
