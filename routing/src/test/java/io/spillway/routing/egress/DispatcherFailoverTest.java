package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Outcome;
import io.spillway.routing.FailoverSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class DispatcherFailoverTest {
  private static final Duration AFTER = Rig.FAILOVER.after();

  private final FakeExporter primary = new FakeExporter("otlp_grpc/primary");
  private final FakeExporter secondary = new FakeExporter("otlp_http/secondary");

  private static Function<ExportRequest, Outcome> answers(Outcome outcome) {
    return _ -> outcome;
  }

  @Test
  void step_healthyPrimary_getsEverything() {
    Rig rig = new Rig(primary, secondary);

    rig.add("a", "b");

    assertThat(rig.lane.settled)
        .containsEntry(0L, Rig.deliveredBy(primary, 1))
        .containsEntry(1L, Rig.deliveredBy(primary, 1));
    assertThat(secondary.calls).isEmpty();
    assertThat(rig.status().active()).isEqualTo(primary.id());
  }

  @Test
  void step_primaryRefuses_leavesItAfterTheSetTime() {
    primary.behaviour = FakeExporter.REFUSES;
    Rig rig = new Rig(primary, secondary);
    rig.add("a");

    rig.advance(AFTER.minusNanos(1));

    assertThat(rig.lane.settled).isEmpty();
    assertThat(primary.calls.size()).isBetween(4, 12);

    rig.advance(Duration.ofNanos(1));

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(secondary, 1));
    assertThat(rig.transitions)
        .containsExactly(
            "otlp_grpc/primary closed->open at 10s: failing for 10s, last with connect:"
                + " connection refused");
    assertThat(rig.lane.redelivered).isEmpty();
    assertThat(rig.endToEnd).containsExactly(AFTER);
  }

  @Test
  void step_primaryHangs_countsFromTheStartOfTheAttemptAndAbandonsIt() {
    primary.behaviour = FakeExporter.HANGS;
    Rig rig = new Rig(primary, secondary);
    rig.add("a");
    rig.advance(Duration.ofSeconds(4));
    rig.add("b");

    rig.advance(Duration.ofSeconds(6));

    assertThat(rig.lane.settled)
        .containsEntry(0L, Rig.deliveredBy(secondary, 1))
        .containsEntry(1L, Rig.deliveredBy(secondary, 1));
    assertThat(primary.calls).allMatch(call -> call.answer().isCancelled());
    assertThat(rig.transitions)
        .containsExactly(
            "otlp_grpc/primary closed->open at 10s: failing for 10s without an answer");
    assertThat(rig.lane.redelivered).containsExactlyInAnyOrder(0L, 1L);
  }

  @Test
  void step_oneAttemptHangsWhileOthersSucceed_staysWithTheExporter() {
    primary.behaviour =
        request -> Blocks.bodies(request).contains("stuck") ? null : new Outcome.Delivered();
    Rig rig = new Rig(primary, secondary);
    rig.add("stuck");

    for (int i = 0; i < 6; i++) {
      rig.advance(Duration.ofSeconds(4));
      rig.add("fine " + i);
    }

    assertThat(rig.transitions).isEmpty();
    assertThat(rig.lane.settled).hasSize(6);
  }

  // conformance: R-04
  @Test
  void step_serverErrors_failOverAndCountTheRedelivery() {
    primary.behaviour = FakeExporter.FAILS;
    Rig rig = new Rig(primary, secondary);
    rig.add("a");

    rig.advance(AFTER);

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(secondary, 1));
    assertThat(rig.lane.redelivered).containsExactly(0L);
  }

  // conformance: E-38
  @Test
  void step_throttledForTenMinutes_failsOverAndIsNotAskedBefore() {
    primary.behaviour =
        answers(new Outcome.Retry(Duration.ofMinutes(10), ErrorClass.THROTTLED, "429"));
    Rig rig = new Rig(primary, secondary);
    rig.add("a");

    rig.advance(AFTER);

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(secondary, 1));

    primary.behaviour = FakeExporter.TAKES;
    for (int i = 0; i < 589; i++) {
      rig.add("b" + i);
      rig.advance(Duration.ofSeconds(1));
    }
    assertThat(primary.calls).hasSize(1);

    rig.advance(Duration.ofSeconds(2));
    rig.add("probe");

    assertThat(primary.calls).hasSize(2);
    assertThat(rig.state(primary)).isEqualTo(BreakerState.RECOVERING);
    assertThat(rig.lane.redelivered).isEmpty();
  }

  // conformance: E-38
  @Test
  void finished_successAfterThrottling_doesNotHideThePause() {
    primary.behaviour = FakeExporter.HANGS;
    Rig rig = new Rig(primary, secondary);
    rig.add("throttled", "slow");
    primary
        .calls
        .get(0)
        .answer()
        .complete(new Outcome.Retry(Duration.ofMinutes(10), ErrorClass.THROTTLED, "429"));
    rig.run();
    rig.advance(Duration.ofSeconds(1));
    primary.calls.get(1).answer().complete(new Outcome.Delivered());
    rig.run();

    rig.advance(AFTER);

    assertThat(rig.lane.settled)
        .containsEntry(1L, Rig.deliveredBy(primary, 1))
        .containsEntry(0L, Rig.deliveredBy(secondary, 1));
  }

  @Test
  void finished_needsOperator_failsOverAtOnce() {
    for (ErrorClass error : ErrorClass.values()) {
      if (error.needsOperator()) {
        FakeExporter broken = new FakeExporter("broken");
        broken.behaviour = answers(new Outcome.SinkDown(error, "no"));
        Rig rig = new Rig(broken, secondary);

        rig.add("a");

        assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(secondary, 1));
        assertThat(rig.transitions)
            .containsExactly("broken closed->open at 0s: " + error.label() + ": no");
      }
    }
  }

  @Test
  void step_noFailoverTimeAtAll_opensOnTheFirstFailureButNotOnAnUnansweredAttempt() {
    Rig rig =
        new Rig(new FailoverSettings(Duration.ZERO, Duration.ofSeconds(1)), primary, secondary);
    primary.behaviour = FakeExporter.HANGS;
    rig.add("a");
    rig.advance(Duration.ofSeconds(5));
    assertThat(rig.transitions).isEmpty();

    primary.lastCall().answer().complete(new Outcome.SinkDown(ErrorClass.RESET, "reset"));
    rig.run();

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(secondary, 1));
  }

  @Test
  void step_primaryHealthyAgain_isTakenBackAfterFailback() {
    Rig rig = failedOver();
    primary.behaviour = FakeExporter.TAKES;
    int before = primary.calls.size();

    traffic(rig, 59);
    assertThat(rig.state(primary)).isEqualTo(BreakerState.RECOVERING);
    assertThat(rig.status().active()).isEqualTo(secondary.id());
    assertThat(primary.calls.size() - before).isBetween(3, 9);

    traffic(rig, 15);

    assertThat(rig.state(primary)).isEqualTo(BreakerState.CLOSED);
    assertThat(rig.status().active()).isEqualTo(primary.id());
    assertThat(rig.transitions.getLast()).endsWith("probes succeeded for 1m");
  }

  @Test
  void step_lowTraffic_nextBlockAfterFailbackDecides() {
    Rig rig = failedOver();
    primary.behaviour = FakeExporter.TAKES;
    rig.advance(Duration.ofSeconds(20));
    rig.add("first probe");
    assertThat(rig.state(primary)).isEqualTo(BreakerState.RECOVERING);

    rig.advance(Duration.ofMinutes(30));
    assertThat(rig.state(primary)).isEqualTo(BreakerState.RECOVERING);
    rig.add("deciding probe");

    assertThat(rig.state(primary)).isEqualTo(BreakerState.CLOSED);
  }

  @Test
  void step_noFailbackTime_oneProbeIsEnough() {
    Rig rig =
        new Rig(new FailoverSettings(Duration.ofSeconds(1), Duration.ZERO), primary, secondary);
    primary.behaviour = FakeExporter.REFUSES;
    rig.add("a");
    rig.advance(Duration.ofSeconds(1));
    primary.behaviour = FakeExporter.TAKES;
    rig.advance(Duration.ofSeconds(1));

    rig.add("b");

    assertThat(rig.state(primary)).isEqualTo(BreakerState.CLOSED);
    assertThat(rig.transitions).hasSize(2);
  }

  @Test
  void step_failedProbe_sendsItsBlockToTheActiveExporterAtOnce() {
    Rig rig = failedOver();
    rig.advance(Duration.ofSeconds(20));
    int before = primary.calls.size();

    rig.add("probe");

    assertThat(primary.calls).hasSize(before + 1);
    assertThat(Blocks.bodies(secondary.lastCall().request())).containsExactly("probe");
    assertThat(rig.dispatcher.attemptsInFlight()).isZero();
  }

  @Test
  void step_hangingProbe_isGivenUpAfterTheSetTime() {
    Rig rig = failedOver();
    primary.behaviour = FakeExporter.HANGS;
    rig.advance(Duration.ofSeconds(20));
    rig.add("probe");
    long index = 1;
    assertThat(rig.lane.settled).doesNotContainKey(index);

    rig.advance(AFTER);

    assertThat(rig.lane.settled).containsEntry(index, Rig.deliveredBy(secondary, 1));
    assertThat(rig.lane.redelivered).containsExactly(index);
  }

  @Test
  void step_flappingPrimary_isNotTakenBackBeforeItStaysHealthy() {
    Rig rig = failedOver();

    for (int i = 0; i < 10; i++) {
      primary.behaviour = FakeExporter.TAKES;
      traffic(rig, 30);
      primary.behaviour = FakeExporter.REFUSES;
      traffic(rig, 30);
    }

    assertThat(rig.transitions).noneMatch(line -> line.contains("->closed"));
    assertThat(rig.transitions).anyMatch(line -> line.contains("recovering->open"));
    assertThat(rig.dispatcher.status(rig.clock.nanos()).blocks()).isZero();
  }

  @Test
  void step_bothDownThenUp_theFirstToAnswerTakesOverAtOnce() {
    Rig rig = failedOver();
    secondary.behaviour = FakeExporter.FAILS;
    for (int i = 0; i < 20; i++) {
      rig.add("b" + i);
    }
    rig.advance(Duration.ofMinutes(5));
    assertThat(rig.status().active()).isNull();
    assertThat(rig.status().blocks()).isEqualTo(20);
    int calls = primary.calls.size() + secondary.calls.size();
    assertThat(calls).isLessThan(120);

    secondary.behaviour = FakeExporter.TAKES;
    rig.advance(Duration.ofSeconds(13));

    assertThat(rig.status().active()).isEqualTo(secondary.id());
    assertThat(rig.status().blocks()).isZero();
    assertThat(rig.lane.settled).hasSize(21);

    primary.behaviour = FakeExporter.TAKES;
    traffic(rig, 90);

    assertThat(rig.status().active()).isEqualTo(primary.id());
  }

  @Test
  void step_sinkBackAndNewBlocksWithoutEnd_theOldestHasItsTurn() {
    primary.maxRequestBytes = Blocks.request(List.of("new 00")).length; // nothing is merged
    primary.behaviour = _ -> new Outcome.SinkDown(ErrorClass.CONNECT, "refused");
    Rig rig = new Rig(primary);
    rig.add("old");
    int failed = primary.calls.size();
    primary.behaviour = FakeExporter.TAKES;
    for (int i = 10; i < 40; i++) {
      rig.dispatcher.arrived(rig.blocks.block("new " + i), false, rig.clock.nanos());
    }

    rig.advance(Duration.ofMinutes(1));

    List<String> sent =
        primary.calls.stream()
            .skip(failed)
            .map(call -> Blocks.bodies(call.request()).getFirst())
            .toList();
    assertThat(sent).hasSize(31);
    assertThat(sent.indexOf("old")).isEqualTo(Dispatcher.MAX_PASSED_OVER);
  }

  @Test
  void step_soleExporterDown_isRetriedForEverAndShownOpen() {
    primary.behaviour = FakeExporter.REFUSES;
    Rig rig = new Rig(primary);
    rig.add("a");

    rig.advance(Duration.ofHours(1));

    assertThat(rig.state(primary)).isEqualTo(BreakerState.OPEN);
    assertThat(primary.calls.size()).isBetween(80, 300);

    primary.behaviour = FakeExporter.TAKES;
    rig.advance(Duration.ofSeconds(45));

    assertThat(rig.lane.settled).containsEntry(0L, Rig.deliveredBy(primary, 1));
    assertThat(rig.state(primary)).isEqualTo(BreakerState.CLOSED);
  }

  @Test
  void step_soleExporterSlow_isNotAbandoned() {
    primary.behaviour = FakeExporter.HANGS;
    Rig rig = new Rig(primary);
    rig.add("a");
    rig.advance(Duration.ofSeconds(25));
    assertThat(rig.state(primary)).isEqualTo(BreakerState.OPEN);

    primary.lastCall().answer().complete(new Outcome.Delivered());
    rig.run();

    assertThat(primary.calls).hasSize(1);
    assertThat(rig.lane.settled).hasSize(1);
    assertThat(rig.state(primary)).isEqualTo(BreakerState.CLOSED);
  }

  @Test
  void finished_failure_pausesTheWholeExporter() {
    primary.behaviour =
        answers(new Outcome.Retry(Duration.ofSeconds(5), ErrorClass.THROTTLED, "429"));
    Rig rig = new Rig(primary, secondary);
    rig.add("a", "b", "c");

    rig.advance(Duration.ofSeconds(4));

    assertThat(primary.calls).hasSize(1);
  }

  @Test
  void retarget_sameIds_keepsStateAndTriesARebuiltExporterSoon() {
    primary.behaviour = answers(new Outcome.SinkDown(ErrorClass.AUTH, "401"));
    Rig rig = new Rig(primary, secondary);
    rig.add("a");
    rig.advance(Duration.ofSeconds(1));
    rig.add("b");
    FakeExporter mended = new FakeExporter(primary.id());
    FakeExporter third = new FakeExporter("file/third");

    rig.dispatcher.retarget(
        new EgressSettings(List.of(mended, third), Rig.FAILOVER), rig.clock.nanos());
    assertThat(rig.state(mended)).isEqualTo(BreakerState.OPEN);
    assertThat(rig.status().active()).isEqualTo(third.id());
    rig.add("c", "d");

    assertThat(Blocks.bodies(mended.lastCall().request())).containsExactly("c");
    assertThat(Blocks.bodies(third.lastCall().request())).containsExactly("d");
  }

  @Test
  void retarget_attemptInFlightAtARemovedExporter_isStillSettled() {
    primary.behaviour = FakeExporter.HANGS;
    Rig rig = new Rig(primary);
    rig.add("a", "b");

    rig.dispatcher.retarget(
        new EgressSettings(List.of(secondary), Rig.FAILOVER), rig.clock.nanos());
    primary.calls.get(0).answer().complete(new Outcome.Delivered());
    primary.calls.get(1).answer().complete(new Outcome.SinkDown(ErrorClass.RESET, "closed"));
    rig.run();

    assertThat(rig.lane.settled)
        .containsEntry(0L, Rig.deliveredBy(primary, 1))
        .containsEntry(1L, Rig.deliveredBy(secondary, 1));
  }

  /** A rig whose primary refuses and was left for the secondary, with nothing waiting. */
  private Rig failedOver() {
    primary.behaviour = FakeExporter.REFUSES;
    Rig rig = new Rig(primary, secondary);
    rig.add("a");
    rig.advance(AFTER);
    assertThat(rig.status().active()).isEqualTo(secondary.id());
    return rig;
  }

  private static void traffic(Rig rig, int seconds) {
    List<String> bodies = new ArrayList<>();
    for (int i = 0; i < seconds * 2; i++) {
      bodies.add("traffic " + i);
    }
    for (String body : bodies) {
      rig.add(body);
      rig.advance(Duration.ofMillis(500));
    }
  }
}
