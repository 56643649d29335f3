package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.Fault;
import io.spillway.tests.harness.GrpcWire;
import io.spillway.tests.harness.HttpWire;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Ledger;
import io.spillway.tests.harness.Load;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Yaml;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A primary sink fails in every way we know: senders notice nothing, the secondary takes over, the
 * primary gets its traffic back, and the sinks together hold what the ledger says. All cases run on
 * one relay, each on a route of its own, so each also shows that the others' outages are not its
 * own.
 */
@Timeout(300)
class FailoverIT {

  private static final Logger LOG = LoggerFactory.getLogger(FailoverIT.class);
  private static final Duration FAILOVER_AFTER = Duration.ofSeconds(2);
  private static final Duration GENEROUS = Duration.ofSeconds(90);
  private static final int ITEMS_PER_REQUEST = 5;
  private static final int PAUSE_MILLIS = 20;

  @RegisterExtension static final Lab LAB = new Lab();

  private static final Map<String, Route> ROUTES = new java.util.concurrent.ConcurrentHashMap<>();
  private static RelayProcess relay;

  private record Route(String name, Fault fault, CapturingSink primary, CapturingSink secondary) {
    String primaryId() {
      return Yaml.id(name + "-primary", primary);
    }

    String secondaryId() {
      return Yaml.id(name + "-secondary", secondary);
    }
  }

  static Stream<Arguments> routes() {
    return faults().keySet().stream()
        .flatMap(
            fault -> Stream.of(Protocol.values()).map(protocol -> Arguments.of(fault, protocol)));
  }

  private static Map<String, Fault> faults() {
    return Map.of(
        "refused", new Fault.Refused(),
        "resetting", new Fault.Resetting(),
        "hanging", new Fault.Hanging(),
        "unavailable", Fault.unavailable(),
        "throttled", Fault.throttled(Duration.ofSeconds(3)),
        "unauthorized", Fault.unauthorized(),
        "not-found", Fault.notFound(),
        "internal-error", Fault.internalError());
  }

  @BeforeAll
  static void startRelay() {
    StringBuilder exporters = new StringBuilder("exporters:\n");
    StringBuilder routes = new StringBuilder("routes:\n");
    faults()
        .forEach(
            (fault, how) -> {
              for (Protocol protocol : Protocol.values()) {
                Route route = open(fault, how, protocol);
                exporters
                    .append(Yaml.exporter(route.name() + "-primary", route.primary(), "gzip"))
                    .append(Yaml.exporter(route.name() + "-secondary", route.secondary(), "zstd"));
                routes.append(yaml(route));
              }
            });
    routes.append("  - { name: default, exporters: [debug] }\n");
    exporters.append("  debug: {}\n");
    String quick = exporters.toString().replace("timeout: 10s", "timeout: 2s");
    relay = LAB.relay(Yaml.anywhere(LAB.directory()) + quick + routes);
  }

  private static Route open(String fault, Fault how, Protocol protocol) {
    Protocol other = protocol == Protocol.GRPC ? Protocol.HTTP : Protocol.GRPC;
    String name = name(fault, protocol);
    Route route = new Route(name, how, LAB.sink(protocol), LAB.sink(other));
    ROUTES.put(name, route);
    return route;
  }

  private static String name(String fault, Protocol protocol) {
    return fault + "-" + protocol.name().toLowerCase(java.util.Locale.ROOT);
  }

  private static String yaml(Route route) {
    return """
      - name: %1$s
        match: { resource: { case: %1$s } }
        exporters: [%2$s, %3$s]
        failover: { after: 2s, failback_after: 2s }
    """
        .formatted(route.name(), route.primaryId(), route.secondaryId());
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("routes")
  @Execution(ExecutionMode.CONCURRENT)
  void outage_ofPrimary_costsSendersNothing(String fault, Protocol protocol) {
    Route route = ROUTES.get(name(fault, protocol));
    Load load = LAB.own(load(route.name())).start();
    awaitArrival(route.primary());
    route.secondary().forgetFirstTaken();

    route.primary().fail(route.fault());

    await().atMost(GENEROUS).until(() -> route.primary().firstRefusalNanos() != 0);
    awaitArrival(route.secondary());
    LOG.info("{}: at the secondary after {} ms", route.name(), failoverMillis(route));
    assertThat(failoverMillis(route))
        .as("order of magnitude of the time to the secondary, ms")
        .isLessThan(20 * FAILOVER_AFTER.toMillis());
    await()
        .atMost(GENEROUS)
        .until(() -> route.secondaryId().equals(relay.activeExporter(route.name(), Kind.TRACES)));

    route.primary().forgetFirstTaken();
    route.primary().heal();

    await()
        .atMost(GENEROUS)
        .until(() -> route.primaryId().equals(relay.activeExporter(route.name(), Kind.TRACES)));
    awaitArrival(route.primary());
    load.stop();
    await()
        .atMost(GENEROUS)
        .untilAsserted(() -> assertThat(lines(route)).allMatch(line -> line.buffered() == 0));
    assertThat(load.failures()).isEmpty();
    assertThat(load.retries()).isEmpty();
    assertConserved(route, load);
  }

  private static Load load(String route) {
    return new Load(
        List.of(
            new GrpcWire(relay::grpc, Encoding.GZIP), new HttpWire(relay::http, Encoding.IDENTITY)),
        Map.of("case", route),
        ITEMS_PER_REQUEST,
        PAUSE_MILLIS);
  }

  private static void awaitArrival(CapturingSink sink) {
    await().atMost(GENEROUS).until(() -> sink.firstTakenNanos() != 0);
  }

  private static long failoverMillis(Route route) {
    return TimeUnit.NANOSECONDS.toMillis(
        route.secondary().firstTakenNanos() - route.primary().firstRefusalNanos());
  }

  private static List<Ledger.Line> lines(Route route) {
    List<Ledger.Line> lines = new ArrayList<>();
    Ledger ledger = relay.ledger();
    for (Kind kind : Kind.values()) {
      lines.add(ledger.lane(route.name(), kind));
    }
    return lines;
  }

  private static void assertConserved(Route route, Load load) {
    Map<Kind, Ledger.Line> ledger = new EnumMap<>(Kind.class);
    for (Kind kind : Kind.values()) {
      ledger.put(kind, relay.ledger().lane(route.name(), kind));
    }
    ledger.forEach(
        (kind, line) -> {
          Set<Long> arrived = new HashSet<>(route.primary().ids(kind));
          arrived.addAll(route.secondary().ids(kind));
          long arrivals = route.primary().arrivals(kind) + route.secondary().arrivals(kind);
          long delivered = Ledger.sum(line.delivered());

          assertThat(arrived).isEqualTo(load.acknowledged(kind));
          assertThat(line.routed()).isEqualTo(load.acknowledged(kind).size());
          assertThat(line.missing()).isZero();
          assertThat(delivered).isEqualTo(line.routed());
          assertThat(line.delivered().keySet()).isSubsetOf(route.primaryId(), route.secondaryId());
          assertThat(arrivals - delivered)
              .as("arrived twice: counted as redelivered")
              .isBetween(0L, line.redelivered());
        });
    assertThat(route.primary().damaged() + route.secondary().damaged()).isZero();
  }
}
