package io.spillway.relay;

import io.spillway.config.Suggestions;
import io.spillway.relay.admin.AdminSteering;
import io.spillway.routing.egress.OperatorOrder;
import io.spillway.routing.egress.OperatorOrders;
import io.spillway.routing.gate.ExporterPlace;
import io.spillway.routing.gate.RouteSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The orders of operators: routes that are pinned and exporters that are paused. Each is written
 * down before it is in force, so it survives a restart; it ends when it is taken back, when its
 * time is over, or when its route or exporter is gone from the configuration. Safe on any thread.
 */
final class Steering implements AdminSteering {
  private static final Logger log = LoggerFactory.getLogger(Steering.class);

  private final InstantSource clock;
  private final OrderFile file;
  private Runnable changed = () -> {};
  private Map<String, RouteSettings> routes = Map.of();
  private Map<String, ExporterPlace> places = Map.of();

  /** By route. */
  private Map<String, OperatorOrder> pins;

  /** By exporter. */
  private Map<String, OperatorOrder> pauses;

  Steering(Path bufferDirectory, InstantSource clock) {
    this.clock = clock;
    this.file = new OrderFile(bufferDirectory);
    OrderFile.Orders known = file.read();
    this.pins = current(known.pins());
    this.pauses = current(known.pauses());
    pins.forEach((route, order) -> restored("route " + route + " is pinned", order));
    pauses.forEach((exporter, order) -> restored("exporter " + exporter + " is paused", order));
  }

  private static void restored(String what, OperatorOrder order) {
    log.warn(
        "{}{} by {} since {}{}{}. It was before the restart, and is until it is taken back.",
        what,
        what.startsWith("route") ? " to " + order.exporter() : "",
        order.who(),
        order.since(),
        order.until() == null ? "" : " until " + order.until(),
        order.reason().isEmpty() ? "" : ": " + order.reason());
  }

  private Map<String, OperatorOrder> current(Map<String, OperatorOrder> orders) {
    Instant now = clock.instant();
    Map<String, OperatorOrder> current = new TreeMap<>(orders);
    current.values().removeIf(order -> order.isOver(now));
    return current;
  }

  /** Called after each change of orders, on the thread that asked for it. */
  synchronized void onChange(Runnable listener) {
    changed = listener;
  }

  /** What operators want of the lanes of a route. */
  synchronized OperatorOrders orders(String route) {
    return new OperatorOrders(current(pins).get(route), List.copyOf(current(pauses).values()));
  }

  /** Says what is configured from now on; orders for what is gone are dropped. */
  synchronized void retain(List<RouteSettings> configured, Map<String, ExporterPlace> exporters) {
    Map<String, RouteSettings> byName = new LinkedHashMap<>();
    configured.forEach(route -> byName.put(route.name(), route));
    routes = byName;
    places = Map.copyOf(exporters);
    Map<String, OperatorOrder> keptPins = current(pins);
    Map<String, OperatorOrder> keptPauses = current(pauses);
    boolean gone = keptPins.entrySet().removeIf(pin -> isGone(pin.getKey(), pin.getValue()));
    gone = keptPauses.keySet().removeIf(this::isGone) || gone;
    if (gone) {
      try {
        file.write(new OrderFile.Orders(keptPins, keptPauses));
      } catch (IOException e) {
        log.warn("{}", e.getMessage());
      }
      pins = keptPins;
      pauses = keptPauses;
    }
  }

  private boolean isGone(String route, OperatorOrder pin) {
    RouteSettings settings = routes.get(route);
    if (settings != null && settings.exporters().contains(pin.exporter())) {
      return false;
    }
    log.warn(
        "route {}: its pin to {} by {} is dropped: the configuration has no such {}.",
        route,
        pin.exporter(),
        pin.who(),
        settings == null ? "route" : "exporter in it");
    return true;
  }

  private boolean isGone(String exporter) {
    if (places.containsKey(exporter)) {
      return false;
    }
    log.warn("exporter {}: its pause is dropped: it is not configured any more.", exporter);
    return true;
  }

  @Override
  public Reply pin(String route, String exporter, Wish wish) throws IOException {
    OperatorOrder order;
    boolean paused;
    synchronized (this) {
      RouteSettings settings = routes.get(route);
      if (settings == null) {
        return unknownRoute(route);
      }
      ExporterPlace place = places.get(exporter);
      if (place == null) {
        return unknownExporter(exporter);
      }
      String objection = settings.targets().objection(place);
      if (!objection.isEmpty()) {
        return new Refused(
            "route %s is for regions %s only, and exporter %s %s. Nothing was changed."
                .formatted(
                    route,
                    settings.targets().regions().stream().sorted().toList(),
                    exporter,
                    objection));
      }
      if (!settings.exporters().contains(exporter)) {
        return new Refused(
            "exporter %s is not in the list of route %s (expected one of %s). Nothing was changed."
                .formatted(exporter, route, String.join(", ", settings.exporters())));
      }
      order = order(exporter, wish);
      Map<String, OperatorOrder> next = current(pins);
      next.put(route, order);
      write(next, current(pauses));
      paused = pauses.containsKey(exporter);
    }
    apply();
    ordered("route " + route + " is pinned to " + exporter, wish);
    Map<String, Object> body = body(order);
    body.put("route", route);
    if (paused) {
      body.put("note", exporter + " is paused: the data of the route stays on disk until resume");
    }
    return new Done(body);
  }

