package io.spillway.relay;

import io.spillway.routing.egress.FlowControl;
import io.spillway.routing.egress.Quota;
import io.spillway.routing.egress.Quota.Use;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * Keeps what was used of quotas over restarts: a small JSON file beside the lanes, replaced as a
 * whole every few seconds while it changes, and at the stop. What a killed process sent in its last
 * seconds is not counted.
 */
final class QuotaMemory implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(QuotaMemory.class);
  private static final Duration EVERY = Duration.ofSeconds(2);

  private final ReplacedFile file;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("quotas").factory());
  private @Nullable FlowControl flow;
  private Map<String, Use> written = Map.of();
  private boolean failing;

  QuotaMemory(Path bufferDirectory) {
    this.file = new ReplacedFile(bufferDirectory.resolve("quotas.json"));
  }

  /** What an earlier process used, by the quota's name. */
  Map<String, Use> recall() {
    if (!file.exists()) {
      return Map.of();
    }
    try {
      return JsonMapper.shared().readValue(file.read(), new TypeReference<Map<String, Use>>() {});
    } catch (IOException | JacksonException e) {
      log.warn("{}: unreadable ({}). Today's quotas begin anew.", file, e.getMessage());
      return Map.of();
    }
  }

  /** Writes from now on what these quotas come to. */
  void follow(FlowControl control) {
    flow = control;
    var _ =
        thread.scheduleWithFixedDelay(
            this::save, EVERY.toMillis(), EVERY.toMillis(), TimeUnit.MILLISECONDS);
  }

  private synchronized void save() {
    FlowControl followed = flow;
    if (followed == null) {
      return;
    }
    Map<String, Use> now = new LinkedHashMap<>();
    for (Quota quota : followed.quotas()) {
      now.put(quota.name(), quota.use());
    }
    if (now.equals(written)) {
      return;
    }
    try {
      file.write(JsonMapper.shared().writeValueAsString(now));
      written = now;
      failing = false;
    } catch (IOException e) {
      if (!failing) {
        log.warn(
            "{}: cannot be written ({}). Quotas go on; after a restart today's would begin anew.",
            file,
            e.getMessage());
      }
      failing = true;
    }
  }

  /** Writes a last time. Safe to call twice. */
  @Override
  public void close() {
    thread.shutdown();
    save();
  }
}
