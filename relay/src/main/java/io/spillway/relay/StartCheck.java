package io.spillway.relay;

import io.spillway.buffer.BufferReader;
import io.spillway.buffer.Finding;
import io.spillway.buffer.LaneReader;
import io.spillway.buffer.LaneReport;
import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts every lane anew from its blocks, once, beside the relay that has just started: the ledger
 * is not taken on trust. Reads headers only, in a thread of its own that nothing waits for; what it
 * finds is logged and shown, and is counted as lost when the lane's reader comes to it.
 */
final class StartCheck implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(StartCheck.class);

  /** Findings that are logged one by one; the command shows all. */
  private static final int MAX_LOGGED = 10;

  private final Path directory;
  private final Map<LaneId, LaneReport> reports = new ConcurrentHashMap<>();
  private final Thread thread =
      Thread.ofPlatform().daemon().name("buffer check").unstarted(this::run);

  StartCheck(Path directory) {
    this.directory = directory;
  }

  void start() {
    thread.start();
  }

  /** What was found in a lane; null as long as it was not looked at. */
  @Nullable LaneReport report(LaneId lane) {
    return reports.get(lane);
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void run() {
    try {
      BufferReader buffer = BufferReader.open(directory);
      long items = 0;
      long blocks = 0;
      for (LaneId id : buffer.lanes()) {
        LaneReport report = check(buffer.lane(id));
        items += report.waiting();
        blocks += report.blocks();
      }
      log.info(
          "buffer: counted anew from {} blocks: {} items wait in {} lanes",
          blocks,
          items,
          reports.size());
    } catch (IOException | RuntimeException e) {
      if (thread.isInterrupted()) {
        log.debug("buffer check: ended", e);
      } else {
        log.warn(
            "buffer: the check of what is stored could not be finished. The relay goes on.", e);
      }
    }
  }

  private LaneReport check(LaneReader lane) throws IOException {
    int[] found = {0};
    LaneReport report =
        lane.check(
            LaneReport.Depth.HEADERS,
            finding -> {
              if (++found[0] <= MAX_LOGGED) {
                warn(lane.id(), finding);
              }
            });
    reports.put(lane.id(), report);
    if (!report.isClean()) {
      log.error(
          "buffer {}: {} findings, {} items missing. They are counted as dropped{corrupt} when the"
              + " lane comes to them. Look with spillway buffer verify --directory {} {}",
          lane.id(),
          report.findings(),
          report.missing(),
          directory,
          lane.id());
    }
    return report;
  }

  private static void warn(LaneId lane, Finding finding) {
    log.warn("buffer {}: {}", lane, finding);
  }
}
