package io.spillway.tests.bench.micro;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.relay.load.Telemetry;
import java.util.Map;

/** Requests that are the same in every run: spans of about 430 bytes, and their like. */
final class Made {
  private static final long SEED = 7;
  private static final long NOW = 1_750_000_000_000_000_000L;

  private Made() {}

  static Slice request(Signal signal, int items) {
    return new Telemetry(SEED, Map.of("service.name", "checkout", "service.namespace", "shop"))
        .request(signal, 0, items, NOW);
  }
}
