package io.spillway.routing.egress;

import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Outcome;

/**
 * What one lane may send to one exporter now: how much at once, and not before it is paid for. One
 * thread uses it; any may ask for {@link #limit}.
 */
final class Valve {
  private final String exporter;
  private final ConcurrencyLimit limit;
  private LaneFlow flow;
  private long opensAt;

  Valve(String exporter, LaneFlow flow) {
    this.exporter = exporter;
    this.flow = flow;
    this.limit = new ConcurrencyLimit(flow.maxConcurrency(exporter));
  }

  void retarget(LaneFlow next) {
    flow = next;
    limit.max(next.maxConcurrency(exporter));
  }

  /** Attempts that may be in flight. */
  int limit() {
    return limit.limit();
  }

  boolean isOpen(int inFlight, long now) {
    return inFlight < limit.limit() && opensAt <= now;
  }

  /** Before this time the bandwidth cap lets nothing through. */
  long opensAt() {
    return opensAt;
  }

  /**
   * An attempt begins.
   *
   * @param inFlight attempts, this one included
   * @param bytes that go out
   */
  void begin(int inFlight, long bytes, long now) {
    limit.began(inFlight);
    opensAt = now + flow.charge(exporter, bytes);
  }

  /**
   * An attempt has ended.
   *
   * @param wireBytes what went over the network: with framing and TLS more than what was paid for,
   *     without a connection less
   */
  void end(Attempt attempt, Outcome outcome, long wireBytes, long now) {
    long unpaid = wireBytes - attempt.payloadBytes();
    long wait = flow.charge(exporter, unpaid);
    if (unpaid < 0) {
      opensAt = Math.min(opensAt, now + wait);
    }
    long started = attempt.ticket().startedNanos;
    switch (outcome) {
      case Outcome.Delivered _ -> limit.answered(started, now, attempt.payloadBytes());
      case Outcome.Retry(var _, ErrorClass error, var _) -> limit.failed(error, started, now);
      case Outcome.SinkDown(ErrorClass error, var _) -> limit.failed(error, started, now);
      case Outcome.TooLarge _, Outcome.BadData _ -> {
        // How soon a sink turns something down says little about how busy it is.
      }
    }
  }
}
