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
                512L << 20,
                64L << 20,
                new LaneSettings(
                    8L << 30,
                    Duration.ofDays(3),
                    WhenFull.REFUSE,
                    Durability.PROCESS,
                    Duration.ZERO)));
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
              keep_delivered: 30m
            """);

    assertThat(BufferConfig.read(configuration.root().section("buffer")))
        .isEqualTo(
            new BufferConfig(
                Path.of("/data"),
                1L << 30,
                1L << 20,
                2L << 20,
                new LaneSettings(
                    1L << 30,
                    Duration.ofHours(2),
                    WhenFull.DROP_OLDEST,
                    Durability.POWER,
                    Duration.ofMinutes(30))));
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

  @Test
  void readRoute_someKeysWritten_takesTheRestFromTheBuffer() {
    Configuration configuration =
        parse(
            """
            buffer: { max_bytes: 1GiB, max_age: 2h, when_full: drop_oldest, segment_bytes: 8MiB }
            route: { max_bytes: 64MiB, durability: power }
            """);
    BufferConfig buffer = BufferConfig.read(configuration.root().section("buffer"));

    assertThat(buffer.readRoute(configuration.root().section("route")))
        .isEqualTo(
            new LaneSettings(
                64L << 20,
                Duration.ofHours(2),
                WhenFull.DROP_OLDEST,
                Durability.POWER,
                Duration.ZERO));
    configuration.reportUnknownKeys();
    assertThat(configuration.problems().all()).isEmpty();
  }

  @Test
  void readRoute_moreThanThereIsOrTooLittleToDropFrom_isAProblem() {
    Configuration configuration =
        parse(
            """
            buffer: { max_bytes: 1GiB }
            a: { max_bytes: 2GiB }
            b: { max_bytes: 128MiB, when_full: drop_oldest }
            """);
    BufferConfig buffer = BufferConfig.read(configuration.root().section("buffer"));
    buffer.readRoute(configuration.root().section("a"));
    buffer.readRoute(configuration.root().section("b"));

    assertThat(configuration.problems().all())
        .extracting(Object::toString)
        .containsExactly(
            "a::max_bytes: 2GiB is above buffer::max_bytes 1GiB (expected at most that)",
            "b::max_bytes: 128MiB is below four times buffer::segment_bytes 64MiB, and drop_oldest"
                + " gives up whole segments (expected at least 256MiB)");
  }
}
