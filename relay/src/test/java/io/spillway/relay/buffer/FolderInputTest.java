package io.spillway.relay.buffer;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.exporters.ExporterConfig;
import io.spillway.exporters.Exporters;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.relay.load.AnyDestination;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Old files of all kinds in one folder, as file exporters leave them over the years. */
@Timeout(60)
final class FolderInputTest {

  @TempDir Path folder;

  private final StringWriter complaints = new StringWriter();

  @Test
  void next_filesOfEveryForm_givesAllTheirRequests() throws Exception {
    int written = 0;
    try (Exporters exporters = new Exporters(new AnyDestination())) {
      for (String format : List.of("proto", "json")) {
        for (String compression : List.of("none", "gzip", "zstd")) {
          Exporter exporter = exporters.create(config(format, compression));
          assertThat(exporter.export(logs("n" + written++)).get(30, SECONDS))
              .isEqualTo(new Outcome.Delivered());
          exporter.close(Duration.ofSeconds(30));
        }
      }
    }
    Files.writeString(folder.resolve("logs-notes.txt"), "not ours");

    assertThat(read()).containsExactlyInAnyOrder("n0", "n1", "n2", "n3", "n4", "n5");
    assertThat(complaints.toString()).isEmpty();
  }

  @Test
  void next_badFilesAmongGoodOnes_areSaidAndPassedOver() throws Exception {
    try (Exporters exporters = new Exporters(new AnyDestination())) {
      Exporter exporter = exporters.create(config("json", "gzip"));
      exporter.export(logs("good")).get(30, SECONDS);
      exporter.close(Duration.ofSeconds(30));
    }
    Path good = list().getFirst();
    byte[] bytes = Files.readAllBytes(good);
    Files.write(folder.resolve("logs-1-torn.jsonl.gz"), Arrays.copyOf(bytes, bytes.length - 3));
    Files.writeString(folder.resolve("logs-2-junk.otlp.zst"), "this is no zstd");
    Files.writeString(folder.resolve("logs-3-junk.jsonl"), "{\"resourceLogs\": 7}\n");

    assertThat(read()).isSubsetOf("good").isNotEmpty();
    assertThat(complaints.toString().lines())
        .hasSize(3)
        .anyMatch(line -> line.contains("logs-1-torn.jsonl.gz: the last record is cut short"))
        .anyMatch(line -> line.contains("logs-2-junk.otlp.zst: the rest cannot be read"))
        .anyMatch(line -> line.contains("logs-3-junk.jsonl: "));
  }

  private ExporterConfig config(String format, String compression) {
    String yaml =
        "exporters: { file: { directory: '%s', format: %s, compression: %s } }"
            .formatted(folder, format, compression);
    Configuration configuration = ConfigurationLoader.parse("test.yaml", yaml, Map.of());
    Map<String, ExporterConfig> configs = ExporterConfig.readAll(configuration.root());
    configuration.reportUnknownKeys();
    assertThat(configuration.problems().all()).isEmpty();
    return configs.get("file");
  }

  /** One log record with this event name, written by hand: all lengths are below 128. */
  private static ExportRequest logs(String name) {
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    byte[] request = field(0x0a, field(0x12, field(0x12, field(0x62, text))));
    return new ExportRequest(Signal.LOGS, Codec.NONE, Slice.of(request), request.length, 1);
  }

  private static byte[] field(int tag, byte[] body) {
    byte[] field = new byte[body.length + 2];
    field[0] = (byte) tag;
    field[1] = (byte) body.length;
    System.arraycopy(body, 0, field, 2, body.length);
    return field;
  }

  private List<Path> list() throws Exception {
    try (var files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  private List<String> read() throws Exception {
    List<String> names = new ArrayList<>();
    FolderInput input = new FolderInput(folder, Signal.LOGS, 0, new PrintWriter(complaints));
    try (ReplayInput.Blocks blocks = input.open()) {
      for (Block b = blocks.next(); b != null; b = blocks.next()) {
        byte[] request = b.payload().toByteArray();
        names.add(new String(request, 8, request.length - 8, StandardCharsets.UTF_8));
      }
    }
    return names;
  }
}
