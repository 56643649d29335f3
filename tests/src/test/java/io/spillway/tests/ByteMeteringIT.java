package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Load;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.WireTap;
import io.spillway.tests.harness.Yaml;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the meters say of the bytes sent is what passes on the wire. */
@Timeout(300)
class ByteMeteringIT {

  private static final double GIB = 1 << 30;
  private static final double COST_PER_GIB = 1_000;

  @RegisterExtension final Lab lab = new Lab();

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void metrics_underLoad_agreeWithTheSocket(Protocol protocol) {
    CapturingSink sink = lab.sink(protocol);
    WireTap tap = lab.own(new WireTap(sink));
    String exporter = Yaml.id("sink", sink);
    RelayProcess relay =
        lab.relay(
            Yaml.anywhere(lab.directory())
                + "exporters:\n  %s: { endpoint: \"%s\", cost_per_gib: %s }\n"
                    .formatted(exporter, tap.endpoint(), COST_PER_GIB)
                + "routes:\n  - { name: default, exporters: [%s] }\n".formatted(exporter));
    Load load = lab.own(Load.mixed(relay, 20, 1)).start();
    await().until(() -> load.acknowledged() > 5_000);
    load.stop();

    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    await()
        .untilAsserted(
            () ->
                assertThat(meter(relay, "spillway_exporter_socket_sent_bytes_total", exporter))
                    .isEqualTo(tap.bytesToSink()));
    assertThat(meter(relay, "spillway_exporter_wire_bytes_total", exporter))
        .isCloseTo(tap.bytesToSink(), Percentage.withPercentage(1));
    assertThat(meter(relay, "spillway_exporter_socket_received_bytes_total", exporter))
        .isCloseTo(tap.bytesFromSink(), Percentage.withPercentage(1));
    double wire = meter(relay, "spillway_exporter_wire_bytes_total", exporter);
    assertThat(meter(relay, "spillway_exporter_cost_currency_total", exporter))
        .isCloseTo(wire / GIB * COST_PER_GIB, within(1e-6));
    assertThat(meter(relay, "spillway_exporter_connections", exporter)).isPositive();
  }

  /** The sum over all signals. */
  private static double meter(RelayProcess relay, String name, String exporter) {
    List<Double> samples = relay.metric(name + "{", "\"" + exporter + "\"");
    assertThat(samples).as(name).isNotEmpty();
    return samples.stream().mapToDouble(Double::doubleValue).sum();
  }
}
