package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EphemeralPortsTest {
  @TempDir Path folder;

  @Test
  void count_range_includesBothEnds() throws Exception {
    Path file = Files.writeString(folder.resolve("range"), "32768\t60999\n");

    assertThat(EphemeralPorts.count(file)).hasValue(28232);
  }

  @Test
  void count_noFileOrNoRange_isUnknown() throws Exception {
    assertThat(EphemeralPorts.count(folder.resolve("none"))).isEmpty();
    assertThat(EphemeralPorts.count(Files.writeString(folder.resolve("odd"), "all"))).isEmpty();
  }
}
