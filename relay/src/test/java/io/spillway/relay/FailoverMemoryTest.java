package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.LaneId;
import io.spillway.routing.egress.Bar;
import io.spillway.routing.egress.BarCause;
import io.spillway.routing.egress.BreakerState;
import io.spillway.routing.egress.EgressPast;
import io.spillway.routing.egress.EgressPast.ExporterPast;
import io.spillway.routing.egress.OperatorOrder;
import io.spillway.routing.egress.Standing;
import io.spillway.routing.egress.Transition;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class FailoverMemoryTest {
  private static final LaneId LANE = new LaneId("payments", Signal.TRACES);
  private static final Instant NINE = Instant.parse("2026-11-22T09:00:00.123456789Z");
  private static final String VERSION_1 =
      """
      {"version":1,"lane":{"transitions":[{"exporter":"otlp/a","from":"CLOSED","to":"OPEN",\
      "when":"2026-11-22T09:00:00.123456789Z","lasted":"PT1H0.5S","who":"failover",\
      "reason":"failing for 10s"}],"pin":{"exporter":"otlp/b","who":"operator ann",\
      "reason":"cheaper","since":"2026-11-22T09:00:00.123456789Z","until":null},\
      "exporters":[{"id":"otlp/a","state":"OPEN","since":"2026-11-22T09:00:00.123456789Z",\
      "reason":"failing for 10s","lastError":"connect: refused",\
      "awaitedSince":"2026-11-22T09:00:00.123456789Z","bars":[{"cause":"QUOTA","who":"quota",\
      "reason":"used up","since":"2026-11-22T09:00:00.123456789Z","until":null}],\
      "barsChanged":"2026-11-22T09:00:00.123456789Z"}]}}\
      """;
  private static final EgressPast PAST =
      new EgressPast(
          List.of(
              new Transition(
                  "otlp/a",
                  Standing.CLOSED,
                  Standing.OPEN,
                  NINE,
                  Duration.ofHours(1).plusMillis(500),
                  "failover",
                  "failing for 10s")),
          new OperatorOrder("otlp/b", "operator ann", "cheaper", NINE, null),
          List.of(
              new ExporterPast(
                  "otlp/a",
                  BreakerState.OPEN,
                  NINE,
                  "failing for 10s",
                  "connect: refused",
                  NINE,
                  List.of(new Bar(BarCause.QUOTA, "quota", "used up", NINE, null)),
                  NINE)));

  @TempDir Path directory;

  private FailoverMemory open() {
    return new FailoverMemory(directory);
  }

  private EgressPast recalled(LaneId lane) {
    try (FailoverMemory memory = open()) {
      return memory.recall(lane);
    }
  }

  private Path file() {
    return directory.resolve("failover").resolve("payments.traces.json");
  }

  private void write(String text) throws Exception {
    Files.createDirectories(directory.resolve("failover"));
    Files.writeString(file(), text);
  }

  @Test
  void recall_neverKept_isNothing() {
    assertThat(recalled(LANE)).isEqualTo(EgressPast.NONE);
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void keep_whileRunning_isOnDiskSoon() {
    try (FailoverMemory memory = open()) {
      memory.keep(LANE, PAST);

      await().untilAsserted(() -> assertThat(file()).hasContent(VERSION_1));
    }
  }

  @Test
  void keep_thenClose_latestIsThere() {
    LaneId other = new LaneId("payments", Signal.LOGS);
    try (FailoverMemory memory = open()) {
      memory.keep(LANE, EgressPast.NONE);
      memory.keep(LANE, PAST);
      memory.keep(other, EgressPast.NONE);
    }

    assertThat(recalled(LANE)).isEqualTo(PAST);
    assertThat(recalled(other)).isEqualTo(EgressPast.NONE);
    assertThat(directory.resolve("failover")).isDirectoryContaining("glob:**payments.logs.json");
  }

  @Test
  void recall_fileOfVersion1_isRead() throws Exception {
    write(VERSION_1);

    assertThat(recalled(LANE)).isEqualTo(PAST);
  }

  @Test
  void recall_fileIsDamaged_beginsAnew() throws Exception {
    for (String damage :
        List.of(
            "",
            "null",
            "[]",
            "\u0000\u0000\u0000",
            VERSION_1.substring(0, VERSION_1.length() / 2),
            VERSION_1.replace("\"version\":1", "\"version\":2"),
            VERSION_1.replace("\"OPEN\"", "\"AJAR\""),
            VERSION_1.replace("\"when\"", "\"wen\""),
            VERSION_1.replace("\"state\"", "\"stat\""),
            VERSION_1.replace("\"exporters\"", "\"importers\""),
            VERSION_1.replace("2026-11-22T09", "2026-11-22T99"),
            "{\"version\":1}",
            " ".repeat(FailoverMemory.MAX_FILE_BYTES + 1))) {
      write(damage);

      assertThat(recalled(LANE))
          .as(damage.substring(0, Math.min(80, damage.length())))
          .isEqualTo(EgressPast.NONE);
    }
  }

  @Test
  void recall_fileIsDamaged_nextChangeReplacesIt() throws Exception {
    write("{");

    try (FailoverMemory memory = open()) {
      assertThat(memory.recall(LANE)).isEqualTo(EgressPast.NONE);
      memory.keep(LANE, PAST);
    }

    assertThat(recalled(LANE)).isEqualTo(PAST);
  }

  @Test
  void keep_cannotBeWritten_keepsWhatWasThere() throws Exception {
    write(VERSION_1);
    Files.createDirectory(file().resolveSibling(file().getFileName() + ".next"));

    try (FailoverMemory memory = open()) {
      memory.keep(LANE, EgressPast.NONE);
    }

    assertThat(recalled(LANE)).isEqualTo(PAST);
  }
}
