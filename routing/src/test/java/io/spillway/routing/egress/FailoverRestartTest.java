package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.routing.FailoverSettings;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What failover had come to when a process ended is where the next one begins. */
class FailoverRestartTest {
  private static final Duration AFTER = Rig.FAILOVER.after();
  private static final Duration HOLD = Duration.ofMinutes(30);
  private static final FailoverSettings HOLDING =
      new FailoverSettings(AFTER, Duration.ofSeconds(60), HOLD);

  private final FakeClock clock = new FakeClock();
  private final FakeExporter a = new FakeExporter("otlp_grpc/a");
  private final FakeExporter b = new FakeExporter("otlp_grpc/b");
  private final FakeExporter c = new FakeExporter("otlp_grpc/c");

  private EgressSettings holding(FakeExporter... exporters) {
    return new EgressSettings(List.<Exporter>of(exporters), HOLDING);
  }

  private static EgressSettings ordered(EgressSettings settings, @Nullable OperatorOrder pin) {
    return settings.with(new OperatorOrders(pin, List.of()));
  }

  private Rig restarted(Rig before, EgressSettings settings) {
    a.calls.clear();
    b.calls.clear();
    c.calls.clear();
    return new Rig(clock, settings, before.dispatcher.past());
  }

  /** A lane whose primary was left this long ago, with one block that waits for it. */
  private Rig holdingSince(Duration ago) {
    a.behaviour = FakeExporter.REFUSES;
    Rig rig = new Rig(clock, holding(a, b));
    rig.add("1");
    rig.advance(AFTER.plus(ago));
    return rig;
  }

  @Test
  void past_nothingHappened_isQuiet() {
    Rig rig = new Rig(clock, holding(a, b));
    rig.add("1");

    assertThat(rig.dispatcher.changes()).isZero();
    assertThat(rig.dispatcher.past().transitions()).isEmpty();
  }

  @Test
  void past_manyFailedAttempts_changesOnTransitionsAlone() {
    Rig rig = holdingSince(Duration.ofMinutes(20));

    assertThat(a.calls.size()).isGreaterThan(100);
    assertThat(rig.dispatcher.changes()).isEqualTo(1);
  }

