package io.spillway.routing.gate;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.InvalidItems;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Sender;
import io.spillway.otlp.wire.Flaw;
import io.spillway.otlp.wire.RequestScanner;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the gate would do with a request, worked out by the gate's own planner and filter, resource
 * by resource. Nothing is stored.
 *
 * @param items in the request
 * @param rejected items that would be answered as rejected, since strict sinks refuse them
 * @param message the words of that answer; empty if nothing is wrong with any item
 * @param resources in the order of the request, those without items included
 */
public record Explanation(int items, int rejected, String message, List<Resource> resources) {
  private static final String SERVICE = "service.name";

  public Explanation {
    resources = List.copyOf(resources);
  }

  /**
   * What becomes of one resource.
   *
   * @param items that are not rejected
   * @param attributes {@code service.name} and what routes ask for, as far as it is there
   * @param routes that take it; with none, the whole request would be refused
   */
  public record Resource(int items, Map<String, String> attributes, List<Taken> routes) {}

  /**
   * That a route takes a resource.
   *
   * @param kept items that are stored
   * @param sampledOut items that sampling leaves out
   */
  public record Taken(RouteSettings route, LaneId lane, int kept, int sampledOut) {}

  /** Whether every resource with items goes somewhere; if not, the whole request is refused. */
  public boolean isRouted() {
    return resources.stream().allMatch(r -> r.items() == 0 || !r.routes().isEmpty());
  }

  /** Whether nothing is left of it to be stored, for which it is refused. */
  public boolean isAllRejected() {
    return rejected > 0 && rejected == items;
  }

  /**
   * Explains an uncompressed OTLP request.
   *
   * @param routes as read and validated by {@link RouteConfig}
   * @throws MalformedRequestException if the request would be refused as malformed
   * @throws PayloadTooLargeException if it would be refused as too large
   */
  public static Explanation of(
      List<RouteSettings> routes,
      Signal signal,
      Slice request,
      Sender sender,
      InvalidItems handling)
      throws MalformedRequestException, PayloadTooLargeException {
    RequestScanner scanner = new RequestScanner();
    scanner.inspect(signal, request);
    int items = scanner.items();
    Flaw flaw = scanner.flaw();
    int rejected = 0;
    String message = "";
    if (items > 0 && flaw != null) {
      Screened screened = Screened.of(signal, request, items, flaw, handling);
      rejected = screened.success().rejected();
      message = screened.success().message();
      scanner.scan(signal, screened.request());
    }
    RequestPlanner planner = new RequestPlanner(routes, new RouteTables(routes, PlannedLane::new));
    List<Resource> resources = new ArrayList<>();
    for (int i = 0; i < scanner.resources(); i++) {
      resources.add(
          new Resource(
              scanner.items(i),
              attributes(scanner, i, routes),
              taken(planner, signal, alone(scanner, i), sender, routes)));
    }
    return new Explanation(items, rejected, message, resources);
  }

  /** A request of one resource, and of what belongs to none. */
  private static Slice alone(RequestScanner scanner, int i) {
    return Slice.concat(List.of(scanner.resource(i), scanner.otherFields()));
  }

  private static List<Taken> taken(
      RequestPlanner planner,
      Signal signal,
      Slice request,
      Sender sender,
      List<RouteSettings> routes)
      throws MalformedRequestException, PayloadTooLargeException {
    if (planner.scan(signal, request) == 0) {
      return List.of();
    }
    List<Taken> taken = new ArrayList<>();
    for (Delivery delivery : planner.plan(signal, request, sender, IntakeLimit.NONE)) {
      LaneId lane = delivery.lane().id();
      int kept = delivery.parts().stream().mapToInt(part -> part.items()).sum();
      taken.add(new Taken(route(routes, lane.route()), lane, kept, delivery.sampledOut()));
    }
    return taken;
  }

  private static RouteSettings route(List<RouteSettings> routes, String name) {
    return routes.stream().filter(r -> r.name().equals(name)).findFirst().orElseThrow();
  }

  private static Map<String, String> attributes(
      RequestScanner scanner, int i, List<RouteSettings> routes) {
    Set<String> keys = new LinkedHashSet<>(List.of(SERVICE));
    routes.forEach(route -> keys.addAll(route.match().resource().keySet()));
    Map<String, String> found = new LinkedHashMap<>();
    for (String key : keys) {
      String value = scanner.attribute(i, key);
      if (value != null) {
        found.put(key, value);
      }
    }
    return found;
  }
}
