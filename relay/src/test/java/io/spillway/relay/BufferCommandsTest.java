package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.Buffer;
import io.spillway.buffer.BufferConfig;
import io.spillway.config.ConfigurationLoader;
import io.spillway.exporters.RequestFileReader;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.json.JsonTranscoder;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Settlement;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The commands as they are typed, on lanes that a real buffer wrote. */
@Timeout(60)
class BufferCommandsTest {
  private static final int REQUESTS = 5;

  @TempDir Path directory;
  private Path buffer = Path.of("");
  private Path config = Path.of("");
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void fill() throws Exception {
    buffer = directory.resolve("buffer");
    config = configure("");
    try (Buffer open = open()) {
      Lane traces = open.lane(new LaneId("default", Signal.TRACES), Codec.GZIP);
      for (int i = 0; i < REQUESTS; i++) {
        append(traces, span(i), 1);
      }
      append(open.lane(new LaneId("pay ments", Signal.LOGS), Codec.ZSTD), LOG, 2);
      Block first = traces.poll(Duration.ofSeconds(20));
      assertThat(first).isNotNull();
      traces.settle(first, Settlement.delivered("file/out", first.items()));
    }
  }

  // ---- ls

  @Test
  void ls_stoppedRelay_showsLanesAndTotals() {
    assertThat(run("ls", "--directory", buffer)).isZero();

    List<String> lines = out.toString().lines().toList();
    assertThat(lines).hasSize(5);
    assertThat(lines.get(0)).startsWith("LANE  ").contains("  ITEMS  BLOCKS  ").contains("CURSOR");
    assertThat(lines.get(1)).startsWith("default/traces ").matches(".* 4 +4 .* 1 +5 +0");
    assertThat(lines.get(2)).startsWith("pay ments/logs ").matches(".* 2 +1 .* 0 +2 +0");
    assertThat(lines.get(3)).startsWith("total ").matches("total +6 +5 .*");
    assertThat(lines.get(4)).isEqualTo(buffer + ": no relay is seen using it");
  }

  @Test
  void ls_json_hasExactNumbersAndTheProcess() throws Exception {
    try (Buffer open = open()) {
      assertThat(open.onDisk()).hasSize(2);

      assertThat(run("ls", "--config", config, "--json", "default/traces")).isZero();

      JsonNode json = JsonMapper.shared().readTree(out.toString());
      assertThat(json.required("pid").asLong()).isEqualTo(ProcessHandle.current().pid());
      assertThat(json.required("lanes")).hasSize(1);
      JsonNode lane = json.required("lanes").get(0);
      assertThat(lane.required("signal").asString()).isEqualTo("traces");
      assertThat(lane.required("items").asLong()).isEqualTo(4);
      assertThat(lane.required("cursor_item").asLong()).isEqualTo(1);
      assertThat(lane.required("delivered").required("file/out").asLong()).isEqualTo(1);
    }
  }

  @Test
  void ls_noSuchDirectory_isBadUsage() {
    Path nowhere = directory.resolve("nowhere");

    assertThat(run("ls", "--directory", nowhere)).isEqualTo(2);
    assertThat(err.toString())
        .isEqualTo(
            "spillway buffer ls: buffer directory "
                + nowhere
                + ": not there. Name it with --directory, or the relay's configuration with"
                + " --config.\n");
  }

  @Test
  void ls_configWithUnsetSecret_needsOnlyTheBufferSection() throws Exception {
    Files.writeString(
        config, "exporters: { otlp_grpc/x: { endpoint: \"${env:NO_SUCH_THING}\" } }\n" + buffer());

    assertThat(run("ls", "--config", config)).isZero();
    assertThat(run("ls", "--config", directory.resolve("missing.yaml"))).isEqualTo(2);
    assertThat(err.toString()).contains("missing.yaml: no such file");
  }

  // ---- verify