  @Test
  void restart_amidHold_waitsForWhatIsLeftOfIt() {
    Rig before = holdingSince(Duration.ofMinutes(10));
    Instant until = before.status().waitingUntil();
    clock.advance(Duration.ofMinutes(5));

    Rig rig = restarted(before, holding(a, b));
    rig.add("1");

    assertThat(rig.status().waitingUntil()).isEqualTo(until);
    assertThat(rig.status().transitions()).isEqualTo(before.status().transitions());
    assertThat(a.calls).as("probed at once").hasSize(1);
    assertThat(rig.transitions).as("told by the earlier process").isEmpty();

    rig.advance(Duration.ofMinutes(15).minusSeconds(1));
    assertThat(b.calls).isEmpty();
    rig.advance(Duration.ofSeconds(1));

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(b, 1));
    assertThat(rig.status().transitions())
        .extracting(Transition::to)
        .containsExactly(Standing.OPEN, Standing.PASSED_OVER);
  }

  @Test
  void restart_holdEndedMeanwhile_nextTakesOverAtOnce() {
    Rig before = holdingSince(Duration.ofMinutes(10));
    clock.advance(Duration.ofHours(2));

    Rig rig = restarted(before, holding(a, b));
    rig.add("1");

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(b, 1));
    assertThat(rig.transitions).hasSize(1);
    assertThat(rig.transitions.getFirst())
        .endsWith("otlp_grpc/a open->passed_over at 7810s: its hold of 30m is over");
  }

  @Test
  void restart_afterHoldWasOver_doesNotWaitAgain() {
    Rig before = holdingSince(HOLD);
    assertThat(before.status().active()).isEqualTo(b.id());

    Rig rig = restarted(before, holding(a, b));
    rig.add("2");

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(b, 1));
    assertThat(rig.status().waitingUntil()).isNull();
    assertThat(rig.status().exporters().getFirst().since())
        .isEqualTo(before.status().exporters().getFirst().since());
  }

  @Test
  void restart_primaryAnswersAmidHold_endsItAndANewOutageIsANewHold() {
    Rig before = holdingSince(Duration.ofMinutes(10));
    a.behaviour = FakeExporter.TAKES;

    Rig rig = restarted(before, holding(a, b));
    rig.add("1");

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(a, 1));
    assertThat(rig.state(a)).isEqualTo(BreakerState.CLOSED);

    a.behaviour = FakeExporter.REFUSES;
    rig.add("2");
    rig.advance(AFTER.plus(HOLD).minusSeconds(1));
    assertThat(b.calls).isEmpty();
    rig.advance(Duration.ofSeconds(1));
    assertThat(rig.lane.settled).containsEntry(1L, Rig.deliveredBy(b, 1));
  }

  @Test
  void restart_manyTimesWithinOneHold_isOneHold() {
    Rig rig = holdingSince(Duration.ZERO);

    for (int i = 0; i < 29; i++) {
      rig.advance(Duration.ofMinutes(1));
      rig = restarted(rig, holding(a, b));
      rig.add("item " + i);
    }
    assertThat(b.calls).isEmpty();
    rig.advance(Duration.ofMinutes(1));

    assertThat(rig.status().active()).isEqualTo(b.id());
  }

  @Test
  void restart_clockWentBack_waitsNoLongerThanAWholeHold() {
    Rig before = holdingSince(Duration.ofMinutes(10));
    clock.set(Duration.ZERO.toNanos());

    Rig rig = restarted(before, holding(a, b));
    rig.add("1");

    assertThat(rig.status().waitingUntil()).isEqualTo(FakeClock.START.plus(HOLD));
    assertThat(rig.dispatcher.changes()).as("the new begin has to be kept").isEqualTo(1);

    rig.advance(HOLD.minusMinutes(1));
    rig = restarted(rig, holding(a, b));
    rig.add("1");
    assertThat(b.calls).isEmpty();
    rig.advance(Duration.ofMinutes(1));
    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(b, 1));
    assertThat(rig.status().transitions())
        .extracting(Transition::lasted)
        .allMatch(lasted -> !lasted.isNegative());
  }

  @Test
  void restart_holdIsNotConfiguredAnyMore_nextTakesOver() {
    Rig before = holdingSince(Duration.ofMinutes(10));

    Rig rig = restarted(before, new EgressSettings(List.of(a, b), Rig.FAILOVER));
    rig.add("1");

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(b, 1));
  }

  @Test
  void restart_primaryWasLeft_isTakenBackWhenItWasHealthyForTheSetTime() {
    a.behaviour = _ -> new Outcome.SinkDown(ErrorClass.AUTH, "401");
    Rig before = new Rig(clock, new EgressSettings(List.of(a, b), Rig.FAILOVER));
    before.add("1");
    Instant left = clock.instant();
    before.advance(Duration.ofMinutes(5));
    a.behaviour = FakeExporter.TAKES;

    Rig rig = restarted(before, new EgressSettings(List.of(a, b), Rig.FAILOVER));

    assertThat(rig.status().active()).isEqualTo(b.id());
    assertThat(rig.status().exporters().getFirst().since()).isEqualTo(left);
    assertThat(rig.status().exporters().getFirst().lastError()).isEqualTo("auth: 401");
    for (int i = 0; i < 70; i++) {
      rig.add("item " + i);
      rig.advance(Duration.ofSeconds(1));
    }
    assertThat(rig.status().active()).isEqualTo(a.id());
  }

  @Test
  void restart_amidRecovery_hasToBeHealthyForTheSetTimeAnew() {
    a.behaviour = _ -> new Outcome.SinkDown(ErrorClass.AUTH, "401");
    Rig before = new Rig(clock, new EgressSettings(List.of(a, b), Rig.FAILOVER));
    before.add("1");
    a.behaviour = FakeExporter.TAKES;
    for (int i = 0; before.state(a) != BreakerState.RECOVERING; i++) {
      before.add("item " + i);
      before.advance(Duration.ofSeconds(1));
    }

    Rig rig = restarted(before, new EgressSettings(List.of(a, b), Rig.FAILOVER));
    assertThat(rig.state(a)).isEqualTo(BreakerState.RECOVERING);
    for (int i = 0; i < 59; i++) {
      rig.add("more " + i);
      rig.advance(Duration.ofSeconds(1));
    }
    assertThat(rig.status().active()).isEqualTo(b.id());
    for (int i = 0; i < 15; i++) {
      rig.add("most " + i);
      rig.advance(Duration.ofSeconds(1));
    }
    assertThat(rig.status().active()).isEqualTo(a.id());
  }

  @Test
  void restart_exporterIsGone_itsStateIsForgottenAndItsHistoryKept() {
    Rig before = holdingSince(Duration.ofMinutes(10));

    Rig rig = restarted(before, holding(b, c));
    rig.add("1");

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(b, 1));
    assertThat(rig.status().transitions()).hasSize(1);
  }

  @Test
  void restart_pinIsStillOrdered_isNotToldTwice() {
    OperatorOrder pin = new OperatorOrder(b.id(), "operator ann", "cheaper", clock.instant(), null);
    Rig before = new Rig(clock, ordered(holding(a, b), pin));
    assertThat(before.transitions).hasSize(1);

    Rig rig = restarted(before, ordered(holding(a, b), pin));

    assertThat(rig.transitions).isEmpty();
    assertThat(rig.status().pin()).isEqualTo(pin);
    assertThat(rig.status().transitions()).hasSize(1);
  }

  @Test
  void restart_pinEndedMeanwhile_isReleased() {
    OperatorOrder pin =
        new OperatorOrder(
            b.id(), "operator ann", "", clock.instant(), clock.instant().plusSeconds(60));
    Rig before = new Rig(clock, ordered(holding(a, b), pin));
    clock.advance(Duration.ofMinutes(2));

    Rig rig = restarted(before, ordered(holding(a, b), null));

    assertThat(rig.status().pin()).isNull();
    assertThat(rig.transitions)
        .containsExactly("otlp_grpc/b pinned->released at 120s: its time is over");
  }

  @Test
  void restart_overQuotaTheDayBefore_isUnbarred() {
    Failover failover =
        new Failover(holding(a, b), clock, new Random(7), (_, _) -> {}, clock.nanos());
    failover.bar(a.id(), BarCause.QUOTA, "1 GiB a day is used up", clock.nanos());
    clock.advance(Duration.ofDays(1));

    Rig rig = new Rig(clock, holding(a, b), failover.past());
    assertThat(rig.status().active()).isEqualTo(b.id());
    rig.add("1");

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(a, 1));
    assertThat(rig.status().transitions())
        .extracting(Transition::to)
        .containsExactly(Standing.BARRED, Standing.UNBARRED);
  }

  @Test
  void restart_moreHistoryThanIsKept_latestIsKept() {
    Rig before = new Rig(clock, new EgressSettings(List.of(a, b), Rig.FAILOVER));
    for (int i = 0; i < History.MAX_KEPT; i++) {
      OperatorOrder pin = new OperatorOrder(b.id(), "operator ann", "", clock.instant(), null);
      before.retarget(ordered(new EgressSettings(List.of(a, b), Rig.FAILOVER), pin));
      before.retarget(new EgressSettings(List.of(a, b), Rig.FAILOVER));
    }

    Rig rig = restarted(before, new EgressSettings(List.of(a, b), Rig.FAILOVER));

    assertThat(rig.status().transitions()).hasSize(History.MAX_KEPT);
    assertThat(rig.status().transitions()).isEqualTo(before.status().transitions());
  }
}
