package io.spillway.relay;

import io.spillway.routing.gate.RouteSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Remembers on disk where each route sent and how it failed over, so that the lanes of a route that
 * is gone after a restart can still drain as it would have.
 *
 * <p>A small JSON file beside the lanes, replaced as a whole. Without it nothing is lost: such
 * lanes keep their data and say so.
 */
final class RouteMemory {
  static final int VERSION = 2;

  private static final Logger log = LoggerFactory.getLogger(RouteMemory.class);

  private final ReplacedFile file;
  private final Map<String, LastRoute> routes;

  /** The file's form. The one before it, without a version, is a list of exporters by route. */
  private record Stored(int version, Map<String, LastRoute> routes) {}

  RouteMemory(Path bufferDirectory) {
    this.file = new ReplacedFile(bufferDirectory.resolve("routes.json"));
    this.routes = read();
  }

  /** What a route last said; null if it is not known. */
  @Nullable LastRoute recall(String route) {
    return routes.get(route);
  }

  /** Adds and replaces these routes; others are kept. */
  void remember(List<RouteSettings> applied) {
    Map<String, LastRoute> before = Map.copyOf(routes);
    applied.forEach(route -> routes.put(route.name(), LastRoute.of(route)));
    if (!before.equals(routes)) {
      write();
    }
  }

  private Map<String, LastRoute> read() {
    if (!file.exists()) {
      return new LinkedHashMap<>();
    }
    try {
      return parse(JsonMapper.shared().readTree(file.read()));
    } catch (IOException | JacksonException | NullPointerException e) {
      log.warn(
          "{}: unreadable ({}). Lanes of routes that are gone keep their data until their route is"
              + " configured again.",
          file,
          e.getMessage());
      return new LinkedHashMap<>();
    }
  }

  private Map<String, LastRoute> parse(JsonNode tree) throws IOException {
    JsonNode version = tree.path("version");
    if (!version.isIntegralNumber()) {
      return parseWithoutVersion(tree);
    }
    if (version.asInt() != VERSION) {
      throw new IOException("version " + version + ", expected " + VERSION);
    }
    return new LinkedHashMap<>(JsonMapper.shared().treeToValue(tree, Stored.class).routes());
  }

  private static Map<String, LastRoute> parseWithoutVersion(JsonNode tree) throws IOException {
    if (!tree.isObject()) {
      throw new IOException("it is no list of routes");
    }
    Map<String, LastRoute> routes = new LinkedHashMap<>();
    tree.forEachEntry(
        (route, exporters) -> {
          List<String> ids = new ArrayList<>();
          exporters.forEach(id -> ids.add(id.asString()));
          routes.put(route, LastRoute.of(ids));
        });
    return routes;
  }

  private void write() {
    try {
      file.write(JsonMapper.shared().writeValueAsString(new Stored(VERSION, routes)));
    } catch (IOException e) {
      log.warn(
          "{}: cannot be written ({}). Should a route be removed before the next start, its lanes"
              + " wait for it to come back.",
          file,
          e.getMessage());
    }
  }
}
