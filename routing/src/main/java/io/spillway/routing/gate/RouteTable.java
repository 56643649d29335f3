package io.spillway.routing.gate;

import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Sender;
import io.spillway.otlp.wire.RequestScanner;
import io.spillway.routing.Glob;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The routes of one signal and their lanes, ready to be matched. A set of routes is a long: bit
 * {@code i} stands for route {@code i}. Immutable.
 */
final class RouteTable {
  /**
   * The routes that can be reached: the last one takes everything, except of a signal in
   * development.
   */
  private final List<Candidate> candidates;

  /** Whether who sends matters to any of them. */
  private final boolean asksForSender;

  private final String[] keys;
  private final Map<Integer, Lane> lanes = new HashMap<>();

  /**
   * @throws IllegalArgumentException if a lane is missing, or there is no route that takes what no
   *     other one does; signals in development can do without
   */
  RouteTable(Signal signal, List<RouteSettings> routes, Function<LaneId, @Nullable Lane> open) {
    List<String> distinctKeys = new ArrayList<>();
    List<Candidate> reachable = new ArrayList<>();
    boolean caught = false;
    for (int i = 0; i < routes.size(); i++) {
      RouteSettings route = routes.get(i);
      if (route.match().signals().contains(signal)) {
        reachable.add(candidate(i, route, distinctKeys));
        lanes.put(i, lane(new LaneId(route.name(), signal), open));
        caught |= route.match().isCatchAll();
        if (route.match().isCatchAll() && !route.continues()) {
          break;
        }
      }
    }
    if (!caught && signal.isStable()) {
      throw new IllegalArgumentException("routes: no route takes all " + signal.label());
    }
    this.candidates = List.copyOf(reachable);
    this.asksForSender = reachable.stream().anyMatch(route -> !route.sender.isAnybody());
    this.keys = distinctKeys.toArray(String[]::new);
  }

  private static Candidate candidate(int index, RouteSettings route, List<String> keys) {
    List<Condition> conditions = new ArrayList<>();
    route
        .match()
        .resource()
        .forEach(
            (key, globs) -> {
              if (!keys.contains(key)) {
                keys.add(key);
              }
              conditions.add(new Condition(keys.indexOf(key), List.copyOf(globs)));
            });
    return new Candidate(
        1L << index, route.continues(), route.match().sender(), List.copyOf(conditions));
  }

  private static Lane lane(LaneId id, Function<LaneId, @Nullable Lane> open) {
    Lane lane = open.apply(id);
    if (lane == null) {
      throw new IllegalArgumentException("lane " + id + " is not open");
    }
    return lane;
  }

  Matcher matcher() {
    return new Matcher();
  }

  /** Matches resources one by one; belongs to one thread at a time. */
  final class Matcher {
    private final @Nullable String[] values = new @Nullable String[keys.length];
    private final boolean[] known = new boolean[keys.length];

    /** Routes that take requests of this sender. */
    private long ofSender = -1;

    Lane lane(int route) {
      Lane lane = lanes.get(route);
      if (lane == null) {
        throw new IllegalArgumentException("route " + route + " cannot be reached");
      }
      return lane;
    }

    /** Begins a request. */
    void begin(Sender sender) {
      if (asksForSender) {
        ofSender = 0;
        for (Candidate candidate : candidates) {
          ofSender |= candidate.sender.matches(sender) ? candidate.bit : 0;
        }
      }
    }

    /** The routes that resource {@code i} of the scanned request goes to; 0 if none takes it. */
    long routes(RequestScanner scanner, int i) {
      Arrays.fill(known, false);
      long routes = 0;
      for (Candidate candidate : candidates) {
        if ((candidate.bit & ofSender) != 0 && matches(candidate, scanner, i)) {
          routes |= candidate.bit;
          if (!candidate.continues) {
            break;
          }
        }
      }
      return routes;
    }

    private boolean matches(Candidate candidate, RequestScanner scanner, int i) {
      for (Condition condition : candidate.conditions) {
        if (!condition.matches(value(scanner, i, condition.key))) {
          return false;
        }
      }
      return true;
    }

    /** Every attribute is looked up once for each resource, however many routes ask for it. */
    private @Nullable String value(RequestScanner scanner, int i, int key) {
      if (!known[key]) {
        values[key] = scanner.attribute(i, keys[key]);
        known[key] = true;
      }
      return values[key];
    }
  }

  private record Candidate(
      long bit, boolean continues, SenderMatch sender, List<Condition> conditions) {}

  /** An attribute, by its index, and the patterns of which one must match. */
  private record Condition(int key, List<Glob> globs) {
    boolean matches(@Nullable String value) {
      if (value == null) {
        return false;
      }
      for (Glob glob : globs) {
        if (glob.matches(value)) {
          return true;
        }
      }
      return false;
    }
  }
}
