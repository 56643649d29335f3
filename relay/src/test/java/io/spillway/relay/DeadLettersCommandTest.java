package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.Buffer;
import io.spillway.buffer.BufferConfig;
import io.spillway.buffer.BufferReader;
import io.spillway.buffer.LetterEntry;
import io.spillway.config.ConfigurationLoader;
import io.spillway.exporters.RequestFileReader;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.json.JsonTranscoder;
import io.spillway.otlp.stage.DeadLetter;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code buffer dead-letters} as it is typed, beside an open buffer. */
@Timeout(60)
class DeadLettersCommandTest {
  private static final LaneId LOGS = new LaneId("default", Signal.LOGS);
  private static final LaneId TRACES = new LaneId("default", Signal.TRACES);
  private static final String LOG =
      """
      {"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"poison"}}]}]}]}\
      """;

  @TempDir Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path yaml = Path.of("");
  private Buffer buffer;

  @BeforeEach
  void refuse() throws Exception {
    yaml =
        Files.writeString(
            directory.resolve("relay.yaml"),
            """
            receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } }
            buffer: { directory: "%s", min_free: 0B }
            exporters:
              file/out: { directory: "%s" }
              otlp_http/down: { endpoint: "http://127.0.0.1:1" }
            routes: [ { name: default, exporters: [file/out] } ]
            """
                .formatted(directory.resolve("buffer"), directory.resolve("out")));
    BufferConfig config =
        RelayConfig.read(ConfigurationLoader.load(List.of(yaml), List.of(), Map.of())).buffer();
    buffer = Buffer.open(config, InstantSource.system());
    Lane logs = buffer.lane(LOGS, Codec.NONE);
    Slice request =
        JsonTranscoder.toProtobuf(
            Signal.LOGS, Slice.of(LOG.getBytes(StandardCharsets.UTF_8)), 1 << 20);
    assertThat(logs.keep(new DeadLetter("file/out", DropReason.BAD_DATA, "bad log", request, 1)))
        .isTrue();
    assertThat(
            buffer
                .lane(TRACES, Codec.NONE)
                .keep(
                    new DeadLetter(
                        "file/out",
                        DropReason.TOO_LARGE,
                        "413",
                        Slice.of(new byte[] {0x0a, 0}),
                        7,
                        "acme")))
        .isTrue();
  }

  @AfterEach
  void close() throws Exception {
    buffer.close();
  }

  private int run(String... arguments) {
    List<String> all = new ArrayList<>(List.of("buffer", "dead-letters"));
    all.addAll(List.of(arguments));
    all.addAll(List.of("--config", yaml.toString()));
    return Verbs.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(all.toArray(String[]::new));
  }

  private List<LetterEntry> letters(LaneId lane) throws Exception {
    return BufferReader.open(directory.resolve("buffer")).deadLetters(lane).list();
  }

  @Test
  void list_relayRuns_showsLettersAndTotals() throws Exception {
    assertThat(run()).isZero();

    List<String> lines = out.toString().lines().toList();
    assertThat(lines).hasSize(4);
    assertThat(lines.get(0)).startsWith("LANE").endsWith("WORDS");
    assertThat(lines.get(1))
        .startsWith("default/traces")
        .contains(letters(TRACES).getFirst().id())
        .contains("too_large")
        .containsPattern("file/out +acme +413$");
    assertThat(lines.get(2)).startsWith("default/logs").containsPattern("bad_data .* - +bad log$");
    assertThat(lines.get(3)).startsWith("total").contains("  8  ");
  }

  @Test
  void list_oneLaneAsJson_hasAllFacts() throws Exception {
    assertThat(run("default/logs", "--json")).isZero();

    JsonNode letter = JsonMapper.shared().readTree(out.toString());
    assertThat(letter.required("signal").asString()).isEqualTo("logs");
    assertThat(letter.required("items").asInt()).isEqualTo(1);
    assertThat(letter.required("exporter").asString()).isEqualTo("file/out");
    assertThat(letter.required("words").asString()).isEqualTo("bad log");
    assertThat(letter.required("tenant").asString()).isEmpty();
  }

  @Test
  void show_id_printsTheRequest() throws Exception {
    assertThat(run("show", letters(LOGS).getFirst().id())).isZero();

    assertThat(out.toString().strip()).isEqualTo(LOG);
  }

  @Test
  void show_unknown_saysWhatIsExpected() {
    assertThat(run("show", "20260101T000000000Z-1-00000000")).isEqualTo(2);

    assertThat(err.toString()).contains("no dead letter has this id");
  }

  @Test
  void resend_takenWhole_isRemoved() throws Exception {
    assertThat(run("resend", "default/logs", "--exporter", "file/out")).isZero();

    assertThat(out.toString())
        .isEqualTo("file/out: 1 dead letters with 1 items delivered and removed, 0 stay\n");
    assertThat(letters(LOGS)).isEmpty();
    assertThat(letters(TRACES)).hasSize(1);
    try (Stream<Path> files = Files.walk(directory.resolve("out"))) {
      Path file = files.filter(Files::isRegularFile).findFirst().orElseThrow();
      try (RequestFileReader reader = RequestFileReader.open(file)) {
        assertThat(new String(reader.next().toByteArray(), StandardCharsets.UTF_8))
            .contains("poison");
      }
    }
  }

  @Test
  void resend_sinkDown_keepsEverything() throws Exception {
    assertThat(run("resend", "--exporter", "otlp_http/down", "--retry-for", "1ms")).isEqualTo(1);

    assertThat(out.toString()).contains("0 dead letters").contains("2 stay");
    assertThat(err.toString()).contains("stopped: ");
    assertThat(letters(LOGS)).hasSize(1);
    assertThat(letters(TRACES)).hasSize(1);
  }

  @Test
  void resend_unknownExporter_isBadUsage() {
    assertThat(run("resend", "--exporter", "file/ouch")).isEqualTo(2);

    assertThat(err.toString()).contains("--exporter: \"file/ouch\" is not configured");
  }

  @Test
  void rm_notConfirmed_deletesNothing() throws Exception {
    assertThat(run("rm", "default/logs")).isEqualTo(2);

    assertThat(err.toString()).contains("1 dead letter with 1 item would be deleted");
    assertThat(letters(LOGS)).hasSize(1);

    assertThat(run("rm", letters(LOGS).getFirst().id(), "--confirm")).isZero();
    assertThat(out.toString()).isEqualTo("1 dead letter with 1 item deleted.\n");
    assertThat(letters(LOGS)).isEmpty();
  }
}
