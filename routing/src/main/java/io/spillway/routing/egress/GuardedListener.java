package io.spillway.routing.egress;

import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.Settlement;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the failures of a listener away from the accounting. */
final class GuardedListener implements EgressListener {
  private static final Logger log = LoggerFactory.getLogger(GuardedListener.class);

  private final EgressListener listener;
  private final LongSupplier nanoClock;
  private final LogPace pace = new LogPace();

  /**
   * @param nanoClock monotonic nanoseconds
   */
  GuardedListener(EgressListener listener, LongSupplier nanoClock) {
    this.listener = listener;
    this.nanoClock = nanoClock;
  }

  @Override
  public void attempt(
      LaneId lane,
      String exporter,
      Outcome outcome,
      Duration elapsed,
      long payloadBytes,
      long wireBytes,
      int items) {
    guard(
        lane,
        () -> listener.attempt(lane, exporter, outcome, elapsed, payloadBytes, wireBytes, items));
  }

  @Override
  public void sent(LaneId lane, String exporter, String tenant, long wireBytes, int items) {
    guard(lane, () -> listener.sent(lane, exporter, tenant, wireBytes, items));
  }

  @Override
  public void settled(LaneId lane, Block block, Settlement settlement, Duration endToEnd) {
    guard(lane, () -> listener.settled(lane, block, settlement, endToEnd));
  }

  @Override
  public void dropped(LaneId lane, DropReason drop, int items, String reason) {
    guard(lane, () -> listener.dropped(lane, drop, items, reason));
  }

  @Override
  public void transition(LaneId lane, Transition transition) {
    guard(lane, () -> listener.transition(lane, transition));
  }

  private void guard(LaneId lane, Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) {
      pace.admit(
          nanoClock.getAsLong(),
          more -> log.warn("egress {}: the listener failed; metrics may be off.{}", lane, more, e));
    }
  }
}
