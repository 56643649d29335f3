package io.spillway.relay;

import io.spillway.otlp.stage.LaneId;
import io.spillway.routing.egress.EgressMemory;
import io.spillway.routing.egress.EgressPast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Keeps what each lane's failover came to over restarts: its latest transitions, the state of its
 * exporters, and since when data waits for one. A small JSON file for each lane in {@code
 * failover/} beside the lanes, replaced as a whole soon after each change, on a thread of its own.
 *
 * <p>What a killed process had not written yet is not known to the next one: then the lane begins
 * with what was written before. Nothing that is stored depends on it. Safe on any thread.
 */
final class FailoverMemory implements EgressMemory, AutoCloseable {
  static final int VERSION = 1;

  /** A larger file was not written by us: it holds a bounded number of transitions. */
  static final int MAX_FILE_BYTES = 4 << 20;

  /** Changes that come together are written together. */
  private static final Duration GATHER = Duration.ofMillis(50);

  /** When a write that failed is tried again. */
  private static final Duration AGAIN = Duration.ofSeconds(5);

  private static final Logger log = LoggerFactory.getLogger(FailoverMemory.class);

  private final Path directory;
  private final ScheduledThreadPoolExecutor thread =
      new ScheduledThreadPoolExecutor(
          1,
          Thread.ofPlatform().daemon().name("failover memory").factory(),
          new ThreadPoolExecutor.DiscardPolicy());

  /** What is not written yet; each has one task that will write it. */
  private final Map<LaneId, EgressPast> unwritten = new ConcurrentHashMap<>();

  private boolean failing;

  /** The file's form. */
  private record Stored(int version, EgressPast lane) {}

  FailoverMemory(Path bufferDirectory) {
    this.directory = bufferDirectory.resolve("failover");
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  @Override
  public EgressPast recall(LaneId lane) {
    ReplacedFile file = file(lane);
    if (!file.exists()) {
      return EgressPast.NONE;
    }
    try {
      return read(file);
    } catch (IOException | JacksonException e) {
      log.warn(
          "{}: unreadable ({}). The lane's failover begins anew, without history and with its first"
              + " exporter; nothing that is stored depends on it, and the next change replaces the"
              + " file.",
          file,
          e.getMessage());
      return EgressPast.NONE;
    }
  }

  private EgressPast read(ReplacedFile file) throws IOException {
    long size = Files.size(file.path());
    if (size > MAX_FILE_BYTES) {
      throw new IOException(size + " bytes, expected at most " + MAX_FILE_BYTES);
    }
    Stored stored = JsonMapper.shared().readValue(file.read(), Stored.class);
    if (stored == null || stored.lane() == null) {
      throw new IOException("there is no lane in it");
    }
    if (stored.version() != VERSION) {
      throw new IOException("version " + stored.version() + ", expected " + VERSION);
    }
    return stored.lane();
  }

  @Override
  public void keep(LaneId lane, EgressPast past) {
    boolean waits = unwritten.put(lane, past) != null;
    if (!waits) {
      writeIn(GATHER, lane);
    }
  }

  private void writeIn(Duration delay, LaneId lane) {
    var _ = thread.schedule(() -> write(lane), delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  private synchronized void write(LaneId lane) {
    EgressPast past = unwritten.remove(lane);
    if (past == null) {
      return;
    }
    try {
      Files.createDirectories(directory);
      file(lane).write(JsonMapper.shared().writeValueAsString(new Stored(VERSION, past)));
      failing = false;
    } catch (IOException e) {
      if (!failing) {
        log.warn(
            "{}: cannot be written ({}). Failover goes on and this is tried again; after a restart"
                + " it would begin with what was written before.",
            file(lane),
            e.getMessage());
      }
      failing = true;
      if (unwritten.putIfAbsent(lane, past) == null) {
        writeIn(AGAIN, lane);
      }
    }
  }

  private ReplacedFile file(LaneId lane) {
    return new ReplacedFile(
        directory.resolve(lane.route() + "." + lane.signal().label() + ".json"));
  }

  /** Writes what is not written yet, once the lanes are closed. Safe to call twice. */
  @Override
  public void close() {
    thread.shutdown();
    unwritten.keySet().forEach(this::write);
  }
}
