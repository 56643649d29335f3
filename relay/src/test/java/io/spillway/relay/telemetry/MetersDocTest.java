package io.spillway.relay.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class MetersDocTest {

  private static final Path PAGE = Path.of("../docs/metrics.md");

  @Test
  void page_tables_listExactlyTheMeters() throws IOException {
    List<String> rows =
        Files.readAllLines(PAGE).stream().filter(line -> line.startsWith("| `spillway.")).toList();

    assertThat(rows)
        .containsExactlyElementsOf(Arrays.stream(Meter.values()).map(MetersDocTest::row).toList());
  }

  private static String row(Meter meter) {
    return "| `%s` | %s | %s | %s |"
        .formatted(meter.id(), meter.unit(), String.join(", ", meter.tags()), meter.meaning());
  }
}