  @Override
  public Reply release(String route, Wish wish) throws IOException {
    OperatorOrder pin;
    synchronized (this) {
      if (!routes.containsKey(route)) {
        return unknownRoute(route);
      }
      Map<String, OperatorOrder> next = current(pins);
      pin = next.remove(route);
      if (pin == null) {
        return new Refused("route " + route + " is not pinned. Nothing was changed.");
      }
      write(next, current(pauses));
    }
    apply();
    return lifted("route " + route + " was released from " + pin.exporter(), "route", route, wish);
  }

  @Override
  public Reply pause(String exporter, Wish wish) throws IOException {
    OperatorOrder order;
    List<String> stranded;
    synchronized (this) {
      if (!places.containsKey(exporter)) {
        return unknownExporter(exporter);
      }
      order = order(exporter, wish);
      Map<String, OperatorOrder> next = current(pauses);
      next.put(exporter, order);
      write(current(pins), next);
      stranded = stranded();
    }
    apply();
    ordered("exporter " + exporter + " is paused", wish);
    Map<String, Object> body = body(order);
    if (!stranded.isEmpty()) {
      body.put(
          "note",
          "nothing is left to send to for "
              + String.join(", ", stranded)
              + ": their data stays on disk");
    }
    return new Done(body);
  }

  /** Routes whose exporters are all paused, or the one they are pinned to. */
  private List<String> stranded() {
    return routes.values().stream()
        .filter(
            route -> {
              OperatorOrder pin = pins.get(route.name());
              return pin == null
                  ? pauses.keySet().containsAll(route.exporters())
                  : pauses.containsKey(pin.exporter());
            })
        .map(RouteSettings::name)
        .toList();
  }

  @Override
  public Reply resume(String exporter, Wish wish) throws IOException {
    synchronized (this) {
      if (!places.containsKey(exporter)) {
        return unknownExporter(exporter);
      }
      Map<String, OperatorOrder> next = current(pauses);
      if (next.remove(exporter) == null) {
        return new Refused("exporter " + exporter + " is not paused. Nothing was changed.");
      }
      write(current(pins), next);
    }
    apply();
    return lifted("exporter " + exporter + " was resumed", "exporter", exporter, wish);
  }

  private OperatorOrder order(String exporter, Wish wish) {
    Instant now = clock.instant();
    return new OperatorOrder(
        exporter,
        "operator " + wish.who(),
        wish.reason(),
        now,
        wish.lasts() == null ? null : now.plus(wish.lasts()));
  }

  private void write(Map<String, OperatorOrder> nextPins, Map<String, OperatorOrder> nextPauses)
      throws IOException {
    file.write(new OrderFile.Orders(nextPins, nextPauses));
    pins = nextPins;
    pauses = nextPauses;
  }

  /** Outside the lock: the lanes ask for their orders under their own. */
  private void apply() {
    Runnable listener;
    synchronized (this) {
      listener = changed;
    }
    listener.run();
  }

  private static Reply lifted(String what, String key, String name, Wish wish) {
    ordered(what, wish);
    return new Done(Map.of(key, name));
  }

  private static void ordered(String what, Wish wish) {
    log.info(
        "{} by operator {}{}",
        what,
        wish.who(),
        wish.reason().isEmpty() ? "" : ": " + wish.reason());
  }

  private static Map<String, Object> body(OperatorOrder order) {
    Map<String, Object> body = new LinkedHashMap<>(shown(order));
    body.values().removeIf(value -> value == null);
    return body;
  }

  /** An order as JSON-ready map. */
  static Map<String, @Nullable Object> shown(OperatorOrder order) {
    Map<String, @Nullable Object> body = new LinkedHashMap<>();
    body.put("exporter", order.exporter());
    body.put("who", order.who());
    body.put("reason", order.reason());
    body.put("since", order.since().toString());
    body.put("until", order.until() == null ? null : order.until().toString());
    return body;
  }

  private Reply unknownRoute(String route) {
    return new Unknown(
        "there is no route %s%s".formatted(route, Suggestions.didYouMean(route, routes.keySet())));
  }

  private Reply unknownExporter(String exporter) {
    return new Unknown(
        "exporter %s is not configured%s"
            .formatted(exporter, Suggestions.didYouMean(exporter, places.keySet())));
  }
}
