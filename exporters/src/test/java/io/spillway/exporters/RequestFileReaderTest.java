package io.spillway.exporters;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Reads what the file exporter wrote. */
@Timeout(30)
final class RequestFileReaderTest {
  private static final int[] ITEMS = {1, 300, 2};

  @TempDir Path folder;

  @Test
  void next_fileOfTheExporter_givesItsRequests() throws Exception {
    assertThat(read(written()))
        .containsExactly(
            Requests.protobuf(Signal.TRACES, "s", 1),
            Requests.protobuf(Signal.TRACES, "s", 300),
            Requests.protobuf(Signal.TRACES, "s", 2));
  }

  @Test
  void next_lastRecordCutShort_isLeftOutAndSaid() throws Exception {
    byte[] whole = Files.readAllBytes(written());
    int last = Requests.protobuf(Signal.TRACES, "s", 2).length + 1;
    for (int cut = 1; cut < last; cut++) {
      Path file = folder.resolve("cut.otlp");
      Files.write(file, Arrays.copyOf(whole, whole.length - cut));

      try (RequestFileReader reader = RequestFileReader.open(file)) {
        assertThat(reader.next()).isNotNull();
        assertThat(reader.next()).isNotNull();
        assertThat(reader.next()).isNull();
        assertThat(reader.cutOff()).isEqualTo(last - cut);
      }
    }
  }

  @Test
  void next_otherFile_saysWhereItIsNotOne() throws Exception {
    Path file = folder.resolve("other.otlp");
    Files.write(file, new byte[] {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 1});

    assertThatThrownBy(() -> read(file))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(file + ": near byte 4: a record of 268435455 bytes or more");
  }

  private Path written() throws Exception {
    FileExporter exporter =
        new FileExporter(
            new FileConfig(
                "file/archive",
                folder.resolve("archive"),
                RequestFormat.PROTO,
                Codec.NONE,
                Rotation.DEFAULT),
            InstantSource.fixed(Instant.parse("2026-11-22T10:00:00Z")));
    for (int items : ITEMS) {
      assertThat(
              exporter.export(Requests.of(Signal.TRACES, Codec.NONE, "s", items)).get(20, SECONDS))
          .isEqualTo(new Outcome.Delivered());
    }
    exporter.close(Duration.ofSeconds(5));
    return folder.resolve("archive/traces-20261122T100000Z-0.otlp");
  }

  private static List<byte[]> read(Path file) throws IOException {
    List<byte[]> requests = new ArrayList<>();
    try (RequestFileReader reader = RequestFileReader.open(file)) {
      for (Slice r = reader.next(); r != null; r = reader.next()) {
        requests.add(r.toByteArray());
      }
      assertThat(reader.cutOff()).isZero();
    }
    return requests;
  }
}
