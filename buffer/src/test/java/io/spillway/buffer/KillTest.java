package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.assertBalanced;
import static io.spillway.buffer.LaneFixture.config;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.LaneFixture.open;
import static io.spillway.buffer.LaneFixture.pollAll;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process that appends is killed; everything it acknowledged is there. */
@Timeout(120)
class KillTest {
  private static final int KILLS = 3;
  private static final int ACKNOWLEDGED_BEFORE_KILL = 12;

  @TempDir Path directory;

  /** A request that shows its number and proves its bytes. */
  static byte[] request(long id) {
    byte[] request = LaneFixture.bytes(16 + (int) (id * 7919 % 30_000), id);
    ByteBuffer.wrap(request).putLong(id).putInt(request.length);
    return request;
  }

  // conformance: R-01
  @Test
  void append_processKilled_losesNothingAcknowledged() throws Exception {
    long next = 0;
    long highest = -1;
    for (int kill = 0; kill < KILLS; kill++) {
      highest = appendUntilKilled(next);
      next = highest + 100_000;
      assertThat(present()).as("kill %d", kill).containsAll(ids(highest));
    }
    assertThat(highest).isPositive();
  }

  private final List<Long> runs = new ArrayList<>();

  /** Every id that must be there: of each run, from its first to its last acknowledged one. */
  private Set<Long> ids(long highest) {
    runs.add(highest);
    Set<Long> ids = new TreeSet<>();
    for (int i = 0; i < runs.size(); i++) {
      long first = i == 0 ? 0 : runs.get(i - 1) + 100_000;
      for (long id = first; id <= runs.get(i); id++) {
        ids.add(id);
      }
    }
    return ids;
  }

  private final Set<Long> delivered = new TreeSet<>();

  /** Reads everything and settles half of it. */
  private Set<Long> present() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), InstantSource.system())) {
      Lane lane = open(buffer);
      Set<Long> present = new TreeSet<>(delivered);
      List<Block> blocks = pollAll(lane);
      for (Block block : blocks) {
        boolean settle = blocks.indexOf(block) < blocks.size() / 2;
        ByteBuffer payload = ByteBuffer.wrap(block.payload().toByteArray());
        for (Block.Request request : block.requests()) {
          byte[] bytes = new byte[request.length()];
          payload.get(bytes);
          long id = ByteBuffer.wrap(bytes).getLong();
          assertThat(bytes).isEqualTo(request(id));
          present.add(id);
          if (settle) {
            delivered.add(id);
          }
        }
        if (settle) {
          deliver(lane, block);
        }
      }
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().dropped()).isEmpty();
      return present;
    }
  }

  private long appendUntilKilled(long first) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(a -> a.startsWith("--add-") || a.startsWith("--sun-") || a.startsWith("--enable-"))
        .forEach(command::add);
    command.addAll(
        List.of(
            "-Xmx256m",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            AppendUntilKilled.class.getName(),
            directory.toString(),
            String.valueOf(first)));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    long acknowledged = -1;
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (int lines = 0; ; ) {
        String line = out.readLine();
        if (line == null) {
          break;
        }
        if (line.matches("\\d+")) {
          acknowledged = Long.parseLong(line);
          if (++lines == ACKNOWLEDGED_BEFORE_KILL) {
            // Through the handle, which leaves the pipe open: what it still says counts as well.
            assertThat(process.toHandle().destroyForcibly()).isTrue();
          }
        }
      }
    }
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isNotZero();
    assertThat(acknowledged).isNotNegative();
    return acknowledged;
  }
}
