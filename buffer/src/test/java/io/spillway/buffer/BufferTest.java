package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.config;
import static io.spillway.buffer.LaneFixture.crashCopy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.buffer.ReceivedCounts.Kind;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.LaneId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class BufferTest {
  @TempDir Path directory;
  @TempDir Path elsewhere;

  @Test
  void open_directoryInUse_namesTheProcessAndTheDirectory() throws Exception {
    try (Buffer first = Buffer.open(config(directory), InstantSource.system())) {
      assertThat(first.disk().reserved()).isZero();
      assertThatThrownBy(() -> Buffer.open(config(directory), InstantSource.system()))
          .isInstanceOf(BufferInUseException.class)
          .hasMessage(
              "buffer::directory: "
                  + directory
                  + " is in use by process "
                  + ProcessHandle.current().pid()
                  + ". Stop it, or choose another directory.");
    }
    Buffer.open(config(directory), InstantSource.system()).close();
  }

  @Test
  void received_afterACrash_areKept() throws Exception {
    try (Buffer buffer = Buffer.open(config(directory), InstantSource.system())) {
      buffer.received().add(Signal.TRACES, Kind.ACCEPTED, 5);
      buffer.received().add(Signal.TRACES, Kind.ACCEPTED, 6);
      buffer.received().add(Signal.LOGS, Kind.INVALID, 7);
      crashCopy(directory, elsewhere);
    }

    try (Buffer buffer = Buffer.open(config(elsewhere), InstantSource.system())) {
      assertThat(buffer.received().get(Signal.TRACES, Kind.ACCEPTED)).isEqualTo(11);
      assertThat(buffer.received().get(Signal.LOGS, Kind.INVALID)).isEqualTo(7);
      assertThat(buffer.received().get(Signal.METRICS, Kind.REFUSED)).isZero();
    }
  }

  @Test
  void received_fileDamaged_startsAtZeroAndKeepsTheFile() throws Exception {
    Files.write(directory.resolve("received"), new byte[100]);

    try (Buffer buffer = Buffer.open(config(directory), InstantSource.system())) {
      assertThat(buffer.received().get(Signal.TRACES, Kind.ACCEPTED)).isZero();
      assertThat(directory.resolve("received.corrupt")).exists();
    }
  }

  @Test
  void onDisk_strangeRouteNames_comeBackAsTheyWere() throws Exception {
    LaneId id = new LaneId("../a b/ü+%2F.", Signal.LOGS);
    try (Buffer buffer = Buffer.open(config(directory), InstantSource.system())) {
      assertThat(buffer.lane(id, Codec.NONE)).isSameAs(buffer.lane(id, Codec.ZSTD));
      assertThat(buffer.onDisk()).containsExactly(id);
    }
  }

  @Test
  void lane_afterClose_throws() throws Exception {
    Buffer buffer = Buffer.open(config(directory), InstantSource.system());
    buffer.close();
    buffer.close();

    assertThatThrownBy(() -> buffer.lane(LaneFixture.ID, Codec.NONE))
        .isInstanceOf(IllegalStateException.class);
  }
}
