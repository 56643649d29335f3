package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.ConfigurationLoader;
import io.spillway.routing.DailyWindow;
import io.spillway.routing.DrainSettings;
import io.spillway.routing.FailoverSettings;
import io.spillway.routing.gate.RouteSettings;
import io.spillway.routing.gate.RouteTargets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RouteMemoryTest {
  private static final LastRoute PAYMENTS =
      new LastRoute(
          new RouteTargets(List.of(List.of("file/a", "file/b"), List.of("file/c")), Set.of("eu")),
          new FailoverSettings(
              Duration.ofSeconds(3), Duration.ofMinutes(2), Duration.ofMinutes(30)),
          new DrainSettings(
              DrainSettings.Order.OLDEST_FIRST, 1 << 20, DailyWindow.parse("01:00-05:00")));
  private static final String VERSION_2 =
      """
      {"version":2,"routes":{"payments":{"targets":{"levels":[["file/a","file/b"],["file/c"]],\
      "regions":["eu"]},"failover":{"after":"PT3S","failbackAfter":"PT2M","hold":"PT30M"},\
      "drain":{"order":"OLDEST_FIRST","bytesPerSecond":1048576,\
      "window":{"from":"01:00:00","to":"05:00:00"}}}}}\
      """;

  @TempDir Path directory;

  private List<RouteSettings> routes() throws Exception {
    Path yaml =
        Files.writeString(
            directory.resolve("relay.yaml"),
            """
            buffer: { directory: "%1$s" }
            exporters:
              file/a: { directory: "%1$s/a" }
              file/b: { directory: "%1$s/b" }
              file/c: { directory: "%1$s/c" }
            routes:
              - name: payments
                exporters: [ { balance: [file/a, file/b] }, file/c ]
                regions: [eu]
                failover: { after: 3s, failback_after: 2m, hold: 30m }
                drain: oldest_first
                drain_rate: 1MiB
                drain_window: "01:00-05:00"
            """
                .formatted(directory));
    RelayConfig config =
        RelayConfig.read(ConfigurationLoader.load(List.of(yaml), List.of(), Map.of()));
    return config.routes();
  }

  private Path file() {
    return directory.resolve("routes.json");
  }

  @Test
  void recall_afterRestart_isAllThatTheRouteSaid() throws Exception {
    new RouteMemory(directory).remember(routes());

    assertThat(new RouteMemory(directory).recall("payments")).isEqualTo(PAYMENTS);
    assertThat(file()).hasContent(VERSION_2);
  }

  @Test
  void recall_fileOfVersion2_isRead() throws Exception {
    Files.writeString(file(), VERSION_2);

    assertThat(new RouteMemory(directory).recall("payments")).isEqualTo(PAYMENTS);
    assertThat(new RouteMemory(directory).recall("default")).isNull();
  }

  @Test
  void recall_fileWithoutVersion_hasTheOrderOfExporters() throws Exception {
    Files.writeString(file(), "{\"version\":[\"file/a\"],\"payments\":[\"file/b\",\"file/c\"]}");

    RouteMemory memory = new RouteMemory(directory);

    assertThat(memory.recall("payments")).isEqualTo(LastRoute.of(List.of("file/b", "file/c")));
    assertThat(memory.recall("version")).isEqualTo(LastRoute.of(List.of("file/a")));
  }

  @Test
  void recall_fileIsDamaged_knowsNothing() throws Exception {
    for (String damage :
        List.of(
            "",
            "null",
            "[]",
            "{\"version\":2}",
            "{\"version\":3,\"routes\":{}}",
            VERSION_2.replace("\"failover\"", "\"fallover\""),
            VERSION_2.replace("PT3S", "3s"),
            VERSION_2.substring(0, VERSION_2.length() / 2))) {
      Files.writeString(file(), damage);

      assertThat(new RouteMemory(directory).recall("payments")).as(damage).isNull();
    }
  }

  @Test
  void remember_otherRoutes_keepsThoseThatAreGone() throws Exception {
    Files.writeString(file(), "{\"gone\":[\"file/a\"]}");

    new RouteMemory(directory).remember(routes());

    assertThat(new RouteMemory(directory).recall("gone"))
        .isEqualTo(LastRoute.of(List.of("file/a")));
  }
}
