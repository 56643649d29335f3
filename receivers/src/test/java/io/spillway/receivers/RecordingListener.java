package io.spillway.receivers;

import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Answer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Remembers every answer. */
final class RecordingListener implements ReceiverListener {
  private final List<Heard> all = new CopyOnWriteArrayList<>();
  private final List<String> turnedAway = new CopyOnWriteArrayList<>();

  @Override
  public void answered(
      Signal signal, Transport transport, long wireBytes, Answer answer, Duration elapsed) {
    all.add(new Heard(signal, transport, wireBytes, answer, elapsed));
  }

  @Override
  public void turnedAway(Transport transport, TurnedAway reason) {
    turnedAway.add(transport.label() + " " + reason.label());
  }

  /** {@code <transport> <reason>}, in order. */
  List<String> turnedAway() {
    return turnedAway;
  }

  List<Heard> all() {
    return all;
  }

  Heard only() {
    if (all.size() != 1) {
      throw new AssertionError("heard " + all);
    }
    return all.getFirst();
  }

  record Heard(
      Signal signal, Transport transport, long wireBytes, Answer answer, Duration elapsed) {}
}
