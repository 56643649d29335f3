package io.spillway.routing.gate;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import java.util.List;
import java.util.Map;

/** Routes as they are written, all to one exporter. */
final class TestRoutes {
  private TestRoutes() {}

  /**
   * @param yaml with {@code routes} to exporter {@code e}; has to be without a problem
   */
  static List<RouteSettings> read(String yaml) {
    Configuration configuration = ConfigurationLoader.parse("test.yaml", yaml, Map.of());
    List<RouteSettings> routes =
        RouteConfig.readAll(configuration.root(), Map.of("e", new ExporterPlace(null, false)));
    assertThat(configuration.problems().all()).isEmpty();
    return routes;
  }
}
