package io.spillway.routing.gate;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.Signal;
import io.spillway.routing.DailyWindow;
import io.spillway.routing.DrainSettings;
import io.spillway.routing.DrainSettings.Order;
import io.spillway.routing.FailoverSettings;
import io.spillway.routing.Glob;
import java.time.Duration;
import java.time.LocalTime;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RouteConfigTest {
  private static final Map<String, ExporterPlace> EXPORTERS =
      Map.of(
          "otlp_grpc/eu", new ExporterPlace("eu", false),
          "otlp_grpc/us", new ExporterPlace("us", false),
          "otlp_http/somewhere", new ExporterPlace(null, false),
          "file/archive", new ExporterPlace(null, true));

  @Test
  void readAll_everyKey_readsIt() {
    Configuration configuration =
        parse(
            """
            routes:
              - name: payments
                match:
                  signals: [traces]
                  resource: { service.namespace: payments, env: [prod*, stag?] }
                continue: true
                sampling: { percentage: 25, keep: [ errors, "slower_than: 2s" ] }
                exporters: [otlp_grpc/eu, file/archive]
                regions: [eu]
                failover: { after: 5s, failback_after: 2m, hold: 30m }
                drain: live_first
                drain_rate: 10MiB
                drain_window: "22:00-05:30"
                slo: { objective: 99.5, window: 7d }
              - { name: default, exporters: file/archive }
            """);

    List<RouteSettings> routes = RouteConfig.readAll(configuration.root(), EXPORTERS);
    configuration.reportUnknownKeys();

    assertThat(messages(configuration)).isEmpty();
    assertThat(routes)
        .containsExactly(
            new RouteSettings(
                "payments",
                new RouteMatch(
                    Set.of(Signal.TRACES),
                    Map.of(
                        "service.namespace",
                        List.of(new Glob("payments")),
                        "env",
                        List.of(new Glob("prod*"), new Glob("stag?")))),
                true,
                new SamplingSettings(25, true, Duration.ofSeconds(2)),
                new RouteTargets(
                    List.of(List.of("otlp_grpc/eu"), List.of("file/archive")), Set.of("eu")),
                new FailoverSettings(
                    Duration.ofSeconds(5), Duration.ofMinutes(2), Duration.ofMinutes(30)),
                new DrainSettings(
                    Order.LIVE_FIRST,
                    10 << 20,
                    new DailyWindow(LocalTime.of(22, 0), LocalTime.of(5, 30))),
                new SloSettings(99.5, Duration.ofDays(7))),
            new RouteSettings(
                "default",
                new RouteMatch(Set.of(Signal.values()), Map.of()),
                false,
                null,
                RouteTargets.inOrder(List.of("file/archive")),
                new FailoverSettings(Duration.ofSeconds(10), Duration.ofSeconds(60)),
                DrainSettings.DEFAULT,
                null));
  }

  @Test
  void readAll_everythingWrong_reportsAllOfIt() {
    Configuration configuration =
        parse(
            """
            routes:
              - exporters: [otlp_grpc/ue]
                match: { signals: [spans], resource: { a: [] }, zone: eu }
              - name: Payments
                exporters: []
                match: { resource: { a: b } }
                sampling: { keep: [ "slower_than: fast", warnings ] }
              - name: logs
                match: { signals: [logs, metrics], resource: { a: b } }
                sampling: { percentage: 0 }
                exporters: [file/archive, file/archive]
                failover: { after: 2d }
                slo: { window: 1m }
              - { name: logs, match: { resource: { a: b } }, exporters: [file/archive], drain_window: night }
              - { name: none, match: { resource: { a: b } } }
            """);

    RouteConfig.readAll(configuration.root(), EXPORTERS);
    configuration.reportUnknownKeys();

    assertThat(messages(configuration))
        .containsExactly(
            "routes[0]::name: missing (expected text)",
            "routes[0]::match::signals: \"spans\" is not a signal (expected traces, metrics, logs"
                + " or profiles)",
            "routes[0]::match::resource::a: no value to match (expected a pattern or a list of"
                + " patterns)",
            "routes[0]::exporters[0]: exporter \"otlp_grpc/ue\" is not configured; did you mean"
                + " \"otlp_grpc/eu\"?",
            "routes[1]::name: \"Payments\" is not a name (expected 1 to 63 of a-z, 0-9, _ and -)",
            "routes[1]::sampling::percentage: missing (expected above 0, up to 100)",
            "routes[1]::sampling::keep[0]: \"slower_than: fast\" is not a rule (expected errors or"
                + " \"slower_than: 2s\")",
            "routes[1]::sampling::keep[1]: \"warnings\" is not a rule (expected errors or"
                + " \"slower_than: 2s\")",
            "routes[1]::exporters: names no exporter (expected at least one)",
            "routes::logs::sampling::percentage: 0 keeps nothing (expected above 0, up to 100)",
            "routes::logs::sampling: the route takes no traces (expected no sampling: it is for"
                + " traces only)",
            "routes::logs::exporters[1]: exporter \"file/archive\" is listed twice (expected once)",
            "routes::logs::failover::after: \"2d\" is out of range (expected from 0s to 1d)",
            "routes::logs::slo::objective: missing (expected a percentage such as 99.9)",
            "routes::logs::slo::window: \"1m\" is out of range (expected from 1h to 365d)",
            "routes[3]::name: \"logs\" names an earlier route too (expected another name)",
            "routes[3]::drain_window: \"night\" is not a span of the day (expected"
                + " \"01:00-05:00\")",
            "routes::none::exporters: missing (expected the exporters of the route in failover"
                + " order)",
            "routes: no route takes all traces, metrics, logs (expected a last route without"
                + " match.resource, headers or tenant, such as { name: default, exporters:"
                + " [file/archive] })",
            "routes[0]::match::zone: unknown key (expected headers, resource, signals, tenant)");
  }

  @Test
  void readAll_balance_readsLevels() {
    Configuration configuration =
        parse(
            """
            routes:
              - name: default
                exporters: [ { balance: [otlp_grpc/eu, otlp_grpc/us] }, file/archive ]
            """);

    List<RouteSettings> routes = RouteConfig.readAll(configuration.root(), EXPORTERS);
    configuration.reportUnknownKeys();

    assertThat(messages(configuration)).isEmpty();
    assertThat(routes.getFirst().targets().levels())
        .containsExactly(List.of("otlp_grpc/eu", "otlp_grpc/us"), List.of("file/archive"));
    assertThat(routes.getFirst().exporters())
        .containsExactly("otlp_grpc/eu", "otlp_grpc/us", "file/archive");
  }

  @Test
  void readAll_wrongLevelsAndRegions_namesThem() {
    Configuration configuration =
        parse(
            """
            routes:
              - name: payments
                match: { resource: { a: b } }
                regions: [eu]
                exporters:
                  - balance: [otlp_grpc/eu, otlp_grpc/us, otlp_grpc/ue]
                  - otlp_http/somewhere
                  - { balanced: [file/archive] }
                  - file/archive
                  - otlp_grpc/eu
              - { name: default, regions: [], exporters: [file/archive] }
            """);

    RouteConfig.readAll(configuration.root(), EXPORTERS);
    configuration.reportUnknownKeys();

    assertThat(messages(configuration))
        .containsExactly(
            "routes::payments::exporters[2]: is no level (expected an exporter's id, or { balance:"
                + " [id, id] })",
            "routes::payments::exporters[0]::balance[1]: exporter \"otlp_grpc/us\" is in region us"
                + " (expected region eu, as regions of the route says)",
            "routes::payments::exporters[0]::balance[2]: exporter \"otlp_grpc/ue\" is not"
                + " configured; did you mean \"otlp_grpc/eu\"?",
            "routes::payments::exporters[1]: exporter \"otlp_http/somewhere\" says no region"
                + " (expected region eu, as regions of the route says)",
            "routes::payments::exporters[4]: exporter \"otlp_grpc/eu\" is listed twice (expected"
                + " once)",
            "routes::default::regions: names no region (expected at least one, or no such key)",
            "routes::payments::exporters[2]::balanced: unknown key; did you mean \"balance\"?");
  }

  @Test
  void readAll_catchAllForSomeSignals_namesTheOthers() {
    Configuration configuration =
        parse(
            """
            routes:
              - { name: a, match: { signals: [traces] }, exporters: [file/archive] }
              - { name: b, match: { signals: [logs] }, continue: true, exporters: [file/archive] }
            """);

    RouteConfig.readAll(configuration.root(), EXPORTERS);

    assertThat(messages(configuration))
        .containsExactly(
            "routes: no route takes all metrics (expected a last route without match.resource,"
                + " headers or tenant, such as { name: default, exporters: [file/archive] })");
  }

  @Test
  void readAll_routeBehindCatchAlls_isNeverReached() {
    Configuration configuration =
        parse(
            """
            routes:
              - { name: copy, continue: true, exporters: [file/archive] }
              - { name: traces, match: { signals: [traces] }, exporters: [file/archive] }
              - { name: reached, match: { signals: [traces, logs] }, exporters: [file/archive] }
              - { name: late, match: { signals: [traces, logs], resource: { a: b } },
                  exporters: [file/archive] }
              - { name: default, exporters: [file/archive] }
            """);

    RouteConfig.readAll(configuration.root(), EXPORTERS);

    assertThat(messages(configuration))
        .containsExactly(
            "routes::late: never reached: earlier routes without match.resource, headers or tenant"
                + " take everything (expected it before them, or `continue: true` there)");
  }

  @Test
  void readAll_moreThan64Routes_isAProblem() {
    StringBuilder yaml = new StringBuilder("routes:\n");
    for (int i = 0; i < 64; i++) {
      yaml.append(
          "  - { name: r%d, match: { resource: { a: b } }, exporters: [file/archive] }\n"
              .formatted(i));
    }
    yaml.append("  - { name: default, exporters: [file/archive] }\n");
    Configuration configuration = parse(yaml.toString());

    RouteConfig.readAll(configuration.root(), EXPORTERS);

    assertThat(messages(configuration)).containsExactly("routes: 65 routes (expected at most 64)");
  }

  private static Configuration parse(String yaml) {
    return ConfigurationLoader.parse("test.yaml", yaml, Map.of());
  }

  private static List<String> messages(Configuration configuration) {
    return configuration.problems().all().stream().map(Object::toString).toList();
  }
}
