package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Outcome;
import io.spillway.routing.FailoverSettings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FailoverBarsTest {
  private static final String WHY = "1 GiB of 1 GiB a day used";

  private final FakeClock clock = new FakeClock();
  private final List<Transition> moved = new ArrayList<>();
  private final FakeExporter primary = new FakeExporter("otlp_grpc/primary");
  private final FakeExporter secondary = new FakeExporter("otlp_http/secondary");
  private final Failover failover = failover(primary, secondary);

  private Failover failover(FakeExporter... exporters) {
    return new Failover(
        new EgressSettings(List.of(exporters), FailoverSettings.DEFAULT),
        clock,
        new Random(7),
        (transition, _) -> moved.add(transition),
        0);
  }

  private List<String> ready() {
    return failover.ready(clock.nanos()).stream().map(breaker -> breaker.id).toList();
  }

  private void bar(FakeExporter exporter) {
    failover.bar(exporter.id(), BarCause.QUOTA, WHY, clock.nanos());
  }

  private void unbar(FakeExporter exporter) {
    failover.unbar(exporter.id(), BarCause.QUOTA, clock.nanos());
  }

  @Test
  void bar_active_nextTakesOverAndTheBarredIsNotProbed() {
    clock.advance(Duration.ofSeconds(5));
    bar(primary);

    assertThat(ready()).containsExactly(secondary.id());
    assertThat(failover.active().id).isEqualTo(secondary.id());

    clock.advance(Duration.ofMinutes(10));
    failover.tick(clock.nanos());

    assertThat(ready()).containsExactly(secondary.id());
    assertThat(moved)
        .containsExactly(
            new Transition(
                primary.id(),
                Standing.UNBARRED,
                Standing.BARRED,
                FakeClock.START.plusSeconds(5),
                Duration.ofSeconds(5),
                "quota",
                WHY));
  }

  @Test
  void unbar_barred_takesItBackAtOnce() {
    bar(primary);
    clock.advance(Duration.ofSeconds(90));

    unbar(primary);

    assertThat(ready()).containsExactly(primary.id());
    assertThat(moved.getLast())
        .isEqualTo(
            new Transition(
                primary.id(),
                Standing.BARRED,
                Standing.UNBARRED,
                FakeClock.START.plusSeconds(90),
                Duration.ofSeconds(90),
                "quota",
                "no longer: " + WHY));
  }

  @Test
  void bar_everyExporter_nothingIsReadyAndNothingIsDue() {
    bar(primary);
    bar(secondary);

    assertThat(ready()).isEmpty();
    assertThat(failover.active()).isNull();
    assertThat(failover.nextChange(clock.nanos())).isEqualTo(Breaker.NEVER);
  }

  @Test
  void bar_twoCauses_bothMustBeLifted() {
    bar(primary);
    failover.bar(primary.id(), BarCause.OPERATOR, "maintenance", clock.nanos());
    unbar(primary);

    assertThat(ready()).containsExactly(secondary.id());

    failover.unbar(primary.id(), BarCause.OPERATOR, clock.nanos());

    assertThat(ready()).containsExactly(primary.id());
  }

  @Test
  void bar_twice_isOneBarWithTheNewReason() {
    bar(primary);
    Instant since = clock.instant();
    clock.advance(Duration.ofSeconds(5));

    failover.bar(primary.id(), BarCause.QUOTA, "2 GiB of 1 GiB a day used", clock.nanos());

    assertThat(moved).hasSize(1);
    assertThat(failover.order().getFirst().bars)
        .containsEntry(
            BarCause.QUOTA,
            new Bar(BarCause.QUOTA, "quota", "2 GiB of 1 GiB a day used", since, null));
  }

  @Test
  void unbar_notBarredOrUnknown_changesNothing() {
    unbar(primary);
    failover.unbar("nobody", BarCause.QUOTA, clock.nanos());
    failover.bar("nobody", BarCause.QUOTA, WHY, clock.nanos());

    assertThat(moved).isEmpty();
    assertThat(ready()).containsExactly(primary.id());
  }

  @Test
  void bar_attemptInFlight_finishesAndCounts() {
    Ticket ticket = failover.begin(failover.active(), clock.nanos());
    bar(primary);
    clock.advance(Duration.ofSeconds(2));

    assertThat(failover.abandons(ticket, clock.nanos())).isFalse();
    failover.delivered(ticket, clock.nanos());

    assertThat(failover.order().getFirst().succeeded).isEqualTo(1);
    assertThat(ready()).containsExactly(secondary.id());
  }

  @Test
  void bar_recovering_isNotClosedWhenTheLastOtherFails() {
    primary.behaviour = _ -> new Outcome.SinkDown(ErrorClass.AUTH, "401");
    Rig rig = new Rig(primary, secondary);
    rig.add("a");
    primary.behaviour = FakeExporter.TAKES;
    rig.advance(Duration.ofSeconds(2));
    rig.add("b");
    assertThat(rig.state(primary)).isEqualTo(BreakerState.RECOVERING);
    rig.dispatcher.retarget(
        Rig.settings(
            List.of(List.of(primary), List.of(secondary)),
            FailoverSettings.DEFAULT,
            new OperatorOrders(
                null,
                List.of(
                    new OperatorOrder(
                        primary.id(), "operator ann", WHY, rig.clock.instant(), null)))),
        rig.clock.nanos());
    secondary.behaviour = _ -> new Outcome.SinkDown(ErrorClass.AUTH, "403");

    rig.add("c");
    rig.advance(Duration.ofMinutes(5));

    assertThat(rig.status().active()).isNull();
    assertThat(rig.lane.settled).doesNotContainKey(2L);
    assertThat(rig.status().exporters().getFirst().bars())
        .extracting(Bar::reason)
        .containsExactly(WHY);
  }
}
