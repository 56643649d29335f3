package io.spillway.routing.egress;

import static io.spillway.routing.egress.Breaker.NEVER;
import static io.spillway.routing.egress.BreakerState.CLOSED;
import static io.spillway.routing.egress.BreakerState.OPEN;
import static io.spillway.routing.egress.BreakerState.RECOVERING;

import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Exporter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Decides which exporter of a lane may be used when. A pure state machine: no threads, no I/O, time
 * is passed in as monotonic nanoseconds that are never negative.
 *
 * <pre>
 *          failing for `after`, or an error that waiting cannot heal
 *   CLOSED ─────────────────────────────────────────────────────────▶ OPEN
 *     ▲                                              a probe fails ▲   │
 *     │ probes succeed for `failback_after`                        │   │ a probe succeeds
 *     └─────────────────────────────────────────────────────── RECOVERING
 * </pre>
 *
 * <ul>
 *   <li>The active exporter is the first in order that is closed. After a failure it is paused as a
 *       whole, for as long as the sink asked or else by exponential backoff, and then gets one
 *       attempt at a time until one succeeds.
 *   <li>It is failing since the start of the earliest attempt after its last success that has not
 *       succeeded, so that a sink that hangs is left as soon as one that refuses. A pause that the
 *       sink asked for counts as failing too, whatever else succeeds meanwhile. With {@code after:
 *       0} hanging is left to the exporter's own timeout.
 *   <li>Only exporters before the active one are probed: knowing that a later one works gains
 *       nothing, and would send data out of turn.
 *   <li>{@code failback_after} protects a working exporter from one that flaps. When none is closed
 *       there is nothing to protect, so the first probe that succeeds closes its breaker at once. A
 *       sole exporter is probed by its own retry settings, which makes it a plain retry.
 *   <li>An answer that judges the request and not the sink ({@link #answered}) ends failing, but
 *       does not help to take an exporter back while another one works.
 * </ul>
 */
final class Failover {
  static final Duration PROBE_MIN = Duration.ofMillis(500);
  static final Duration PROBE_MAX = Duration.ofSeconds(10);
  static final int MAX_TRANSITIONS_KEPT = 64;

  /** Who makes the changes that nobody asked for. */
  private static final String WHO = "failover";

  private static final double PROBE_MULTIPLIER = 2;
  private static final double PROBE_JITTER = 0.2;

  /** Probes that fit into {@code failback_after} at least, while it is long enough. */
  private static final int PROBES_TO_FAIL_BACK = 4;

  private final RandomGenerator random;
  private final InstantSource clock;
  private final Listener listener;
  private final Deque<Transition> transitions = new ArrayDeque<>();

  private List<Breaker> order = List.of();
  private long afterNanos;
  private long failbackNanos;
  private long probeEveryNanos;

  /** Hears of changes, and whether a person is needed to heal what went wrong. */
  @FunctionalInterface
  interface Listener {
    void moved(Transition transition, boolean needsOperator);
  }

  Failover(
      EgressSettings settings,
      InstantSource clock,
      RandomGenerator random,
      Listener listener,
      long now) {
    this.clock = clock;
    this.random = random;
    this.listener = listener;
    retarget(settings, now);
  }

  /**
   * Takes new settings. Exporters that stay, by id, keep their state; one that was rebuilt is tried
   * soon, since its mistake may be what was corrected.
   */
  void retarget(EgressSettings settings, long now) {
    Breaker before = active();
    afterNanos = Backoff.nanos(settings.failover().after());
    failbackNanos = Backoff.nanos(settings.failover().failbackAfter());
    probeEveryNanos =
        Math.clamp(failbackNanos / PROBES_TO_FAIL_BACK, PROBE_MIN.toNanos(), PROBE_MAX.toNanos());
    List<Breaker> next = new ArrayList<>();
    for (Exporter exporter : settings.exporters()) {
      Breaker breaker = find(exporter.id());
      if (breaker == null) {
        breaker = new Breaker(exporter, clock.instant());
      } else if (!breaker.exporter.equals(exporter)) {
        breaker.exporter = exporter;
        breaker.failures = 0;
        breaker.notBefore = breaker.askedUntil;
      }
      next.add(breaker);
    }
    order = List.copyOf(next);
    greetActive(before, now);
  }

  /** The exporters in failover order. */
  List<Breaker> order() {
    return order;
  }

  /** The latest changes, oldest first. */
  List<Transition> transitions() {
    return List.copyOf(transitions);
  }

  /**
   * Keeps an exporter from being used until {@link #unbar}: it is neither active nor probed nor a
   * fallback; attempts in flight finish. Setting a cause again replaces its reason. Unknown
   * exporters are ignored.
   */
  void bar(String exporterId, BarCause cause, String reason, long now) {
    Breaker breaker = find(exporterId);
    if (breaker == null) {
      return;
    }
    Instant when = clock.instant();
    Bar earlier = breaker.bars.get(cause);
    Instant since = earlier == null ? when : earlier.since();
    Bar bar = new Bar(cause, cause.label(), reason, since, null);
    Breaker before = active();
    breaker.bars.put(cause, bar);
    if (earlier == null) {
      Duration lasted = Duration.between(breaker.barsChanged, when);
      breaker.barsChanged = when;
      keep(
          new Transition(
              breaker.id,
              Standing.UNBARRED,
              Standing.BARRED,
              when,
              lasted,
              bar.who(),
              bar.reason()),
          false);
      greetActive(before, now);
    }
  }

  /** Lifts a bar; nothing happens if there is none. */
  void unbar(String exporterId, BarCause cause, long now) {
    Breaker breaker = find(exporterId);
    Bar bar = breaker == null ? null : breaker.bars.get(cause);
    if (breaker == null || bar == null) {
      return;
    }
    Instant when = clock.instant();
    Breaker before = active();
    breaker.bars.remove(cause);
    breaker.barsChanged = when;
    keep(
        new Transition(
            breaker.id,
            Standing.BARRED,
            Standing.UNBARRED,
            when,
            Duration.between(bar.since(), when),
            bar.who(),
            "no longer: " + bar.reason()),
        false);
    greetActive(before, now);
  }

  /** The first exporter in order that is closed and not barred; null if there is none. */
  @Nullable Breaker active() {
    for (Breaker breaker : order) {
      if (breaker.state == CLOSED && !breaker.barred()) {
        return breaker;
      }
    }
    return null;
  }

  /** Whether an exporter other than this one is active. */
  boolean othersWork(Breaker breaker) {
    Breaker active = active();
    return active != null && active != breaker;
  }

  /** Lets time pass: opens what has been failing for too long. */
  void tick(long now) {
    for (Breaker breaker : order) {
      if (timed(breaker) && now - failingSince(breaker) >= afterNanos) {
        breaker.abandonUpTo = now;
        open(breaker, "failing for " + words(afterNanos) + cause(breaker), false, now);
      }
    }
    if (active() == null) {
      order.stream()
          .filter(breaker -> breaker.state == RECOVERING && !breaker.barred())
          .findFirst()
          .ifPresent(breaker -> close(breaker, "it answers, and no other exporter does", now));
    }
  }

  /** Exporters that may make an attempt now: probes that are due, then the active one. */
  List<Breaker> ready(long now) {
    List<Breaker> ready = new ArrayList<>(order.size());
    for (Breaker breaker : candidates()) {
      if (breaker.notBefore <= now && hasTurn(breaker)) {
        ready.add(breaker);
      }
    }
    return ready;
  }

  /** Begins an attempt at an exporter that {@link #ready} named. */
  Ticket begin(Breaker breaker, long now) {
    Ticket ticket = new Ticket(breaker, now, breaker.state != CLOSED);
    breaker.inFlight.add(ticket);
    return ticket;
  }

  /** The sink took the request. */
  void delivered(Ticket ticket, long now) {
    Breaker breaker = ticket.breaker;
    breaker.inFlight.remove(ticket);
    breaker.noteSuccess(now);
    if (!order.contains(breaker)) {
      return;
    }
    switch (breaker.state) {
      case CLOSED -> {}
      case OPEN, RECOVERING -> recover(ticket, now);
    }
    tick(now);
  }

  /** The sink judged the request, which shows that it works, and no more. */
  void answered(Ticket ticket, long now) {
    Breaker breaker = ticket.breaker;
    if (breaker.state == CLOSED || !othersWork(breaker)) {
      delivered(ticket, now);
      return;
    }
    breaker.inFlight.remove(ticket);
    breaker.notBefore = Math.max(breaker.askedUntil, now + probeEveryNanos);
  }

  /**
   * The attempt failed in a way that says nothing about the request.
   *
   * @param after how long the sink asked to be left alone; null if it did not say
   */
  void failed(Ticket ticket, ErrorClass error, String reason, @Nullable Duration after, long now) {
    Breaker breaker = ticket.breaker;
    breaker.inFlight.remove(ticket);
    breaker.lastError = error.label() + ": " + reason;
    boolean first = breaker.noteFailure(ticket, now);
    if (after != null && after.isPositive()) {
      long asked = now + Backoff.nanos(after) + jitter(breaker);
      breaker.askedUntil = Math.max(breaker.askedUntil, asked);
      breaker.notBefore = Math.max(breaker.notBefore, asked);
    }
    if (!order.contains(breaker)) {
      return;
    }
    if (breaker.state == CLOSED) {
      if (first) {
        pause(breaker, Backoff.of(breaker.exporter.retry()), now);
      }
      if (error.needsOperator()) {
        open(breaker, breaker.lastError, true, now);
      }
    } else if (ticket.probe) {
      pause(breaker, probing(breaker), now);
      if (breaker.state == RECOVERING) {
        move(breaker, OPEN, breaker.lastError, error.needsOperator());
      }
    }
    tick(now);
  }

  /**
   * Whether an attempt need not be waited for: its exporter was left for another one, and either it
   * belongs to what it was left for or has had its time.
   */
  boolean abandons(Ticket ticket, long now) {
    Breaker breaker = ticket.breaker;
    if (breaker.state == CLOSED || !order.contains(breaker) || !othersWork(breaker)) {
      return false;
    }
    return (!ticket.probe && ticket.startedNanos <= breaker.abandonUpTo)
        || (afterNanos > 0 && now - ticket.startedNanos >= afterNanos);
  }

  /** When any of the above may change by itself; {@link Breaker#NEVER} if it will not. */
  long nextChange(long now) {
    long next = NEVER;
    for (Breaker breaker : candidates()) {
      if (breaker.notBefore > now) {
        next = Math.min(next, breaker.notBefore);
      }
    }
    for (Breaker breaker : order) {
      if (timed(breaker)) {
        next = Math.min(next, plus(failingSince(breaker), afterNanos));
      } else if (afterNanos > 0 && othersWork(breaker)) {
        for (Ticket ticket : breaker.inFlight) {
          next = Math.min(next, plus(ticket.startedNanos, afterNanos));
        }
      }
    }
    return next;
  }

  /** When this exporter is tried next at the earliest; {@link Breaker#NEVER} if not by plan. */
  long nextAttempt(Breaker breaker) {
    return candidates().contains(breaker) ? breaker.notBefore : NEVER;
  }

  /** What is not barred up to the first closed one: those to probe, and the active one. */
  private List<Breaker> candidates() {
    Breaker active = active();
    List<Breaker> upTo = active == null ? order : order.subList(0, order.indexOf(active) + 1);
    return upTo.stream().filter(breaker -> !breaker.barred()).toList();
  }

  private static boolean hasTurn(Breaker breaker) {
    return breaker.state == CLOSED
        ? breaker.failures == 0 || !breaker.retrying()
        : !breaker.probing();
  }

  /** Whether failing opens it in time: one without work is not failing, whatever it did before. */
  private boolean timed(Breaker breaker) {
    return breaker.state == CLOSED && (breaker == active() || !breaker.inFlight.isEmpty());
  }

  private long failingSince(Breaker breaker) {
    return breaker.failingSince(afterNanos > 0);
  }

  private static String cause(Breaker breaker) {
    return breaker.failures == 0 ? " without an answer" : ", last with " + breaker.lastError;
  }

  private void recover(Ticket ticket, long now) {
    Breaker breaker = ticket.breaker;
    if (active() == null) {
      close(breaker, "it answers, and no other exporter does", now);
      return;
    }
    if (!ticket.probe) {
      return;
    }
    if (breaker.state == OPEN) {
      breaker.succeedingSince = now;
      breaker.successes = 0;
      if (failbackNanos > 0) {
        move(breaker, RECOVERING, "a probe succeeded", false);
      }
    }
    breaker.successes++;
    long decided = plus(breaker.succeedingSince, failbackNanos);
    if (now >= decided && breaker.successes >= (failbackNanos == 0 ? 1 : 2)) {
      close(breaker, "probes succeeded for " + words(failbackNanos), now);
    } else {
      long next = plus(now, probeEveryNanos);
      breaker.notBefore =
          Math.max(breaker.askedUntil, decided > now ? Math.min(next, decided) : next);
    }
  }

  private void open(Breaker breaker, String reason, boolean needsOperator, long now) {
    Breaker before = active();
    if (order.size() > 1) {
      breaker.failures = 0;
      breaker.notBefore = 0;
      pause(breaker, probing(breaker), now);
    }
    move(breaker, OPEN, reason, needsOperator);
    greetActive(before, now);
  }

  private void close(Breaker breaker, String reason, long now) {
    Breaker before = active();
    breaker.freshChance(now);
    move(breaker, CLOSED, reason, false);
    greetActive(before, now);
  }

  private void move(Breaker breaker, BreakerState to, String reason, boolean needsOperator) {
    Instant when = clock.instant();
    Transition transition =
        new Transition(
            breaker.id,
            Standing.of(breaker.state),
            Standing.of(to),
            when,
            Duration.between(breaker.since, when),
            WHO,
            reason);
    breaker.state = to;
    breaker.since = when;
    breaker.reason = reason;
    keep(transition, needsOperator);
  }

  private void keep(Transition transition, boolean needsOperator) {
    if (transitions.size() == MAX_TRANSITIONS_KEPT) {
      transitions.removeFirst();
    }
    transitions.addLast(transition);
    listener.moved(transition, needsOperator);
  }

  /** An exporter that becomes active is not judged by what it did long ago. */
  private void greetActive(@Nullable Breaker before, long now) {
    Breaker active = active();
    if (active != null && active != before) {
      active.freshChance(now);
    }
  }

  private void pause(Breaker breaker, Backoff backoff, long now) {
    long until = plus(now, backoff.pauseNanos(breaker.failures, random));
    breaker.notBefore = Math.max(breaker.askedUntil, until);
  }

  private Backoff probing(Breaker breaker) {
    return order.size() == 1
        ? Backoff.of(breaker.exporter.retry())
        : new Backoff(PROBE_MIN.toNanos(), probeEveryNanos, PROBE_MULTIPLIER, PROBE_JITTER);
  }

  /** A little more than the sink asked for, so that not every relay comes back at once. */
  private long jitter(Breaker breaker) {
    Backoff backoff = Backoff.of(breaker.exporter.retry());
    return (long) (backoff.initialNanos() * backoff.jitter() * random.nextDouble());
  }

  private @Nullable Breaker find(String id) {
    for (Breaker breaker : order) {
      if (breaker.id.equals(id)) {
        return breaker;
      }
    }
    return null;
  }

  /** A duration as the configuration writes it: {@code 1m30s}. */
  private static String words(long nanos) {
    return Duration.ofNanos(nanos).toString().substring("PT".length()).toLowerCase(Locale.ROOT);
  }

  private static long plus(long time, long nanos) {
    return time > NEVER - nanos ? NEVER : time + nanos;
  }
}
