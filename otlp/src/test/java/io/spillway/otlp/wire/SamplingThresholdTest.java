package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SamplingThresholdTest {
  /** OpenTelemetry §TraceState: Probability Sampling, table of 4-digit thresholds. */
  @ParameterizedTest
  @CsvSource({
    "1, 0",
    "0.75, 4",
    "0.5, 8",
    "0.3333333333333333, aaab",
    "0.25, c",
    "0.2, cccd",
    "0.1, e666",
    "0.01, fd70a",
    "0.001, ffbe77",
    "0.0625, f",
    "0.9999, 00068dc",
    "1.3877787807814457E-17, ffffffffffffff"
  })
  void encode_probability_shortHex(double probability, String th) {
    assertThat(new String(encoded(probability), StandardCharsets.US_ASCII)).isEqualTo(th);
  }

  @Test
  void of_anyProbability_isCloseToIt() {
    for (double probability = 0x1p-40; probability < 1; probability *= 1.01) {
      double effective = (0x1p56 - SamplingThreshold.of(probability)) / 0x1p56;

      assertThat(effective / probability).isCloseTo(1, within(0.001));
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, 1.0000001, 1e-17, Double.NaN, Double.POSITIVE_INFINITY})
  void of_noProbability_throws(double probability) {
    assertThatThrownBy(() -> SamplingThreshold.of(probability))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("sampling probability " + probability + " (expected in [2^-56, 1])");
  }

  private static byte[] encoded(double probability) {
    return SamplingThreshold.encode(SamplingThreshold.of(probability));
  }
}
