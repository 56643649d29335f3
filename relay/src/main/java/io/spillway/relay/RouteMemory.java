package io.spillway.relay;

import io.spillway.routing.gate.RouteSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * Remembers on disk which exporters each route had, so that the lanes of a route that is gone after
 * a restart can still drain to them.
 *
 * <p>A small JSON file beside the lanes, replaced as a whole. Without it nothing is lost: such
 * lanes keep their data and say so.
 */
final class RouteMemory {

  private static final Logger log = LoggerFactory.getLogger(RouteMemory.class);

  private final JsonMapper json = JsonMapper.shared();
  private final ReplacedFile file;
  private final Map<String, List<String>> exportersByRoute;

  RouteMemory(Path bufferDirectory) {
    this.file = new ReplacedFile(bufferDirectory.resolve("routes.json"));
    this.exportersByRoute = read();
  }

  /** The exporters that a route had; none if it is not known. */
  List<String> recall(String route) {
    return exportersByRoute.getOrDefault(route, List.of());
  }

  /** Adds and replaces these routes; others are kept. */
  void remember(List<RouteSettings> routes) {
    Map<String, List<String>> before = Map.copyOf(exportersByRoute);
    routes.forEach(route -> exportersByRoute.put(route.name(), List.copyOf(route.exporters())));
    if (!before.equals(exportersByRoute)) {
      write();
    }
  }

  private Map<String, List<String>> read() {
    if (!file.exists()) {
      return new LinkedHashMap<>();
    }
    try {
      return new LinkedHashMap<>(
          json.readValue(file.read(), new TypeReference<Map<String, List<String>>>() {}));
    } catch (IOException | JacksonException e) {
      log.warn(
          "{}: unreadable ({}). Lanes of routes that are gone keep their data until their route is"
              + " configured again.",
          file,
          e.getMessage());
      return new LinkedHashMap<>();
    }
  }

  private void write() {
    try {
      file.write(json.writeValueAsString(exportersByRoute));
    } catch (IOException e) {
      log.warn(
          "{}: cannot be written ({}). Should a route be removed before the next start, its lanes"
              + " wait for it to come back.",
          file,
          e.getMessage());
    }
  }
}
