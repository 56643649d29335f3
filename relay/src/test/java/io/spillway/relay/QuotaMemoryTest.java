package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.routing.egress.FlowConfig;
import io.spillway.routing.egress.FlowControl;
import io.spillway.routing.egress.Quota;
import io.spillway.routing.egress.QuotaSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was used of quotas today is still used after a restart. */
class QuotaMemoryTest {
  private static final InstantSource NOON =
      InstantSource.fixed(Instant.parse("2026-11-22T12:00:00Z"));
  private static final long DAY = Instant.parse("2026-11-22T00:00:00Z").getEpochSecond() / 86_400;
  private static final FlowConfig CONFIG =
      new FlowConfig(
          Map.of(),
          Map.of("payments", new QuotaSettings(1 << 30, QuotaSettings.Action.REFUSE, 10)));

  @TempDir Path directory;

  private FlowControl control(Map<String, Quota.Use> earlier) {
    FlowControl control = new FlowControl(NOON, System::nanoTime, earlier);
    control.apply(CONFIG);
    return control;
  }

  @Test
  void recall_afterClose_goesOn() {
    try (QuotaMemory memory = new QuotaMemory(directory)) {
      assertThat(memory.recall()).isEmpty();
      memory.follow(control(Map.of("routes::payments", new Quota.Use(DAY, 4711))));
    }

    try (QuotaMemory memory = new QuotaMemory(directory)) {
      assertThat(memory.recall()).isEqualTo(Map.of("routes::payments", new Quota.Use(DAY, 4711)));
      assertThat(control(memory.recall()).quotas().getFirst().used()).isEqualTo(4711);
    }
  }

  @Test
  void recall_fileIsDamaged_beginsAnew() throws Exception {
    Files.writeString(directory.resolve("quotas.json"), "{\"routes::pay");

    try (QuotaMemory memory = new QuotaMemory(directory)) {
      assertThat(memory.recall()).isEmpty();
    }
  }
}