  @Test
  void verify_goodAndDamaged_saysSoAndExits() throws Exception {
    assertThat(run("verify", "--directory", buffer)).isZero();
    assertThat(out.toString().lines())
        .hasSize(2)
        .first()
        .asString()
        .matches("default/traces: 5 items in 5 blocks, .* B; 4 not yet delivered; good");

    flip(segment());
    assertThat(run("verify", "--directory", buffer, "--headers")).isZero();
    assertThat(run("verify", "--directory", buffer, "default/traces")).isEqualTo(1);
    assertThat(out.toString().lines().toList().reversed().get(1))
        .matches(
            "default/traces: 19700101-\\d{6}R.cq4 byte \\d+: items 0 to 0: the payload's CRC32C is"
                + " wrong");
  }

  // ---- cat

  @Test
  void cat_default_isWhatIsNotDelivered() {
    assertThat(run("cat", "--directory", buffer, "default/traces")).isZero();

    assertThat(out.toString().lines()).containsExactly(span(1), span(2), span(3), span(4));
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void cat_tenants_saysWhoseEachRequestIs() throws Exception {
    try (Buffer open = open()) {
      Lane metrics = open.lane(new LaneId("default", Signal.METRICS), Codec.NONE);
      Stored.request(metrics, new byte[] {0x0a, 0}, 1, "acme");
      Stored.request(metrics, new byte[] {0x0a, 0}, 1);
    }

    assertThat(run("cat", "--directory", buffer, "--tenants", "default/metrics")).isZero();

    assertThat(out.toString().lines())
        .containsExactly(
            "{\"tenant\":\"acme\",\"request\":{\"resourceMetrics\":[{}]}}",
            "{\"tenant\":\"\",\"request\":{\"resourceMetrics\":[{}]}}");
  }

  @Test
  void cat_allWithLimit_isTheFirstRequests() {
    assertThat(run("cat", "--directory", buffer, "--all", "--limit", "2")).isZero();

    assertThat(out.toString().lines()).containsExactly(span(0), span(1));
  }

  @Test
  void cat_readerGone_endsQuietly() {
    PrintWriter broken =
        new PrintWriter(
            new java.io.Writer() {
              @Override
              public void write(char[] text, int offset, int length) throws IOException {
                throw new IOException("Broken pipe");
              }

              @Override
              public void flush() {}

              @Override
              public void close() {}
            });
    CommandLine commandLine = Verbs.commandLine().setOut(broken).setErr(new PrintWriter(err));

    int code = commandLine.execute("buffer", "cat", "--directory", buffer.toString());

    assertThat(code).isZero();
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void cat_timeRange_leavesOutWhatIsOutside() {
    assertThat(run("cat", "--directory", buffer, "--from", "1h", "--to", "0")).isZero();
    assertThat(out.toString().lines()).hasSize(5);

    assertThat(run("cat", "--directory", buffer, "--to", "2026-01-01T00:00:00Z")).isZero();
    assertThat(err.toString()).isEqualTo("nothing in range\n");
  }

  @Test
  void cat_badTimes_areBadUsage() {
    assertThat(run("cat", "--directory", buffer, "--from", "yesterday")).isEqualTo(2);
    assertThat(err.toString())
        .startsWith("spillway buffer cat: --from: \"yesterday\" (expected a time such as");
    assertThat(run("cat", "--directory", buffer, "--from", "1h", "--to", "2h")).isEqualTo(2);
    assertThat(err.toString()).contains("--from 1h is not before --to 2h");
  }

  @Test
  void cat_unknownLane_suggestsTheNearest() {
    assertThat(run("cat", "--directory", buffer, "default/trace")).isEqualTo(2);

    assertThat(err.toString())
        .isEqualTo(
            "spillway buffer cat: lane \"default/trace\": not in "
                + buffer
                + "; did you mean \"default/traces\"? (expected ROUTE/SIGNAL, one of"
                + " default/traces, pay ments/logs)\n");
  }

  @Test
  void cat_damagedBlock_showsTheOthersAndExits() throws Exception {
    flip(segment());

    assertThat(run("cat", "--directory", buffer, "--all", "default/traces")).isEqualTo(1);

    assertThat(out.toString().lines()).containsExactly(span(1), span(2), span(3), span(4));
    assertThat(err.toString()).contains("items 0 to 0: the payload's CRC32C is wrong");
  }

  // ---- export

  @Test
  void export_proto_writesWhatTheFileExporterWouldAndNeverReplaces() throws Exception {
    Path to = directory.resolve("copy");

    assertThat(run("export", "--directory", buffer, "--out", to)).isZero();

    List<Path> files = files(to);
    assertThat(files).hasSize(2);
    assertThat(files.get(0).toString()).matches(".*/copy/default/traces-\\d{8}T\\d{6}Z-0.otlp");
    assertThat(files.get(1).toString()).matches(".*/copy/pay%20ments/logs-.*-0.otlp");
    assertThat(requests(files.get(0)))
        .containsExactly(
            protobuf(Signal.TRACES, span(1)),
            protobuf(Signal.TRACES, span(2)),
            protobuf(Signal.TRACES, span(3)),
            protobuf(Signal.TRACES, span(4)));
    assertThat(out.toString().lines())
        .first()
        .asString()
        .matches("default/traces: 4 items in 4 requests, .* B: " + files.get(0));

    assertThat(run("export", "--directory", buffer, "--out", to, "pay ments/logs")).isEqualTo(2);
    assertThat(err.toString()).contains("is there already. Nothing was written");
    assertThat(files(to)).hasSize(2);
  }

  @Test
  void export_json_isWhatCatPrints() throws Exception {
    Path to = directory.resolve("copy");

    assertThat(
            run(
                "export",
                "--directory",
                buffer,
                "--out",
                to,
                "--format",
                "json",
                "--all",
                "default/traces"))
        .isZero();

    assertThat(files(to)).hasSize(1);
    assertThat(Files.readAllLines(files(to).getFirst()))
        .containsExactly(span(0), span(1), span(2), span(3), span(4));
  }

  // ---- replay

  @Test
  void replay_toFileExporter_sendsEverythingAndChangesNothing() throws Exception {
    assertThat(run("replay", "--config", config, "--exporter", "file/out", "--yes")).isZero();

    assertThat(out.toString())
        .isEqualTo(
            "file/out: 7 of 7 items delivered in 6 requests, 0 rejected, 0 bad data, 0 too large,"
                + " 0 places unreadable\n");
    List<Path> files = files(directory.resolve("out"));
    assertThat(files).hasSize(2);
    assertThat(requests(files.get(1)))
        .containsExactlyInAnyOrder(
            Stream.of(0, 1, 2, 3, 4)
                .map(i -> protobuf(Signal.TRACES, span(i)))
                .toArray(byte[][]::new));
    assertThat(run("verify", "--directory", buffer)).isZero();
    assertThat(out.toString()).contains("; 4 not yet delivered; good");
  }

  @Test
  void replay_ofExportedFiles_sendsThem() throws Exception {
    Path proto = directory.resolve("proto");
    Path json = directory.resolve("json");
    assertThat(run("export", "--directory", buffer, "--out", proto, "default/traces")).isZero();
    assertThat(
            run(
                "export",
                "--directory",
                buffer,
                "--out",
                json,
                "--format",
                "json",
                "pay ments/logs"))
        .isZero();

    assertThat(run("replay", "--config", config, "--exporter", "file/out", "--yes", "--dir", proto))
        .isZero();
    assertThat(run("replay", "--config", config, "--exporter", "file/out", "--yes", "--dir", json))
        .isZero();

    List<Path> files = files(directory.resolve("out"));
    assertThat(requests(files.get(0))).containsExactly(protobuf(Signal.LOGS, LOG));
    assertThat(requests(files.get(1))).hasSize(4);
  }

  @Test
  void replay_fromItem_leavesOutWhatIsBefore() {
    assertThat(
            run(
                "replay",
                "--config",
                config,
                "--exporter",
                "file/out",
                "--yes",
                "default/traces",
                "--from-item",
                "3"))
        .isZero();

    assertThat(out.toString()).startsWith("file/out: 2 of 2 items delivered");
  }

  @Test
  void replay_sinkDown_saysFromWhereToGoOn() {
    int code =
        run(
            "replay",
            "--config",
            config,
            "--exporter",
            "otlp_http/nobody",
            "--yes",
            "default/traces");

    assertThat(code).isEqualTo(1);
    assertThat(out.toString()).startsWith("otlp_http/nobody: 0 of 5 items delivered");
    assertThat(err.toString())
        .contains("stopped in default/traces: otlp_http/nobody is down (connect): ")
        .contains("To go on: default/traces with --from-item 0.");
  }

  @Test
  void replay_withoutYesOrWithBadOptions_isBadUsage() {
    assertThat(run("replay", "--config", config, "--exporter", "file/out")).isEqualTo(2);
    assertThat(err.toString()).contains("7 items would go to file/out. Add --yes to send them.");
    assertThat(run("replay", "--config", config, "--exporter", "file/ou", "--yes")).isEqualTo(2);
    assertThat(err.toString())
        .contains("\"file/ou\" is not configured; did you mean \"file/out\"?");
    assertThat(
            run(
                "replay",
                "--config",
                config,
                "--exporter",
                "file/out",
                "--yes",
                "--from-item",
                "1"))
        .isEqualTo(2);
    assertThat(err.toString()).contains("expected exactly one LANE");
    assertThat(files(directory.resolve("out"))).isEmpty();
  }

  @Test
  void replay_exporterDeniedByPolicy_sendsNothing() throws Exception {
    config = configure("egress: { allow: [ { host: vendor.example } ] }");

    int code = run("replay", "--config", config, "--exporter", "otlp_http/nobody", "--yes");

    assertThat(code).isEqualTo(2);
    assertThat(err.toString()).contains("127.0.0.1:9 is denied by the egress policy");
  }

  // ---- what the tests share

  private static final String LOG =
      "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"severityNumber\":9},"
          + "{\"body\":{\"stringValue\":\"größer\"}}]}]}]}";

  private static String span(int i) {
    return "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"s" + i + "\"}]}]}]}";
  }

  private int run(Object... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    List<String> words = new ArrayList<>(List.of("buffer"));
    for (Object argument : arguments) {
      words.add(argument.toString());
    }
    return Verbs.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(words.toArray(String[]::new));
  }

  private String buffer() {
    return "buffer: { directory: \"%s\", min_free: 0B, segment_bytes: 1MiB }\n".formatted(buffer);
  }

  private Path configure(String more) throws IOException {
    return Files.writeString(
        directory.resolve("config.yaml"),
        buffer()
            + "receivers: { otlp: { protocols: { grpc: { endpoint: \"127.0.0.1:0\" } } } }\n"
            + "exporters:\n"
            + "  file/out: { directory: \"%s\" }\n".formatted(directory.resolve("out"))
            + "  otlp_http/nobody: { endpoint: \"http://127.0.0.1:9\" }\n"
            + "routes: [ { name: default, exporters: [file/out] } ]\n"
            + more
            + "\n");
  }

  private Buffer open() throws IOException {
    var configuration = ConfigurationLoader.parse("test", buffer(), Map.of());
    return Buffer.open(
        BufferConfig.read(configuration.root().section("buffer")), InstantSource.system());
  }

  private static void append(Lane lane, String json, int items) {
    Stored.request(lane, protobuf(lane.id().signal(), json), items);
  }

  private static byte[] protobuf(Signal signal, String json) {
    try {
      byte[] text = json.getBytes(StandardCharsets.UTF_8);
      return JsonTranscoder.toProtobuf(signal, Slice.of(text), 1 << 20).toByteArray();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static List<byte[]> requests(Path file) throws IOException {
    List<byte[]> requests = new ArrayList<>();
    try (RequestFileReader reader = RequestFileReader.open(file)) {
      for (Slice r = reader.next(); r != null; r = reader.next()) {
        requests.add(r.toByteArray());
      }
    }
    return requests;
  }

  private static List<Path> files(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private Path segment() {
    return files(buffer.resolve("lanes/default/traces")).stream()
        .filter(file -> file.toString().endsWith(".cq4"))
        .findFirst()
        .orElseThrow();
  }

  /** Damages the payload of the first block. */
  private static void flip(Path segment) throws IOException {
    String content = Files.readString(segment, StandardCharsets.ISO_8859_1);
    int payload = content.indexOf("SPWB") + 88 + 8 + 12;
    try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
      file.seek(payload);
      int before = file.read();
      file.seek(payload);
      file.write(before ^ 0x55);
    }
  }
}
