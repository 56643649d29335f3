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
import java.util.ArrayList;
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
 *   <li>Exporters stand in levels. The level in charge is the first with one that is closed, and
 *       those are active: they share the load. After a failure an exporter is paused as a whole,
 *       for as long as the sink asked or else by exponential backoff, and then gets one attempt at
 *       a time until one succeeds; meanwhile the others of its level go on.
 *   <li>It is failing since the start of the earliest attempt after its last success that has not
 *       succeeded, so that a sink that hangs is left as soon as one that refuses. A pause that the
 *       sink asked for counts as failing too, whatever else succeeds meanwhile. One failure is
 *       forgotten if others of its level left it nothing to try again. With {@code after: 0}
 *       hanging is left to the exporter's own timeout.
 *   <li>With a {@code hold}, a level that was left stays in charge for that long: data waits for it
 *       on disk, and only it and those before it are probed.
 *   <li>Only exporters up to the level in charge are probed with data: knowing that a later one
 *       works gains nothing, and would send data out of turn. Later ones are probed while idle, by
 *       {@link IdleProber}; one that fails is passed over when its turn comes.
 *   <li>{@code failback_after} protects a working exporter from one that flaps. When none is active
 *       there is nothing to protect, so the first probe that succeeds closes its breaker at once. A
 *       sole exporter is probed by its own retry settings, which makes it a plain retry.
 *   <li>An answer that judges the request and not the sink ({@link #answered}) ends failing, but
 *       does not help to take an exporter back while another one works.
 *   <li>A barred exporter is out of play: neither active nor probed nor a fallback. A pin puts all
 *       others out of play. What is in flight finishes in either case.
 * </ul>
 */
final class Failover {
  static final Duration PROBE_MIN = Duration.ofMillis(500);
  static final Duration PROBE_MAX = Duration.ofSeconds(10);

  /** Idle probes that fail in a row before an exporter is left for it. */
  static final int IDLE_FAILURES_TO_OPEN = 3;

  private static final double PROBE_MULTIPLIER = 2;
  private static final double PROBE_JITTER = 0.2;

  /** Probes that fit into {@code failback_after} at least, while it is long enough. */
  private static final int PROBES_TO_FAIL_BACK = 4;

  /** Who makes the changes that nobody asked for. */
  private static final String WHO = "failover";

  private final RandomGenerator random;
  private final InstantSource clock;
  private final History history;
  private final Overrides overrides;
  private final LeastLatency share;

  private List<Breaker> order = List.of();
  private int levels;
  private long afterNanos;
  private long failbackNanos;
  private long probeEveryNanos;
  private long holdNanos;

  /** Whether the past was of a time that is still to come. */
  private boolean clockWentBack;

  Failover(
      EgressSettings settings,
      InstantSource clock,
      RandomGenerator random,
      History.Listener listener,
      long now) {
    this.clock = clock;
    this.random = random;
    this.history = new History(listener);
    this.overrides = new Overrides(clock, history);
    this.share = new LeastLatency(random);
    retarget(settings, now);
  }

  /**
   * Takes new settings. Exporters that stay, by id, keep their state; one that was rebuilt is tried
   * soon, since its mistake may be what was corrected.
   */
  void retarget(EgressSettings settings, long now) {
    List<Breaker> before = actives();
    afterNanos = Backoff.nanos(settings.failover().after());
    failbackNanos = Backoff.nanos(settings.failover().failbackAfter());
    holdNanos = Backoff.nanos(settings.failover().hold());
    probeEveryNanos =
        Math.clamp(failbackNanos / PROBES_TO_FAIL_BACK, PROBE_MIN.toNanos(), PROBE_MAX.toNanos());
    List<Breaker> next = new ArrayList<>();
    for (int level = 0; level < settings.levels().size(); level++) {
      for (Exporter exporter : settings.levels().get(level)) {
        Breaker breaker = taken(exporter);
        breaker.level = level;
        if (holdNanos == 0) {
          breaker.endAwait();
        }
        next.add(breaker);
      }
    }
    order = List.copyOf(next);
    levels = settings.levels().size();
    overrides.obey(settings.orders(), order);
    greet(before, now);
  }

  private Breaker taken(Exporter exporter) {
    Breaker breaker = find(exporter.id());
    if (breaker == null) {
      return new Breaker(exporter, clock.instant());
    }
    if (!breaker.exporter.equals(exporter)) {
      breaker.exporter = exporter;
      breaker.failures = 0;
      breaker.notBefore = breaker.askedUntil;
    }
    return breaker;
  }

  // Over restarts.

  /**
   * Goes on where an earlier process stopped; before orders are given. Exporters that were left are
   * probed at once. What is left of a hold is counted from when the exporter was left, the time in
   * between included; a clock that went back makes it no longer than a whole one.
   */
  void restore(EgressPast past, long now) {
    history.restore(past.transitions());
    overrides.restore(past.pin());
    for (EgressPast.ExporterPast known : past.exporters()) {
      Breaker breaker = find(known.id());
      if (breaker != null) {
        breaker.restore(known, now);
        awaitAgain(breaker, known.awaitedSince(), now);
      }
    }
  }

  private void awaitAgain(Breaker breaker, @Nullable Instant left, long now) {
    if (left == null || holdNanos == 0 || breaker.state == CLOSED || breaker.level == levels - 1) {
      return;
    }
    Instant when = clock.instant();
    clockWentBack |= left.isAfter(when);
    Instant since = left.isAfter(when) ? when : left;
    long passed = Backoff.nanos(Duration.between(since, when));
    breaker.await(since, plus(now, Math.max(0, holdNanos - passed)));
  }

  /** For {@link #restore} in the next process. */
  EgressPast past() {
    return new EgressPast(
        history.latest(), overrides.pin(), order.stream().map(Breaker::past).toList());
  }

  /** Grows whenever {@link #past} has to be kept anew. */
  long changes() {
    return history.added() + (clockWentBack ? 1 : 0);
  }

  /** The exporters in failover order. */
  List<Breaker> order() {
    return order;
  }

  /** The latest changes, oldest first. */
  List<Transition> transitions() {
    return history.latest();
  }

  /** The order that the lane sends to one exporter alone; null if there is none. */
  @Nullable OperatorOrder pin() {
    return overrides.pin();
  }

  // Bars.

  /**
   * Keeps an exporter from being used until {@link #unbar}: it is neither active nor probed nor a
   * fallback, also not while it is pinned; attempts in flight finish. Setting a cause again
   * replaces its reason. Unknown exporters are ignored.
   */
  void bar(String exporterId, BarCause cause, String reason, long now) {
    Breaker breaker = find(exporterId);
    if (breaker != null) {
      List<Breaker> before = actives();
      overrides.bar(breaker, new Bar(cause, cause.label(), reason, clock.instant(), null));
      greet(before, now);
    }
  }

  /** Lifts a bar; nothing happens if there is none. */
  void unbar(String exporterId, BarCause cause, long now) {
    Breaker breaker = find(exporterId);
    if (breaker != null) {
      List<Breaker> before = actives();
      overrides.unbar(breaker, cause, "no longer");
      greet(before, now);
    }
  }

  /** Orders that were given for a time end. */
  private void endOrders(long now) {
    if (overrides.isAnyOver(order)) {
      List<Breaker> before = actives();
      overrides.end(order);
      greet(before, now);
    }
  }

  // Who is in charge.

  /**
   * The level in charge: the first with an exporter that is closed, or that is waited for; -1 if
   * there is none.
   */
  private int inCharge() {
    for (Breaker breaker : order) {
      if (overrides.allow(breaker) && (breaker.state == CLOSED || breaker.isAwaited())) {
        return breaker.level;
      }
    }
    return -1;
  }

  /** The exporters that share the load; empty if none is in service. */
  List<Breaker> actives() {
    int level = inCharge();
    return order.stream()
        .filter(b -> b.level == level && b.state == CLOSED && overrides.allow(b))
        .toList();
  }

  /** The first of {@link #actives}; null if there is none. */
  @Nullable Breaker active() {
    List<Breaker> actives = actives();
    return actives.isEmpty() ? null : actives.getFirst();
  }

  /** Whether an exporter other than this one is active. */
  boolean othersWork(Breaker breaker) {
    return actives().stream().anyMatch(active -> active != breaker);
  }

  /**
   * Until when data waits on disk for the exporters that were left; {@code NEVER} if it does not.
   */
  long waitingUntil() {
    int level = inCharge();
    if (level < 0 || pin() != null || !actives().isEmpty()) {
      return NEVER;
    }
    return order.stream()
        .filter(
            breaker -> breaker.level == level && breaker.isAwaited() && overrides.allow(breaker))
        .mapToLong(breaker -> breaker.heldUntil)
        .max()
        .orElse(NEVER);
  }

  /** Lets time pass: opens what has been failing for too long, ends holds and orders. */
  void tick(long now) {
    endOrders(now);
    for (Breaker breaker : order) {
      if (timed(breaker) && now - failingSince(breaker) >= afterNanos) {
        if (spared(breaker, now)) {
          breaker.freshChance(now);
        } else {
          breaker.abandonUpTo = now;
          open(breaker, "failing for " + words(afterNanos) + cause(breaker), false, now);
        }
      }
    }
    endHolds(now);
    if (active() == null) {
      candidates().stream()
          .filter(breaker -> breaker.state == RECOVERING)
          .findFirst()
          .ifPresent(breaker -> close(breaker, "it answers, and no other exporter does", now));
    }
  }

  private void endHolds(long now) {
    for (Breaker breaker : order) {
      if (breaker.isAwaited() && now >= breaker.heldUntil) {
        List<Breaker> before = actives();
        boolean waited = pin() == null && before.isEmpty() && inCharge() == breaker.level;
        breaker.endAwait();
        if (waited && inCharge() != breaker.level) {
          Instant when = clock.instant();
          history.add(
              Transition.of(
                  breaker.id,
                  Standing.OPEN,
                  Standing.PASSED_OVER,
                  breaker.since,
                  when,
                  WHO,
                  "its hold of " + words(holdNanos) + " is over"));
          greet(before, now);
        }
      }
    }
  }

  // Attempts.

  /**
   * Exporters that may make an attempt now: probes that are due, then the active ones, those first
   * that are to show that they work again.
   */
  List<Breaker> ready(long now) {
    List<Breaker> ready = new ArrayList<>(order.size());
    List<Breaker> retrying = new ArrayList<>();
    List<Breaker> working = new ArrayList<>();
    for (Breaker breaker : candidates()) {
      if (breaker.notBefore <= now && hasTurn(breaker)) {
        List<Breaker> group =
            breaker.state != CLOSED ? ready : breaker.failures > 0 ? retrying : working;
        group.add(breaker);
      }
    }
    ready.addAll(retrying);
    ready.addAll(share.order(working, now));
    return ready;
  }

  /** Begins an attempt at an exporter that {@link #ready} named. */
  Ticket begin(Breaker breaker, long now) {
    breaker.lastAttempt = clock.instant();
    Ticket ticket = new Ticket(breaker, now, breaker.state != CLOSED);
    breaker.inFlight.add(ticket);
    return ticket;
  }

  /** The sink took the request. */
  void delivered(Ticket ticket, long now) {
    Breaker breaker = ticket.breaker;
    breaker.inFlight.remove(ticket);
    breaker.latency.add(now - ticket.startedNanos, now);
    breaker.noteSuccess(now);
    breaker.idleFailures = 0;
    if (!order.contains(breaker)) {
      return;
    }
    switch (breaker.state) {
      case CLOSED -> {}
      case OPEN, RECOVERING -> recover(breaker, ticket.probe, now);
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
    leaveAlone(breaker, after, now);
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

  private void leaveAlone(Breaker breaker, @Nullable Duration after, long now) {
    if (after != null && after.isPositive()) {
      long asked = now + Backoff.nanos(after) + jitter(breaker);
      breaker.askedUntil = Math.max(breaker.askedUntil, asked);
      breaker.notBefore = Math.max(breaker.notBefore, asked);
    }
  }

  // Idle probes.

  /**
   * An empty request was answered.
   *
   * @param taken whether the sink took it; else it judged it, which shows that it works
   */
  void idleAnswered(String exporterId, boolean taken, long now) {
    Breaker breaker = find(exporterId);
    if (breaker == null || breaker.barred()) {
      return;
    }
    breaker.idleFailures = 0;
    if (breaker.state == CLOSED) {
      if (breaker.inFlight.isEmpty()) {
        breaker.freshChance(now);
      }
    } else if (!candidates().contains(breaker)) {
      close(breaker, "an idle probe was answered", now);
    } else if (taken || !othersWork(breaker)) {
      recover(breaker, true, now);
    }
    tick(now);
  }

  /** An empty request failed: known before data depends on it. */
  void idleFailed(
      String exporterId, ErrorClass error, String reason, @Nullable Duration after, long now) {
    Breaker breaker = find(exporterId);
    if (breaker == null || breaker.barred()) {
      return;
    }
    breaker.idleFailures++;
    breaker.lastError = error.label() + ": " + reason;
    leaveAlone(breaker, after, now);
    String why = "an idle probe failed with " + breaker.lastError;
    boolean needed = actives().contains(breaker);
    if (breaker.state == RECOVERING) {
      pause(breaker, probing(breaker), now);
      move(breaker, OPEN, why, false);
    } else if (breaker.state == CLOSED && error.needsOperator()) {
      open(breaker, why, needed, now);
    } else if (breaker.state == CLOSED && breaker.idleFailures >= IDLE_FAILURES_TO_OPEN) {
      open(
          breaker,
          breaker.idleFailures + " idle probes failed, last with " + breaker.lastError,
          false,
          now);
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
    long next = overrides.nextEnd(order, now);
    for (Breaker breaker : candidates()) {
      if (breaker.notBefore > now) {
        next = Math.min(next, breaker.notBefore);
      }
    }
    for (Breaker breaker : order) {
      if (breaker.isAwaited()) {
        next = Math.min(next, breaker.heldUntil);
      }
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

  /** What is in play up to the level in charge: those to probe, and the active ones. */
  private List<Breaker> candidates() {
    int level = inCharge();
    return order.stream()
        .filter(b -> overrides.allow(b) && (level < 0 || b.level <= level))
        .toList();
  }

  private static boolean hasTurn(Breaker breaker) {
    return breaker.state == CLOSED
        ? breaker.failures == 0 || !breaker.retrying()
        : !breaker.probing();
  }

  /** Whether failing opens it in time: one without work is not failing, whatever it did before. */
  private boolean timed(Breaker breaker) {
    return breaker.state == CLOSED && (!breaker.inFlight.isEmpty() || actives().contains(breaker));
  }

  /**
   * Whether it failed just once and was given nothing to try again, because others of its level did
   * its work.
   */
  private boolean spared(Breaker breaker, long now) {
    return breaker.failures == 1
        && breaker.inFlight.isEmpty()
        && breaker.askedUntil <= now
        && actives().stream().anyMatch(other -> other != breaker && other.failures == 0);
  }

  private long failingSince(Breaker breaker) {
    return breaker.failingSince(afterNanos > 0);
  }

  private static String cause(Breaker breaker) {
    return breaker.failures == 0 ? " without an answer" : ", last with " + breaker.lastError;
  }

  private void recover(Breaker breaker, boolean probe, long now) {
    if (active() == null) {
      close(breaker, "it answers, and no other exporter does", now);
      return;
    }
    if (!probe) {
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
    List<Breaker> before = actives();
    if (holdNanos > 0 && before.contains(breaker) && breaker.level < levels - 1) {
      breaker.await(clock.instant(), plus(now, holdNanos));
    }
    if (!sole(breaker)) {
      breaker.failures = 0;
      breaker.notBefore = 0;
      pause(breaker, probing(breaker), now);
    }
    move(breaker, OPEN, reason, needsOperator);
    greet(before, now);
  }

  private void close(Breaker breaker, String reason, long now) {
    List<Breaker> before = actives();
    breaker.freshChance(now);
    breaker.endAwait();
    move(breaker, CLOSED, reason, false);
    greet(before, now);
  }

  private void move(Breaker breaker, BreakerState to, String reason, boolean needsOperator) {
    Standing from = Standing.of(breaker.state);
    Instant since = breaker.since;
    breaker.state = to;
    breaker.since = clock.instant();
    breaker.reason = reason;
    history.add(
        Transition.of(breaker.id, from, Standing.of(to), since, breaker.since, WHO, reason),
        needsOperator);
  }

  /** An exporter that becomes active is not judged by what it did long ago. */
  private void greet(List<Breaker> before, long now) {
    for (Breaker active : actives()) {
      if (!before.contains(active)) {
        active.freshChance(now);
      }
    }
  }

  private void pause(Breaker breaker, Backoff backoff, long now) {
    long until = plus(now, backoff.pauseNanos(breaker.failures, random));
    breaker.notBefore = Math.max(breaker.askedUntil, until);
  }

  private Backoff probing(Breaker breaker) {
    return sole(breaker)
        ? Backoff.of(breaker.exporter.retry())
        : new Backoff(PROBE_MIN.toNanos(), probeEveryNanos, PROBE_MULTIPLIER, PROBE_JITTER);
  }

  /** Whether there is no other to send to. */
  private boolean sole(Breaker breaker) {
    return order.stream().noneMatch(other -> other != breaker && overrides.allow(other));
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
