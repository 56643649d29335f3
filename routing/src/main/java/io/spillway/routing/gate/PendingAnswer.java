package io.spillway.routing.gate;

import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.Lane.AppendCallback;
import io.spillway.otlp.stage.Lane.Refusal;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Waits for all appends of one request, then answers it: accepted if every one was stored,
 * unavailable if any was refused. Safe on any thread.
 */
final class PendingAnswer {
  private final Answer.Accepted success;
  private final AtomicInteger open;
  private final Consumer<? super Answer> answer;
  private final AtomicReference<@Nullable Refusal> refusal = new AtomicReference<>();

  PendingAnswer(Answer.Accepted success, int appends, Consumer<? super Answer> answer) {
    this.success = success;
    this.open = new AtomicInteger(appends);
    this.answer = answer;
  }

  /** A callback for one of the appends; what is reported to it a second time is ignored. */
  AppendCallback append() {
    AtomicBoolean done = new AtomicBoolean();
    return new AppendCallback() {
      @Override
      public void appended() {
        if (done.compareAndSet(false, true)) {
          close();
        }
      }

      @Override
      public void refused(Refusal reason) {
        if (done.compareAndSet(false, true)) {
          refusal.accumulateAndGet(reason, PendingAnswer::combine);
          close();
        }
      }
    };
  }

  /** Whether an append was refused: the sender will send the request again. */
  boolean isRefused() {
    return refusal.get() != null;
  }

  /** Closes an append that will not be made. */
  void skip() {
    close();
  }

  static Answer unavailable(int items, Refusal refusal) {
    return new Answer.Unavailable(items, refusal.retryAfter(), refusal.reason());
  }

  /** The first reason, the longest delay. */
  static Refusal combine(@Nullable Refusal earlier, Refusal later) {
    if (earlier == null) {
      return later;
    }
    Duration longest =
        earlier.retryAfter().compareTo(later.retryAfter()) >= 0
            ? earlier.retryAfter()
            : later.retryAfter();
    return new Refusal(longest, earlier.reason());
  }

  private void close() {
    if (open.decrementAndGet() == 0) {
      Refusal refused = refusal.get();
      answer.accept(refused == null ? success : unavailable(success.items(), refused));
    }
  }
}
