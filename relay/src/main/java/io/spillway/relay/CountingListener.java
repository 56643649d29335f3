package io.spillway.relay;

import io.spillway.buffer.ReceivedCounts;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Answer;
import io.spillway.receivers.ReceiverListener;
import io.spillway.receivers.Transport;
import io.spillway.receivers.TurnedAway;
import java.time.Duration;

/**
 * Counts answers durably for the ledger, then passes them on to the meters.
 *
 * <p>A request that was turned away before its items could be counted counts as one.
 */
final class CountingListener implements ReceiverListener {

  private final ReceivedCounts counts;
  private final ReceiverListener next;

  CountingListener(ReceivedCounts counts, ReceiverListener next) {
    this.counts = counts;
    this.next = next;
  }

  @Override
  public void answered(
      Signal signal, Transport transport, long wireBytes, Answer answer, Duration elapsed) {
    switch (answer) {
      case Answer.Accepted accepted -> {
        counts.add(signal, ReceivedCounts.Kind.ACCEPTED, accepted.items() - accepted.rejected());
        counts.add(signal, ReceivedCounts.Kind.INVALID, accepted.rejected());
      }
      case Answer.Invalid invalid ->
          counts.add(signal, ReceivedCounts.Kind.INVALID, Math.max(1, invalid.items()));
      case Answer.NotServed notServed ->
          counts.add(signal, ReceivedCounts.Kind.INVALID, Math.max(1, notServed.items()));
      case Answer.TooLarge tooLarge ->
          counts.add(signal, ReceivedCounts.Kind.INVALID, Math.max(1, tooLarge.items()));
      case Answer.Unavailable unavailable ->
          counts.add(signal, ReceivedCounts.Kind.REFUSED, Math.max(1, unavailable.items()));
    }
    next.answered(signal, transport, wireBytes, answer, elapsed);
  }

  /** Of no request, so the ledger has nothing of it. */
  @Override
  public void turnedAway(Transport transport, TurnedAway reason) {
    next.turnedAway(transport, reason);
  }
}
