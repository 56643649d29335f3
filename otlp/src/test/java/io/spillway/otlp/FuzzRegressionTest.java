package io.spillway.otlp;

import io.spillway.otlp.codec.DecompressionFuzz;
import io.spillway.otlp.codec.InflatersFuzz;
import io.spillway.otlp.fuzz.FuzzInputs;
import io.spillway.otlp.fuzz.FuzzTarget;
import io.spillway.otlp.json.JsonTranscoderFuzz;
import io.spillway.otlp.wire.RequestScannerFuzz;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every fuzz target with its seeds, and with whatever was found by it. */
@Timeout(120)
class FuzzRegressionTest {

  static List<FuzzTarget> targets() throws Exception {
    return List.of(
        new RequestScannerFuzz(),
        new JsonTranscoderFuzz(),
        new DecompressionFuzz(),
        new InflatersFuzz());
  }

  // conformance: W-51
  @ParameterizedTest
  @MethodSource("targets")
  void check_keptInputs_hold(FuzzTarget target) throws Exception {
    FuzzInputs.check(target);
  }
}
