package io.spillway.receivers;

import io.spillway.otlp.fuzz.FuzzInputs;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The fuzz target with its seeds, and with whatever was found by it. */
@Timeout(120)
class FuzzRegressionTest {

  @Test
  void check_keptInputs_hold() throws Exception {
    FuzzInputs.check(new HttpServerFuzz());
  }
}
