package io.spillway.routing.gate;

import io.spillway.config.Durations;
import io.spillway.config.Section;
import io.spillway.config.Suggestions;
import io.spillway.otlp.Signal;
import io.spillway.routing.FailoverSettings;
import io.spillway.routing.Glob;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads {@code routes}. */
public final class RouteConfig {
  /** Most routes: a set of routes is one long, and every route has up to four lanes. */
  public static final int MAX_ROUTES = 64;

  private static final Pattern NAME = Pattern.compile("[a-z0-9_-]{1,63}");
  private static final String SLOWER_THAN = "slower_than:";
  private static final Duration MAX_FAILOVER = Duration.ofDays(1);
  private static final Duration MAX_HOLD = Duration.ofDays(30);
  private static final Duration DEFAULT_WINDOW = Duration.ofDays(28);

  private final Map<String, ExporterPlace> places;
  private final Set<String> names = new HashSet<>();

  private RouteConfig(Map<String, ExporterPlace> places) {
    this.places = places;
  }

  /**
   * The routes in order. What is wrong with them is recorded as problems of their sections; the
   * result is of use only if there are none.
   *
   * @param root the root of the configuration
   * @param places of all configured exporters, by id
   */
  public static List<RouteSettings> readAll(Section root, Map<String, ExporterPlace> places) {
    List<Section> sections = root.sections("routes");
    RouteConfig config = new RouteConfig(places);
    List<RouteSettings> routes = new ArrayList<>();
    Set<Signal> taken = EnumSet.noneOf(Signal.class);
    for (Section section : sections) {
      RouteSettings route = config.read(section);
      checkReachable(section, route, taken);
      if (route.match().isCatchAll() && !route.continues()) {
        taken.addAll(route.match().signals());
      }
      routes.add(route);
    }
    checkCatchAll(root, routes);
    if (routes.size() > MAX_ROUTES) {
      root.problem("routes", routes.size() + " routes (expected at most " + MAX_ROUTES + ")");
    }
    return routes;
  }

  private RouteSettings read(Section route) {
    String name = route.requiredString("name");
    if (!name.isEmpty()) {
      checkName(route, name);
    }
    RouteMatch match = match(route.section("match"));
    return new RouteSettings(
        name,
        match,
        route.bool("continue", false),
        sampling(route, match),
        targets(route),
        failover(route.section("failover")),
        DrainConfig.read(route),
        slo(route));
  }

  private void checkName(Section route, String name) {
    if (!NAME.matcher(name).matches()) {
      route.problem(
          "name", "\"" + name + "\" is not a name (expected 1 to 63 of a-z, 0-9, _ and -)");
    } else if (!names.add(name)) {
      route.problem("name", "\"" + name + "\" names an earlier route too (expected another name)");
    } else {
      route.named(name);
    }
  }

  private static RouteMatch match(Section match) {
    Set<Signal> signals = EnumSet.noneOf(Signal.class);
    for (String label : match.strings("signals")) {
      Signal.ofLabel(label)
          .ifPresentOrElse(
              signals::add,
              () ->
                  match.problem(
                      "signals",
                      "\""
                          + label
                          + "\" is not a signal (expected traces, metrics, logs or profiles)"));
    }
    Section resource = match.section("resource");
    Map<String, List<Glob>> patterns = new LinkedHashMap<>();
    for (String key : resource.keys()) {
      patterns.put(key, globs(resource, key));
    }
    return new RouteMatch(
        signals.isEmpty() ? EnumSet.allOf(Signal.class) : signals,
        patterns,
        SenderMatch.read(match));
  }

  static List<Glob> globs(Section resource, String key) {
    List<Glob> globs = resource.strings(key).stream().map(Glob::new).toList();
    if (globs.isEmpty()) {
      resource.problem(key, "no value to match (expected a pattern or a list of patterns)");
    }
    return globs;
  }

  private static @Nullable SamplingSettings sampling(Section route, RouteMatch match) {
    if (!route.has("sampling")) {
      return null;
    }
    Section sampling = route.section("sampling");
    double percentage = sampling.decimal("percentage", 100, 0, 100);
    if (percentage == 0 || !sampling.has("percentage")) {
      sampling.problem(
          "percentage",
          (sampling.has("percentage") ? "0 keeps nothing" : "missing")
              + " (expected above 0, up to 100)");
    }
    if (!match.signals().contains(Signal.TRACES)) {
      route.problem(
          "sampling", "the route takes no traces (expected no sampling: it is for traces only)");
    }
    return keep(sampling, percentage);
  }

  private static SamplingSettings keep(Section sampling, double percentage) {
    boolean errors = false;
    Duration slowerThan = null;
    List<String> rules = sampling.strings("keep");
    for (int i = 0; i < rules.size(); i++) {
      Optional<Duration> duration = slowerThan(rules.get(i));
      if (rules.get(i).equals("errors")) {
        errors = true;
      } else if (duration.isPresent()) {
        slowerThan = duration.get();
      } else {
        sampling.problem(
            "keep[" + i + "]",
            "\"" + rules.get(i) + "\" is not a rule (expected errors or \"slower_than: 2s\")");
      }
    }
    return new SamplingSettings(percentage, errors, slowerThan);
  }

