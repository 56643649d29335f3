package io.spillway.routing.egress;

import static io.spillway.routing.egress.Breaker.NEVER;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What counts for a lane's exporters more than their breakers: bars, which keep one from being used
 * at all, and a pin, which keeps all others from it. Orders of operators come to both. Takes the
 * exporters with each call, as they are configured at the time.
 */
final class Overrides {
  /** The clock for people and the monotonic one may differ by a little; no busy loop over it. */
  private static final long MIN_WAIT_NANOS = Duration.ofMillis(1).toNanos();

  private static final String OVER = "its time is over";

  private final InstantSource clock;
  private final History history;
  private @Nullable OperatorOrder pin;

  Overrides(InstantSource clock, History history) {
    this.clock = clock;
    this.history = history;
  }

  /** The order that the lane sends to one exporter alone; null if there is none. */
  @Nullable OperatorOrder pin() {
    return pin;
  }

  /** Whether it may be used, as far as this goes. */
  boolean allow(Breaker breaker) {
    return !breaker.barred() && (pin == null || pin.exporter().equals(breaker.id));
  }

  /** Takes over the pin of an earlier process, for {@link #obey} to keep or to lift. */
  void restore(@Nullable OperatorOrder earlier) {
    pin = earlier;
  }

  /** Takes over the orders that are not over, and lifts what they no longer say. */
  void obey(OperatorOrders orders, List<Breaker> exporters) {
    end(exporters);
    Instant now = clock.instant();
    OperatorOrder wanted = orders.pin();
    boolean holds = wanted != null && !wanted.isOver(now);
    Breaker pinned = wanted != null && holds ? find(exporters, wanted.exporter()) : null;
    repin(pinned == null ? null : wanted, pinned, "released");
    for (Breaker breaker : exporters) {
      OperatorOrder pause =
          orders.pauses().stream()
              .filter(order -> order.exporter().equals(breaker.id) && !order.isOver(now))
              .findFirst()
              .orElse(null);
      if (pause != null) {
        bar(
            breaker,
            new Bar(BarCause.OPERATOR, pause.who(), pause.reason(), pause.since(), pause.until()));
      } else {
        unbar(breaker, BarCause.OPERATOR, "resumed");
      }
    }
  }

  /**
   * @param pinned the exporter of {@code next}; null together with it
   */
  private void repin(@Nullable OperatorOrder next, @Nullable Breaker pinned, String why) {
    OperatorOrder last = pin;
    pin = next;
    if (last != null && (next == null || !next.exporter().equals(last.exporter()))) {
      history.add(
          Transition.of(
              last.exporter(),
              Standing.PINNED,
              Standing.RELEASED,
              last.since(),
              clock.instant(),
              last.who(),
              why));
    }
    if (next != null && (last == null || !next.exporter().equals(last.exporter()))) {
      Breaker breaker = Objects.requireNonNull(pinned);
      breaker.failures = 0;
      breaker.notBefore = breaker.askedUntil;
      history.add(
          Transition.of(
              next.exporter(),
              Standing.RELEASED,
              Standing.PINNED,
              last == null ? breaker.since : last.since(),
              next.since(),
              next.who(),
              next.reason()));
    }
  }

  /** Sets a bar; one of the same cause is renewed, and holds since it was first set. */
  void bar(Breaker breaker, Bar bar) {
    Bar earlier = breaker.bars.get(bar.cause());
    if (earlier == null) {
      breaker.bars.put(bar.cause(), bar);
      history.add(
          Transition.of(
              breaker.id,
              Standing.UNBARRED,
              Standing.BARRED,
              breaker.barsChanged,
              bar.since(),
              bar.who(),
              bar.reason()));
      breaker.barsChanged = bar.since();
    } else {
      Bar renewed = new Bar(bar.cause(), bar.who(), bar.reason(), earlier.since(), bar.until());
      breaker.bars.put(bar.cause(), renewed);
    }
  }

  /** Lifts a bar; nothing happens if there is none. */
  void unbar(Breaker breaker, BarCause cause, String why) {
    Bar bar = breaker.bars.remove(cause);
    if (bar != null) {
      Instant when = clock.instant();
      breaker.barsChanged = when;
      history.add(
          Transition.of(
              breaker.id,
              Standing.BARRED,
              Standing.UNBARRED,
              bar.since(),
              when,
              bar.who(),
              bar.reason().isEmpty() ? why : why + ": " + bar.reason()));
    }
  }

  /** Whether {@link #end} has something to do. */
  boolean isAnyOver(List<Breaker> exporters) {
    Instant now = clock.instant();
    return (pin != null && pin.isOver(now))
        || exporters.stream()
            .anyMatch(breaker -> breaker.bars.values().stream().anyMatch(bar -> isOver(bar, now)));
  }

  /** Ends what was ordered for a time. */
  void end(List<Breaker> exporters) {
    Instant now = clock.instant();
    if (pin != null && pin.isOver(now)) {
      repin(null, null, OVER);
    }
    for (Breaker breaker : exporters) {
      for (Bar bar : List.copyOf(breaker.bars.values())) {
        if (isOver(bar, now)) {
          unbar(breaker, bar.cause(), OVER);
        }
      }
    }
  }

  private static boolean isOver(Bar bar, Instant now) {
    return bar.until() != null && !now.isBefore(bar.until());
  }

  /** When {@link #end} has something to do; {@link Breaker#NEVER} if it will not. */
  long nextEnd(List<Breaker> exporters, long now) {
    long next = pin == null ? NEVER : in(pin.until(), now);
    for (Breaker breaker : exporters) {
      for (Bar bar : breaker.bars.values()) {
        next = Math.min(next, in(bar.until(), now));
      }
    }
    return next;
  }

  private long in(@Nullable Instant until, long now) {
    return until == null
        ? NEVER
        : now + Math.max(MIN_WAIT_NANOS, Backoff.nanos(Duration.between(clock.instant(), until)));
  }

  private static @Nullable Breaker find(List<Breaker> exporters, String id) {
    return exporters.stream().filter(breaker -> breaker.id.equals(id)).findFirst().orElse(null);
  }
}
