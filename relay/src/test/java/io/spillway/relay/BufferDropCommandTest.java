package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.Buffer;
import io.spillway.buffer.BufferConfig;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.LaneId;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code buffer drop} with and without a relay that runs. */
@Timeout(60)
class BufferDropCommandTest {
  private static final LaneId LANE = new LaneId("default", Signal.TRACES);

  @TempDir Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path yaml;

  @BeforeEach
  void store() throws Exception {
    yaml =
        Files.writeString(
            directory.resolve("relay.yaml"),
            """
            receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } }
            buffer: { directory: "%s", min_free: 0B }
            admin: { endpoint: "127.0.0.1:0" }
            exporters: { otlp_http/sink: { endpoint: "http://127.0.0.1:1" } }
            routes: [ { name: default, exporters: [otlp_http/sink] } ]
            """
                .formatted(directory.resolve("buffer")));
    try (Buffer buffer = Buffer.open(bufferConfig(), InstantSource.system())) {
      Stored.items(buffer.lane(LANE, Codec.NONE), 7);
    }
  }

  private BufferConfig bufferConfig() {
    return relayConfig().buffer();
  }

  private RelayConfig relayConfig() {
    return RelayConfig.read(ConfigurationLoader.load(List.of(yaml), List.of(), Map.of()));
  }

  private int drop(String... more) {
    String[] arguments = new String[more.length + 4];
    arguments[0] = "buffer";
    arguments[1] = "drop";
    arguments[2] = "--config";
    arguments[3] = yaml.toString();
    System.arraycopy(more, 0, arguments, 4, more.length);
    return Verbs.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(arguments);
  }

  private Map<String, Long> droppedAndBuffered() throws Exception {
    try (Buffer buffer = Buffer.open(bufferConfig(), InstantSource.system())) {
      var ledger = buffer.lane(LANE, Codec.NONE).ledger();
      return Map.of(
          "operator",
          ledger.dropped().getOrDefault("operator", 0L),
          "buffered",
          ledger.buffered(),
          "unaccounted",
          ledger.unaccounted());
    }
  }

  @Test
  void drop_notConfirmed_saysWhatWouldBeLostAndLosesNothing() throws Exception {
    assertThat(drop("default/traces")).isEqualTo(2);

    assertThat(out.toString()).isEqualTo("default/traces: 7 items would be lost.\n");
    assertThat(err.toString())
        .isEqualTo("spillway buffer drop: nothing was dropped. Repeat with --confirm to do it.\n");
    assertThat(droppedAndBuffered())
        .isEqualTo(Map.of("operator", 0L, "buffered", 7L, "unaccounted", 0L));
  }

  @Test
  void drop_noRelayRuns_dropsAndCounts() throws Exception {
    assertThat(drop("default/traces", "--confirm")).isZero();

    assertThat(out.toString()).isEqualTo("default/traces: 7 items dropped.\n");
    assertThat(droppedAndBuffered())
        .isEqualTo(Map.of("operator", 7L, "buffered", 0L, "unaccounted", 0L));
  }

  @Test
  void drop_relayRuns_asksIt() throws Exception {
    Relay relay = Relay.start(relayConfig());
    try {
      assertThat(drop("default/traces", "--confirm")).isEqualTo(2);
      assertThat(err.toString()).contains("admin::endpoint port 0");

      String admin = relay.adminAddress().getHostString() + ":" + relay.adminAddress().getPort();
      assertThat(drop("default/traces", "--confirm", "--admin", admin)).isZero();

      assertThat(out.toString()).isEqualTo("default/traces: 7 items dropped.\n");
    } finally {
      relay.close(Duration.ZERO);
    }
    assertThat(droppedAndBuffered())
        .isEqualTo(Map.of("operator", 7L, "buffered", 0L, "unaccounted", 0L));
  }

  @Test
  void drop_unknownLane_saysWhichThereAre() {
    assertThat(drop("default/spans", "--confirm")).isEqualTo(2);

    assertThat(err.toString()).contains("lane \"default/spans\"").contains("default/traces");
  }
}
