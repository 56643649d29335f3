package io.spillway.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.BufferConfig.Durability;
import io.spillway.buffer.BufferConfig.WhenFull;
import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BufferConfigTest {

  private static Configuration parse(String yaml) {
    return ConfigurationLoader.parse("test.yaml", yaml, Map.of());
  }

  @Test
  void read_nothingWritten_givesDefaults() {
    Configuration configuration = parse("{}");

    assertThat(BufferConfig.read(configuration.root().section("buffer")))
        .isEqualTo(
            new BufferConfig(
                Path.of("./spillway-data"),
                8L << 30,
                Duration.ofDays(3),
                512L << 20,
                64L << 20,
                WhenFull.REFUSE,
                Durability.PROCESS));
    assertThat(configuration.problems().all()).isEmpty();
  }

  @Test
  void read_everythingWritten_isTaken() {
    Configuration configuration =
        parse(
            """
            buffer:
              directory: /data
              max_bytes: 1GiB
              max_age: 2h
              min_free: 1MiB
              segment_bytes: 2MiB
              when_full: drop_oldest
              durability: power
            """);

    assertThat(BufferConfig.read(configuration.root().section("buffer")))
        .isEqualTo(
            new BufferConfig(
                Path.of("/data"),
                1L << 30,
                Duration.ofHours(2),
                1L << 20,
                2L << 20,
                WhenFull.DROP_OLDEST,
                Durability.POWER));
    configuration.reportUnknownKeys();
    assertThat(configuration.problems().all()).isEmpty();
  }

  @Test
  void read_dropOldestWithSegmentsTooLarge_isAProblem() {
    Configuration configuration = parse("buffer: {max_bytes: 128MiB, when_full: drop_oldest}");

    BufferConfig.read(configuration.root().section("buffer"));

    assertThat(configuration.problems().all())
        .extracting(Object::toString)
        .containsExactly(
            "buffer::segment_bytes: 64MiB is above a quarter of max_bytes 128MiB, and drop_oldest"
                + " gives up whole segments (expected at most 32MiB)");
  }
}
