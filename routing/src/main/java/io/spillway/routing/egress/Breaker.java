package io.spillway.routing.egress;

import static io.spillway.routing.egress.BreakerState.CLOSED;

import io.spillway.otlp.stage.Exporter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is known about one exporter of a lane. {@link Failover} decides on it; times are monotonic
 * nanoseconds, never negative.
 */
final class Breaker {
  /** A time that never comes. */
  static final long NEVER = Long.MAX_VALUE;

  private static final long NOT_YET = -1;

  final String id;
  Exporter exporter;

  /** Its place in the failover order, shared with those it shares the load with. */
  int level;

  BreakerState state = CLOSED;
  Instant since;
  String reason = "";
  String lastError = "";

  /** What keeps it from being used, whatever its state. */
  final Map<BarCause, Bar> bars = new EnumMap<>(BarCause.class);

  /** When the bars changed last. */
  Instant barsChanged;

  /**
   * When it was left for data to wait on disk for it, until {@link #heldUntil} at most; null while
   * it is not awaited.
   */
  private @Nullable Instant awaitedSince;

  long heldUntil;

  final Latency latency = new Latency();

  /** Idle probes that failed since the last one that did not. */
  int idleFailures;

  /** When the latest attempt began; idle probes are none. */
  @Nullable Instant lastAttempt;

  final List<Ticket> inFlight = new ArrayList<>();

  /** Neither attempt nor probe before this time. */
  long notBefore;

  /** The part of {@link #notBefore} that the sink itself asked for. */
  long askedUntil;

  /** Failures in a row; those of attempts that overlap count once. */
  int failures;

  long lastFailure = NOT_YET;

  /** Nothing before this speaks against it: its last success, or when it got a fresh chance. */
  private long judgedFrom = NOT_YET;

  private long failedSince = NEVER;

  /** Attempts that were in flight when it was given up; they need not be waited for. */
  long abandonUpTo = NOT_YET;

  /** While recovering: since when probes succeed, and how many have. */
  long succeedingSince;

  int successes;

  /** Attempts that succeeded and failed, ever. */
  long succeeded;

  long failed;

  Breaker(Exporter exporter, Instant since) {
    this.id = exporter.id();
    this.exporter = exporter;
    this.since = since;
    this.barsChanged = since;
  }

  /** Goes on where an earlier process stopped, as far as that is not a matter of moments. */
  void restore(EgressPast.ExporterPast past, long now) {
    state = past.state();
    since = past.since();
    reason = past.reason();
    lastError = past.lastError();
    past.bars().forEach(bar -> bars.put(bar.cause(), bar));
    barsChanged = past.barsChanged();
    succeedingSince = now;
  }

  void await(Instant sinceThen, long until) {
    awaitedSince = sinceThen;
    heldUntil = until;
  }

  boolean isAwaited() {
    return awaitedSince != null;
  }

  void endAwait() {
    awaitedSince = null;
  }

  EgressPast.ExporterPast past() {
    return new EgressPast.ExporterPast(
        id, state, since, reason, lastError, awaitedSince, List.copyOf(bars.values()), barsChanged);
  }

  boolean barred() {
    return !bars.isEmpty();
  }

  /**
   * The start of the earliest attempt after the last success that has not succeeded, whether it
   * failed or hangs; {@link #NEVER} if there is none.
   */
  long failingSince(boolean hangingCounts) {
    long earliest = failedSince;
    if (hangingCounts) {
      for (Ticket ticket : inFlight) {
        earliest = Math.min(earliest, Math.max(ticket.startedNanos, judgedFrom));
      }
    }
    return earliest;
  }

  /** An attempt has succeeded. What the sink asked for still holds, and is no success. */
  void noteSuccess(long now) {
    succeeded++;
    failures = 0;
    judgedFrom = now;
    failedSince = askedUntil > now ? now : NEVER;
    notBefore = askedUntil;
  }

  /** An attempt has failed. Says whether it is the first to fail of those that overlap. */
  boolean noteFailure(Ticket ticket, long now) {
    failed++;
    failedSince = Math.min(failedSince, Math.max(ticket.startedNanos, judgedFrom));
    if (ticket.startedNanos < lastFailure) {
      return false;
    }
    lastFailure = now;
    failures++;
    return true;
  }

  /** Forgets past failures: it gets the same chance as one that was never tried. */
  void freshChance(long now) {
    failures = 0;
    judgedFrom = now;
    failedSince = askedUntil > now ? now : NEVER;
    notBefore = askedUntil;
  }

  /** How long the oldest attempt in flight has been waiting for its answer; 0 if there is none. */
  long longestInFlight(long now) {
    long longest = 0;
    for (Ticket ticket : inFlight) {
      longest = Math.max(longest, now - ticket.startedNanos);
    }
    return longest;
  }

  boolean probing() {
    return inFlight.stream().anyMatch(ticket -> ticket.probe);
  }

  /** Whether an attempt made after the last failure is in flight. */
  boolean retrying() {
    return inFlight.stream().anyMatch(ticket -> ticket.startedNanos >= lastFailure);
  }
}
