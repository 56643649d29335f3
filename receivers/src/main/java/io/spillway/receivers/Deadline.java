package io.spillway.receivers;

import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What happens when the sender lets us wait; one thing at a time. Used by one event loop. */
final class Deadline {
  private final EventExecutor executor;
  private @Nullable ScheduledFuture<?> scheduled;

  Deadline(EventExecutor executor) {
    this.executor = executor;
  }

  /** Does this when the time is over, in place of what was to be done before. */
  void arm(Duration timeout, Runnable action) {
    disarm();
    scheduled = executor.schedule(action, timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  void disarm() {
    if (scheduled != null) {
      scheduled.cancel(false);
      scheduled = null;
    }
  }
}
