package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class IdleProberTest {
  private static final Duration INTERVAL = Duration.ofMinutes(1);

  /** Beyond the jitter of one wait. */
  private static final Duration WAIT = Duration.ofSeconds(67);

  private final FakeClock clock = new FakeClock();
  private final FakeExporter sink = new FakeExporter("otlp_grpc/sink");
  private final Lane one = new Lane();
  private final Lane two = new Lane();
  private final List<String> heard = new ArrayList<>();
  private final IdleProber prober =
      new IdleProber(
          clock,
          new Random(7),
          (exporter, signal, outcome) -> heard.add(exporter + " " + signal.label()));

  /** A lane that is as the test says. */
  private final class Lane implements ProbedLane {
    final List<Outcome> outcomes = new ArrayList<>();
    @Nullable Instant lastAttempt;
    @Nullable Instant leftAloneUntil;
    int inFlight;
    boolean barred;

    @Override
    public EgressStatus status() {
      Bar bar = new Bar(BarCause.OPERATOR, "operator", "", clock.instant(), null);
      return new EgressStatus(
          FakeLane.ID,
          null,
          0,
          List.of(
              new EgressStatus.ExporterStatus(
                  sink.id(),
                  0,
                  true,
                  BreakerState.CLOSED,
                  FakeClock.START,
                  "",
                  "",
                  inFlight,
                  lastAttempt,
                  null,
                  leftAloneUntil,
                  barred ? List.of(bar) : List.of())),
          List.of(),
          null,
          null);
    }

    @Override
    public void probed(String exporter, Outcome outcome) {
      outcomes.add(outcome);
    }
  }

  private void target() {
    prober.targets(List.of(new IdleProber.Target(sink, INTERVAL, Signal.LOGS, List.of(one, two))));
  }

  private void after(Duration time) {
    clock.advance(time);
    prober.look();
  }

  @AfterEach
  void close() {
    prober.close();
  }

  @Test
  void look_idleForTheInterval_sendsOneEmptyRequestForAllLanes() {
    sink.codec = Codec.GZIP;
    target();

    after(Duration.ofSeconds(53));
    assertThat(sink.calls).isEmpty();
    after(Duration.ofSeconds(14));

    assertThat(sink.calls).hasSize(1);
    assertThat(sink.lastCall().request().items()).isZero();
    assertThat(sink.lastCall().request().signal()).isEqualTo(Signal.LOGS);
    assertThat(Blocks.bodies(sink.lastCall().request())).isEmpty();
    assertThat(one.outcomes).containsExactly(new Outcome.Delivered());
    assertThat(two.outcomes).containsExactly(new Outcome.Delivered());
    assertThat(heard).containsExactly("otlp_grpc/sink logs");
  }

  @Test
  void look_anyLaneAtWork_waits() {
    target();
    clock.advance(WAIT);
    two.lastAttempt = clock.instant();
    prober.look();
    assertThat(sink.calls).isEmpty();

    after(Duration.ofSeconds(30));
    assertThat(sink.calls).isEmpty();
    two.inFlight = 1;
    after(WAIT);
    assertThat(sink.calls).isEmpty();
    two.inFlight = 0;
    after(Duration.ofSeconds(1));

    assertThat(sink.calls).hasSize(1);
  }

  @Test
  void look_barredEverywhereOrAskedToWait_sendsNothing() {
    target();
    one.barred = true;
    two.barred = true;
    after(WAIT);
    assertThat(sink.calls).isEmpty();

    two.barred = false;
    two.leftAloneUntil = clock.instant().plusSeconds(600);
    after(WAIT);
    assertThat(sink.calls).isEmpty();

    two.leftAloneUntil = null;
    after(WAIT);
    assertThat(sink.calls).hasSize(1);
  }

  @Test
  void look_probeFails_asksAgainSoonUntilItIsNoAccident() {
    sink.behaviour = _ -> new Outcome.SinkDown(ErrorClass.CONNECT, "refused");
    target();
    after(WAIT);

    for (int i = 0; i < 20; i++) {
      after(Duration.ofSeconds(1));
    }

    assertThat(one.outcomes).hasSize(Failover.IDLE_FAILURES_TO_OPEN);

    after(WAIT);
    assertThat(one.outcomes).hasSize(Failover.IDLE_FAILURES_TO_OPEN + 1);
  }

  @Test
  void look_probeUnanswered_sendsNoOther() {
    sink.behaviour = FakeExporter.HANGS;
    target();
    after(WAIT);
    after(WAIT);
    assertThat(sink.calls).hasSize(1);

    sink.lastCall().answer().complete(new Outcome.BadData("empty"));
    after(WAIT);

    assertThat(sink.calls).hasSize(2);
    assertThat(one.outcomes).containsExactly(new Outcome.BadData("empty"));
  }

  @Test
  void targets_sameExporterRebuilt_keepsItsPlaceInTime() {
    target();
    clock.advance(Duration.ofSeconds(40));
    target();

    after(Duration.ofSeconds(27));

    assertThat(sink.calls).hasSize(1);
  }

  @Test
  void look_exporterThrows_isAFailure() {
    sink.behaviour =
        _ -> {
          throw new IllegalStateException("closed");
        };
    target();

    after(WAIT);

    assertThat(one.outcomes)
        .containsExactly(
            new Outcome.SinkDown(
                ErrorClass.LOCAL, "the exporter failed: java.lang.IllegalStateException: closed"));
  }
}
