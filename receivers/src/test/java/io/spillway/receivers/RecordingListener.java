package io.spillway.receivers;

import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Answer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Remembers every answer. */
final class RecordingListener implements ReceiverListener {
  private final List<Heard> all = new CopyOnWriteArrayList<>();

  @Override
  public void answered(
      Signal signal, Transport transport, long wireBytes, Answer answer, Duration elapsed) {
    all.add(new Heard(signal, transport, wireBytes, answer, elapsed));
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