  private static Optional<Duration> slowerThan(String rule) {
    return rule.startsWith(SLOWER_THAN)
        ? Durations.parse(rule.substring(SLOWER_THAN.length()).strip())
        : Optional.empty();
  }

  private RouteTargets targets(Section route) {
    List<String> regions = route.strings("regions");
    if (regions.isEmpty() && route.has("regions")) {
      route.problem("regions", "names no region (expected at least one, or no such key)");
    }
    List<Section.Element> elements = route.elements("exporters");
    if (elements.isEmpty() && !route.has("exporters")) {
      route.problem("exporters", "missing (expected the exporters of the route in failover order)");
    } else if (elements.isEmpty()) {
      route.problem("exporters", "names no exporter (expected at least one)");
    }
    List<List<String>> levels = new ArrayList<>();
    for (Section.Element element : elements) {
      levels.add(
          switch (element) {
            case Section.Text(String _, String id) -> List.of(id);
            case Section.Mapping(String key, Section level) -> balanced(route, key, level);
          });
    }
    RouteTargets targets = new RouteTargets(levels, new LinkedHashSet<>(regions));
    check(route, elements, targets);
    return targets;
  }

  private static List<String> balanced(Section route, String key, Section level) {
    List<String> ids = level.strings("balance");
    if (ids.isEmpty()) {
      route.problem(key, "is no level (expected an exporter's id, or { balance: [id, id] })");
    }
    return ids;
  }

  private void check(Section route, List<Section.Element> elements, RouteTargets targets) {
    Set<String> seen = new HashSet<>();
    for (int level = 0; level < targets.levels().size(); level++) {
      List<String> ids = targets.levels().get(level);
      for (int i = 0; i < ids.size(); i++) {
        String key =
            switch (elements.get(level)) {
              case Section.Text text -> text.key();
              case Section.Mapping mapping -> mapping.key() + "::balance[" + i + "]";
            };
        check(route, key, ids.get(i), seen, targets);
      }
    }
  }

  private void check(Section route, String key, String id, Set<String> seen, RouteTargets targets) {
    ExporterPlace place = places.get(id);
    if (place == null) {
      route.problem(
          key,
          "exporter \""
              + id
              + "\" is not configured"
              + Suggestions.didYouMean(id, places.keySet()));
      return;
    }
    if (!seen.add(id)) {
      route.problem(key, "exporter \"" + id + "\" is listed twice (expected once)");
    }
    String objection = targets.objection(place);
    if (!objection.isEmpty()) {
      route.problem(
          key,
          "exporter \"%s\" %s (expected region %s, as regions of the route says)"
              .formatted(
                  id,
                  objection,
                  targets.regions().stream().sorted().collect(Collectors.joining(" or "))));
    }
  }

  private static FailoverSettings failover(Section failover) {
    return new FailoverSettings(
        failover.duration("after", FailoverSettings.DEFAULT.after(), Duration.ZERO, MAX_FAILOVER),
        failover.duration(
            "failback_after",
            FailoverSettings.DEFAULT.failbackAfter(),
            Duration.ZERO,
            MAX_FAILOVER),
        failover.duration("hold", FailoverSettings.DEFAULT.hold(), Duration.ZERO, MAX_HOLD));
  }

  private static @Nullable SloSettings slo(Section route) {
    if (!route.has("slo")) {
      return null;
    }
    Section slo = route.section("slo");
    double objective = slo.decimal("objective", 99.9, 1, 99.9999);
    if (!slo.has("objective")) {
      slo.problem("objective", "missing (expected a percentage such as 99.9)");
    }
    return new SloSettings(
        objective,
        slo.duration("window", DEFAULT_WINDOW, Duration.ofHours(1), Duration.ofDays(365)));
  }

  private static void checkReachable(Section route, RouteSettings settings, Set<Signal> taken) {
    if (taken.containsAll(settings.match().signals())) {
      route.problem(
          "",
          "never reached: earlier routes without match.resource, headers or tenant take everything"
              + " (expected it before them, or `continue: true` there)");
    }
  }

  /** Signals in development may stay without a route: what none takes is not served. */
  private static void checkCatchAll(Section root, List<RouteSettings> routes) {
    Set<Signal> open = EnumSet.allOf(Signal.class);
    open.removeIf(signal -> !signal.isStable());
    routes.stream()
        .filter(route -> route.match().isCatchAll())
        .forEach(route -> open.removeAll(route.match().signals()));
    if (!open.isEmpty()) {
      root.problem(
          "routes",
          "no route takes all "
              + open.stream().map(Signal::label).collect(Collectors.joining(", "))
              + " (expected a last route without match.resource, headers or tenant, such as"
              + " { name: default, exporters: [file/archive] })");
    }
  }
}
