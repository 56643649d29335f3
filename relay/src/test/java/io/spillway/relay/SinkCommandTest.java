package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.buffer.Buffer;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.LaneId;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code sink} against a relay that runs, through restarts. */
@Timeout(60)
class SinkCommandTest {
  private static final LaneId LANE = new LaneId("default", Signal.TRACES);

  @TempDir Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path yaml;
  private @Nullable Relay relay;

  @BeforeEach
  void start() throws Exception {
    yaml =
        Files.writeString(
            directory.resolve("relay.yaml"),
            """
            receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } }
            buffer: { directory: "%1$s/buffer", min_free: 0B }
            admin: { endpoint: "127.0.0.1:0", token: "open sesame" }
            exporters:
              file/primary: { directory: "%1$s/primary" }
              file/secondary: { directory: "%1$s/secondary" }
              otlp_grpc/us: { endpoint: "http://127.0.0.1:1", region: us }
            routes:
              - { name: default, exporters: [file/primary, file/secondary], regions: [eu] }
            """
                .formatted(directory));
    relay = Relay.start(config());
  }

  private RelayConfig config() {
    return RelayConfig.read(ConfigurationLoader.load(List.of(yaml), List.of(), Map.of()));
  }

  @AfterEach
  void stop() {
    if (relay != null) {
      relay.close(Duration.ofSeconds(5));
      relay = null;
    }
  }

  private String admin() {
    return relay.adminAddress().getHostString() + ":" + relay.adminAddress().getPort();
  }

  private int sink(String... arguments) {
    List<String> all = new ArrayList<>(List.of("sink"));
    all.addAll(List.of(arguments));
    all.addAll(List.of("--config", yaml.toString()));
    if (relay != null) {
      all.addAll(List.of("--admin", admin()));
    }
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Verbs.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(all.toArray(String[]::new));
  }

  /** Stores items in the lane of a stopped relay and starts it again. */
  private void restartWith(int items) throws Exception {
    stop();
    try (Buffer buffer = Buffer.open(config().buffer(), InstantSource.system())) {
      Stored.items(buffer.lane(LANE, Codec.NONE), items);
    }
    relay = Relay.start(config());
  }

  private JsonNode get(String path) throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://" + admin() + path))
              .header("Authorization", "Bearer open sesame")
              .build();
      return JsonMapper.shared()
          .readTree(http.send(request, HttpResponse.BodyHandlers.ofString()).body());
    }
  }

  private JsonNode lane(String what) throws Exception {
    for (JsonNode lane : get("/api/v1/" + what).path("lanes")) {
      if (lane.path("signal").asString().equals("traces")) {
        return lane;
      }
    }
    throw new AssertionError("no lane");
  }

  private void awaitDelivered(String exporter, int items) {
    await()
        .untilAsserted(
            () ->
                assertThat(lane("ledger").path("delivered").path(exporter).asInt())
                    .isEqualTo(items));
  }

  @Test
  void pin_thenRestart_dataGoesToThePinnedExporterUntilRelease() throws Exception {
    assertThat(sink("pin", "default", "file/secondary", "--reason", "cheaper", "--for", "30m"))
        .isZero();
    assertThat(out.toString()).startsWith("route default sends to file/secondary alone, until 20");
    await().until(() -> lane("status").path("active").asString().equals("file/secondary"));

    restartWith(7);

    awaitDelivered("file/secondary", 7);
    JsonNode pin = lane("status").path("pin");
    assertThat(pin.path("exporter").asString()).isEqualTo("file/secondary");
    assertThat(pin.path("who").asString()).isEqualTo("operator " + System.getProperty("user.name"));
    assertThat(pin.path("reason").asString()).isEqualTo("cheaper");

    assertThat(sink("release", "default")).isZero();
    await().until(() -> lane("status").path("active").asString().equals("file/primary"));
    assertThat(lane("status").path("transitions"))
        .extracting(transition -> transition.path("to").asString())
        .containsExactly("pinned", "released");

    restartWith(5);

    awaitDelivered("file/primary", 5);
    assertThat(get("/api/v1/ledger").path("unaccounted").asInt()).isZero();
  }

  @Test
  void pause_thenRestart_nothingGoesThereUntilResume() throws Exception {
    assertThat(sink("pause", "file/secondary")).isZero();
    assertThat(sink("pause", "file/primary")).isZero();
    assertThat(out.toString())
        .contains("Note: nothing is left to send to for default: their data stays on disk");

    restartWith(7);

    await().until(() -> lane("status").path("items").asInt() == 7);
    assertThat(lane("status").path("active").isNull()).isTrue();
    assertThat(lane("status").path("exporters").get(0).path("bars").get(0).path("cause").asString())
        .isEqualTo("operator");

    assertThat(sink("resume", "file/secondary")).isZero();
    awaitDelivered("file/secondary", 7);
  }

  @Test
  void sink_thatCannotBe_saysWhyAndExitsWith2() {
    assertThat(sink("pin", "default", "otlp_grpc/us")).isEqualTo(2);
    assertThat(err.toString())
        .isEqualTo(
            "spillway sink pin: route default is for regions [eu] only, and exporter otlp_grpc/us"
                + " is in region us. Nothing was changed.\n");
    assertThat(sink("resume", "file/primary")).isEqualTo(2);
    assertThat(sink("pause", "file/primari")).isEqualTo(2);
    assertThat(sink("pin", "default", "file/primary", "--for", "soon")).isEqualTo(2);
    assertThat(sink("pin", "default")).isEqualTo(2);
    assertThat(sink()).isEqualTo(2);
  }

  @Test
  void sink_noRelayRuns_exitsWith1() {
    String address = admin();
    stop();

    assertThat(sink("pause", "file/primary")).isEqualTo(2);
    assertThat(err.toString()).contains("admin::endpoint port 0");
    assertThat(sink("pause", "file/primary", "--admin", "http://" + address)).isEqualTo(1);
    assertThat(err.toString())
        .isEqualTo(
            "spillway sink pause: no relay answers at http://" + address + ". Is it running?\n");
  }

  @Test
  void reload_pinnedExporterLeavesTheRoute_dropsThePin() throws Exception {
    assertThat(sink("pin", "default", "file/secondary")).isZero();
    Files.writeString(
        yaml, Files.readString(yaml).replace("[file/primary, file/secondary]", "[file/primary]"));

    assertThat(relay.reload(config())).isEmpty();

    await().until(() -> lane("status").path("active").asString().equals("file/primary"));
    assertThat(lane("status").path("pin").isNull()).isTrue();
  }
}
