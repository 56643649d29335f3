package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.Fault;
import io.spillway.tests.harness.HttpWire;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Ledger;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Tricks;
import io.spillway.tests.harness.Yaml;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Sinks that do everything wrong that we could think of, one on each route of one relay: nothing is
 * lost, and once they take data they have all of it. What each attempt ends in is in {@code
 * docs/outcomes.md}.
 */
@Timeout(300)
class HostileSinkIT {

  private static final Duration GENEROUS = Duration.ofSeconds(120);
  private static final int ITEMS = 5;

  /** Attempts after which the sinks turn good: the first can still meet luck. */
  private static final int ATTEMPTS = 2;

  @RegisterExtension final Lab lab = new Lab();

  private final List<Case> cases = new ArrayList<>();

  private record Case(String route, CapturingSink sink) {}

  @Test
  void everyTrick_thenAGoodSink_losesNothing() {
    Tricks.http().forEach((name, trick) -> add(name, Protocol.HTTP, trick));
    Tricks.grpc().forEach((name, trick) -> add(name, Protocol.GRPC, trick));
    RelayProcess relay = lab.relay(yaml());
    try (HttpWire wire = new HttpWire(relay::http, Encoding.GZIP)) {
      for (Case each : cases) {
        for (int request = 0; request < 2; request++) {
          byte[] items =
              Items.request(
                  Kind.TRACES, (long) request * ITEMS, ITEMS, Map.of("case", each.route()));
          assertThat(wire.send(Kind.TRACES, items).acknowledged()).isTrue();
        }
      }
    }

    await()
        .atMost(GENEROUS)
        .untilAsserted(
            () -> {
              String metrics = relay.admin("/metrics");
              assertThat(cases).allMatch(each -> attempts(metrics, each) >= ATTEMPTS);
            });
    assertThat(relay.ledger().buffered()).isEqualTo(2L * ITEMS * cases.size());
    cases.forEach(each -> each.sink().heal());

    await().atMost(GENEROUS).until(() -> relay.ledger().buffered() == 0);
    Ledger ledger = relay.ledger();
    assertThat(ledger.balanced()).isTrue();
    SoftAssertions softly = new SoftAssertions();
    Set<Long> sent = new HashSet<>(LongStream.range(0, 2L * ITEMS).boxed().toList());
    for (Case each : cases) {
      Ledger.Line line = ledger.lane(each.route(), Kind.TRACES);
      softly.assertThat(each.sink().ids(Kind.TRACES)).as(each.route()).isEqualTo(sent);
      softly.assertThat(each.sink().damaged()).as(each.route()).isZero();
      softly
          .assertThat(line.delivered())
          .as(each.route())
          .containsExactly(Map.entry(Yaml.id(each.route(), each.sink()), 2L * ITEMS));
      softly.assertThat(Ledger.sum(line.dropped())).as(each.route()).isZero();
    }
    softly.assertAll();
  }

  private void add(String name, Protocol protocol, Fault.Trick trick) {
    CapturingSink sink = lab.sink(protocol);
    sink.fail(new Fault.Playing(trick));
    cases.add(new Case(protocol.name().toLowerCase(Locale.ROOT) + "-" + name, sink));
  }

  private static double attempts(String metrics, Case each) {
    return metrics
        .lines()
        .filter(line -> line.startsWith("spillway_exporter_attempts_total{"))
        .filter(line -> line.contains("route=\"" + each.route() + "\""))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  private String yaml() {
    StringBuilder exporters = new StringBuilder("exporters:\n  debug: {}\n");
    StringBuilder routes = new StringBuilder("routes:\n");
    for (Case each : cases) {
      exporters.append(
          Yaml.exporter(each.route(), each.sink(), "gzip").replace("timeout: 10s", "timeout: 1s"));
      routes.append(
          "  - { name: %1$s, match: { signals: [traces], resource: { case: %1$s } }, exporters: [%2$s] }\n"
              .formatted(each.route(), Yaml.id(each.route(), each.sink())));
    }
    routes.append("  - { name: default, exporters: [debug] }\n");
    return Yaml.anywhere(lab.directory()) + exporters + routes;
  }
}
