package io.spillway.routing.egress;

import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.Settlement;
import java.time.Duration;

/**
 * Hears what the egress of a lane does. All methods are called on the lane's dispatch thread and
 * must not block; what they throw is logged and otherwise ignored.
 */
public interface EgressListener {
  /** Hears nothing. */
  EgressListener NONE = new EgressListener() {};

  /**
   * An attempt has ended. An abandoned one is reported as {@link Outcome.SinkDown} with a timeout.
   *
   * @param payloadBytes compressed bytes of the request
   * @param wireBytes what it put on the network, framing, TLS and handshakes included
   * @param items items in the request
   */
  default void attempt(
      LaneId lane,
      String exporter,
      Outcome outcome,
      Duration elapsed,
      long payloadBytes,
      long wireBytes,
      int items) {}

  /**
   * What an attempt came to for one tenant; called for each of its tenants after {@link #attempt}.
   *
   * @param tenant empty if there is none
   * @param wireBytes the tenant's part of the attempt's
   * @param items that the sink took
   */
  default void sent(LaneId lane, String exporter, String tenant, long wireBytes, int items) {}

  /**
   * A block has been settled.
   *
   * @param endToEnd from when its oldest request was accepted
   */
  default void settled(LaneId lane, Block block, Settlement settlement, Duration endToEnd) {}

  /**
   * Items were given up. The settlement of their block will count them too.
   *
   * @param reason in the sink's words where it had some
   */
  default void dropped(LaneId lane, DropReason drop, int items, String reason) {}

  /** An exporter has changed its standing. */
  default void transition(LaneId lane, Transition transition) {}
}
