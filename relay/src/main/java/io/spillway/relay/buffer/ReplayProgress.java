package io.spillway.relay.buffer;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Shows how a replay goes: a bar that is drawn over itself on a terminal, now and then a line
 * elsewhere. Belongs to one thread.
 */
public final class ReplayProgress {
  private static final int BAR = 24;
  private static final Duration BAR_EVERY = Duration.ofMillis(200);
  private static final Duration LINE_EVERY = Duration.ofSeconds(5);

  private final PrintWriter err;
  private final boolean terminal;
  private final LongSupplier nanoClock;
  private final long start;
  private long shown;
  private boolean drawn;

  /**
   * @param nanoClock monotonic nanoseconds
   */
  public ReplayProgress(PrintWriter err, boolean terminal, LongSupplier nanoClock) {
    this.err = err;
    this.terminal = terminal;
    this.nanoClock = nanoClock;
    this.start = nanoClock.getAsLong();
    this.shown = start;
  }

  /**
   * Shows a state, if it is time again.
   *
   * @param total items to send in all
   * @param next the item that a replay would go on from now, with the name of its lane
   * @param trouble what the sink says, if it does not take them now
   */
  void show(Tally tally, long total, String next, @Nullable String trouble) {
    long now = nanoClock.getAsLong();
    if (now - shown < (terminal ? BAR_EVERY : LINE_EVERY).toNanos()) {
      return;
    }
    shown = now;
    String state = state(tally, total, now - start);
    String wait = trouble == null ? "" : "; told to wait: " + trouble;
    if (terminal) {
      err.print("\r\u001b[K" + bar(tally.items(), total) + " " + state + wait);
      drawn = true;
    } else {
      err.println(state + "; at " + next + wait);
    }
    err.flush();
  }

  /** Removes the bar. */
  void end() {
    if (drawn) {
      err.print("\r\u001b[K");
      err.flush();
      drawn = false;
    }
  }

  private static String state(Tally tally, long total, long nanos) {
    double seconds = Math.max(1e-3, nanos / 1e9);
    double rate = tally.items() / seconds;
    String left =
        tally.items() == 0
            ? "?"
            : Quantities.duration(
                Duration.ofSeconds((long) (Math.max(0, total - tally.items()) / rate)));
    return String.format(
        Locale.ROOT,
        "%s of %s items, %s/s, %s, %s left",
        Quantities.count(tally.items()),
        Quantities.count(total),
        Quantities.count(Math.round(rate)),
        Quantities.bytes(tally.bytes()),
        left);
  }

  private static String bar(long items, long total) {
    int full = total <= 0 ? BAR : Math.clamp(items * BAR / total, 0, BAR);
    return "[" + "#".repeat(full) + ".".repeat(BAR - full) + "]";
  }
}
