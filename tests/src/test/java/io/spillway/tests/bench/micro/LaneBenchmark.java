package io.spillway.tests.bench.micro;

import io.spillway.buffer.Buffer;
import io.spillway.buffer.BufferConfig;
import io.spillway.buffer.LaneSettings;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Settlement;
import io.spillway.tests.harness.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Semaphore;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A request through a lane: appended, acknowledged, read, settled, which moves the cursor and
 * writes a checkpoint slot. The garbage is that of all threads.
 */
@State(Scope.Thread)
public class LaneBenchmark {
  private static final long MIB = 1L << 20;
  private static final LaneId ID = new LaneId("default", Signal.TRACES);
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  @Param({"1", "512"})
  public int items = 1;

  private final Semaphore acknowledged = new Semaphore(0);
  private final Lane.AppendCallback callback =
      new Lane.AppendCallback() {
        @Override
        public void appended() {
          acknowledged.release();
        }

        @Override
        public void refused(Lane.Refusal refusal) {
          throw new IllegalStateException(refusal.reason());
        }
      };
  private Path directory = Path.of("");
  private Buffer buffer;
  private Lane lane;
  private Slice request = Slice.EMPTY;

  @Setup
  public void open() throws IOException {
    directory = Files.createTempDirectory("spillway-lane-benchmark");
    LaneSettings settings =
        new LaneSettings(
            1024 * MIB,
            Duration.ofDays(3),
            BufferConfig.WhenFull.REFUSE,
            BufferConfig.Durability.PROCESS,
            Duration.ZERO);
    buffer =
        Buffer.open(
            new BufferConfig(directory, 1024 * MIB, 0, 64 * MIB, settings), InstantSource.system());
    lane = buffer.lane(ID, Codec.NONE);
    request = Made.request(Signal.TRACES, items);
  }

  @TearDown
  public void close() throws IOException {
    buffer.close();
    Folders.delete(directory);
  }

  @Benchmark
  public Block throughLane(WireBenchmark.Bytes counted) throws InterruptedException {
    lane.append(request, items, 0, callback);
    acknowledged.acquire();
    Block block = lane.poll(PATIENCE);
    lane.settle(block, Settlement.delivered("otlp_grpc/sink", block.items()));
    counted.bytes += request.length();
    return block;
  }
}
