package io.spillway.receivers;

import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Answer;
import java.time.Duration;

/** Hears of every request that was answered. Called on any thread; must neither block nor throw. */
public interface ReceiverListener {

  /** Hears nothing. */
  ReceiverListener NONE = (signal, transport, wireBytes, answer, elapsed) -> {};

  /**
   * Called once for every request that reached the endpoint of a signal, also for those that the
   * receiver refused by itself: unknown encoding, over a limit, damaged compression, no room. A
   * request that its sender gave up before it was complete has no answer and is not heard of; one
   * that it gave up later is, with the answer it would have got.
   *
   * @param wireBytes bytes of the request as they were read: compressed, without framing
   * @param elapsed from the head of the request until the answer was known
   */
  void answered(
      Signal signal, Transport transport, long wireBytes, Answer answer, Duration elapsed);

  /**
   * Called once for everything that was turned away before it was a request: such a request has no
   * answer to be heard of.
   */
  default void turnedAway(Transport transport, TurnedAway reason) {}
}
