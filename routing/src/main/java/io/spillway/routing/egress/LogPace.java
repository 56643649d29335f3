package io.spillway.routing.egress;

import java.time.Duration;
import java.util.function.Consumer;

/** Lets one log line through per interval and counts the others. Belongs to one thread. */
final class LogPace {
  static final long INTERVAL_NANOS = Duration.ofSeconds(10).toNanos();

  private boolean used;
  private long last;
  private long suppressed;

  /**
   * Calls {@code line} if it is time for one.
   *
   * @param line gets a note on the lines left out since the last one; empty if there were none
   */
  void admit(long nowNanos, Consumer<String> line) {
    if (used && nowNanos - last < INTERVAL_NANOS) {
      suppressed++;
      return;
    }
    String note = suppressed == 0 ? "" : " (" + suppressed + " like it were not logged)";
    used = true;
    last = nowNanos;
    suppressed = 0;
    line.accept(note);
  }
}
