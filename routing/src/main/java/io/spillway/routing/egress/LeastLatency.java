package io.spillway.routing.egress;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Shares load among the exporters of a level: of two taken at random, the one that would be done
 * first (power of two choices). With more than two, that keeps the best one from getting everything
 * at once.
 */
final class LeastLatency {
  private final RandomGenerator random;

  LeastLatency(RandomGenerator random) {
    this.random = random;
  }

  /** The chosen one first, then the others. */
  List<Breaker> order(List<Breaker> breakers, long now) {
    if (breakers.size() < 2) {
      return breakers;
    }
    int one = random.nextInt(breakers.size());
    int other = (one + 1 + random.nextInt(breakers.size() - 1)) % breakers.size();
    int first = cost(breakers.get(other), now) < cost(breakers.get(one), now) ? other : one;
    List<Breaker> order = new ArrayList<>(breakers);
    order.addFirst(order.remove(first));
    return order;
  }

  /** Nanoseconds, roughly, until one more attempt would be answered. */
  private static double cost(Breaker breaker, long now) {
    double latency = Math.max(breaker.latency.estimate(now), breaker.longestInFlight(now));
    return (1 + latency) * (1 + breaker.inFlight.size());
  }
}
