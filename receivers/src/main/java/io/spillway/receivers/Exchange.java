package io.spillway.receivers;

import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.Sender;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One request from its head to its answer: what it holds of the admission, and the rule that it is
 * answered once. Safe on any thread.
 */
final class Exchange {
  private final Signal signal;
  private final Transport transport;
  private final ReceiverListener listener;
  private final long startNanos = System.nanoTime();
  private final AtomicBoolean settled = new AtomicBoolean();
  private volatile long wireBytes;
  private volatile Admission.@Nullable Ticket ticket;
  private volatile Sender sender = Sender.UNKNOWN;

  Exchange(Signal signal, Transport transport, ReceiverListener listener) {
    this.signal = signal;
    this.transport = transport;
    this.listener = listener;
  }

  Signal signal() {
    return signal;
  }

  Transport transport() {
    return transport;
  }

  /** Says on which connection it is, once, before anything is reserved. */
  void from(SenderConnection connection) {
    ticket = connection.share().ticket();
  }

  /** Takes what the head says about who sends. */
  void sender(Sender known) {
    sender = known;
  }

  Sender sender() {
    return sender;
  }

  /** Bytes of the request read so far, as they came. */
  void wireBytes(long bytes) {
    wireBytes = bytes;
  }

  /** Reserves memory for the request, in place of what it held; false if there is no room. */
  boolean reserve(long bytes) {
    return Objects.requireNonNull(ticket).resize(bytes);
  }

  /** Ends the exchange and reports it; false, and nothing happens, if it was ended before. */
  boolean settle(Answer answer) {
    if (!settled.compareAndSet(false, true)) {
      return false;
    }
    giveBack();
    Duration elapsed = Duration.ofNanos(System.nanoTime() - startNanos);
    listener.answered(signal, transport, wireBytes, answer, elapsed);
    return true;
  }

  /** Ends the exchange without an answer: the sender went away first. */
  void abandon() {
    if (settled.compareAndSet(false, true)) {
      giveBack();
    }
  }

  private void giveBack() {
    Admission.Ticket held = ticket;
    if (held != null) {
      held.close();
    }
  }

  boolean isSettled() {
    return settled.get();
  }
}
