package io.spillway.relay.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.wire.RequestScanner;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TelemetryTest {

  private static final int ITEMS = 1000;

  private final Telemetry telemetry = new Telemetry(42, Map.of("service.name", "shop"));

  @ParameterizedTest
  @EnumSource(Signal.class)
  void request_anySignal_isValidWithSoManyItems(Signal signal) throws Exception {
    RequestScanner scanner = new RequestScanner();

    scanner.scan(signal, telemetry.request(signal, 7, ITEMS, 1_700_000_000_000_000_000L));

    assertThat(scanner.items()).isEqualTo(ITEMS);
    assertThat(scanner.attribute(0, "service.name")).isEqualTo("shop");
  }

  @ParameterizedTest
  @EnumSource(Signal.class)
  void hashes_itemsOfTwoRequests_allDiffer(Signal signal) {
    Set<Long> hashes = new HashSet<>();

    ItemHashes.forEach(signal, telemetry.request(signal, 0, ITEMS, 1), hashes::add);
    ItemHashes.forEach(signal, telemetry.request(signal, ITEMS, ITEMS, 1), hashes::add);

    assertThat(hashes).hasSize(2 * ITEMS);
  }

  @ParameterizedTest
  @EnumSource(Signal.class)
  void counts_requestTwice_countsAndHashesBoth(Signal signal) {
    Slice request = telemetry.request(signal, 0, ITEMS, 1);
    ItemCounts counts = new ItemCounts(true);

    counts.add(signal, request, ITEMS);
    counts.add(signal, request, ITEMS);

    assertThat(counts.hashes()).hasSize(2 * ITEMS);
    assertThat(counts.toString()).contains(signal.label() + "=" + 2 * ITEMS);
  }
}
