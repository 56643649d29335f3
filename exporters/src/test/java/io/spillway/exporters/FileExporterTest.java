package io.spillway.exporters;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Outcome;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
final class FileExporterTest {
  private static final InstantSource CLOCK =
      InstantSource.fixed(Instant.parse("2026-11-22T10:00:00Z"));

  @TempDir Path folder;

  private FileExporter exporter(long rotateBytes) {
    return new FileExporter(
        new FileConfig("file/archive", folder.resolve("archive")), CLOCK, rotateBytes);
  }

  private static Outcome export(FileExporter exporter, ExportRequest request) throws Exception {
    return exporter.export(request).get(20, SECONDS);
  }

  private List<Path> files() throws IOException {
    try (var files = Files.list(folder.resolve("archive"))) {
      return files.sorted().toList();
    }
  }

  private static List<ExportTraceServiceRequest> read(Path file) throws IOException {
    List<ExportTraceServiceRequest> requests = new ArrayList<>();
    try (InputStream in = Files.newInputStream(file)) {
      ExportTraceServiceRequest request = ExportTraceServiceRequest.parseDelimitedFrom(in);
      while (request != null) {
        requests.add(request);
        request = ExportTraceServiceRequest.parseDelimitedFrom(in);
      }
    }
    return requests;
  }

  private static ExportTraceServiceRequest traces(String name, int items) throws IOException {
    return ExportTraceServiceRequest.parseFrom(Requests.protobuf(Signal.TRACES, name, items));
  }

  @Test
  void export_requests_canBeReadBackInOrder() throws Exception {
    FileExporter exporter = exporter(FileExporter.ROTATE_BYTES);

    for (int items : new int[] {1, 300, 2}) { // lengths of one and two bytes
      assertThat(export(exporter, Requests.of(Signal.TRACES, Codec.NONE, "s", items)))
          .isEqualTo(new Outcome.Delivered());
    }
    exporter.close(Duration.ofSeconds(5));

    assertThat(files())
        .extracting(Path::getFileName)
        .hasToString("[traces-20261122T100000Z-0.otlp]");
    assertThat(read(files().getFirst()))
        .containsExactly(traces("s", 1), traces("s", 300), traces("s", 2));
  }

  @Test
  void export_compressedPayload_isStoredPlain() throws Exception {
    FileExporter exporter = exporter(FileExporter.ROTATE_BYTES);

    assertThat(export(exporter, Requests.of(Signal.TRACES, Codec.ZSTD, "s", 5)))
        .isEqualTo(new Outcome.Delivered());
    exporter.close(Duration.ofSeconds(5));

    assertThat(read(files().getFirst())).containsExactly(traces("s", 5));
  }

  @Test
  void export_damagedPayload_isBadData() throws Exception {
    FileExporter exporter = exporter(FileExporter.ROTATE_BYTES);
    Slice junk = Slice.of(new byte[] {1, 2, 3});

    assertThat(export(exporter, new ExportRequest(Signal.TRACES, Codec.GZIP, junk, 100, 1)))
        .isInstanceOf(Outcome.BadData.class);
    exporter.close(Duration.ofSeconds(5));
  }

  @Test
  void export_fileFull_goesOnInTheNext() throws Exception {
    FileExporter exporter = exporter(10);

    for (int i = 0; i < 3; i++) {
      export(exporter, Requests.of(Signal.TRACES, Codec.NONE, "request-" + i, 1));
    }
    exporter.close(Duration.ofSeconds(5));

    assertThat(files())
        .extracting(file -> file.getFileName().toString())
        .containsExactly(
            "traces-20261122T100000Z-0.otlp",
            "traces-20261122T100000Z-1.otlp",
            "traces-20261122T100000Z-2.otlp");
    assertThat(read(files().get(1))).containsExactly(traces("request-1", 1));
  }

  @Test
  void export_afterARestart_leavesOldFilesAlone() throws Exception {
    for (int start = 0; start < 2; start++) {
      FileExporter exporter = exporter(FileExporter.ROTATE_BYTES);
      export(exporter, Requests.of(Signal.TRACES, Codec.NONE, "start-" + start, 1));
      exporter.close(Duration.ofSeconds(5));
    }

    assertThat(files()).hasSize(2);
    assertThat(read(files().get(0))).containsExactly(traces("start-0", 1));
    assertThat(read(files().get(1))).containsExactly(traces("start-1", 1));
  }

  @Test
  void export_signals_haveTheirOwnFiles() throws Exception {
    FileExporter exporter = exporter(FileExporter.ROTATE_BYTES);

    for (Signal signal : Signal.values()) {
      export(exporter, Requests.of(signal, Codec.NONE, "s", 1));
    }
    exporter.close(Duration.ofSeconds(5));

    assertThat(files())
        .extracting(file -> file.getFileName().toString())
        .containsExactly(
            "logs-20261122T100000Z-0.otlp",
            "metrics-20261122T100000Z-0.otlp",
            "traces-20261122T100000Z-0.otlp");
  }

  @Test
  void export_directoryCannotBeMade_isDownUntilItCan() throws Exception {
    Path obstacle = Files.writeString(folder.resolve("archive"), "a file");
    FileExporter exporter = exporter(FileExporter.ROTATE_BYTES);
    ExportRequest request = Requests.of(Signal.TRACES, Codec.NONE, "s", 1);

    Outcome outcome = export(exporter, request);
    assertThat(outcome).isInstanceOf(Outcome.SinkDown.class);
    assertThat(((Outcome.SinkDown) outcome).error()).isEqualTo(ErrorClass.LOCAL);

    Files.delete(obstacle);
    assertThat(export(exporter, request)).isEqualTo(new Outcome.Delivered());
    exporter.close(Duration.ofSeconds(5));
  }

  @Test
  void append_writeFails_keepsTheRecordsBefore() throws Exception {
    Path path = folder.resolve("f.otlp");
    FileChannel real =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try (RequestFile file = new RequestFile(new FailingChannel(real, 1))) {
      file.append(Slice.of(Requests.protobuf(Signal.TRACES, "good", 1)));
      long before = file.length();

      org.assertj.core.api.Assertions.assertThatThrownBy(
              () -> file.append(Slice.of(Requests.protobuf(Signal.TRACES, "bad", 1))))
          .isInstanceOf(IOException.class)
          .hasMessage("no space left on device");

      assertThat(file.length()).isEqualTo(before);
    }

    assertThat(read(path)).containsExactly(traces("good", 1));
  }

  @Test
  void export_manyAtOnce_areAllInTheFile() throws Exception {
    FileExporter exporter = exporter(FileExporter.ROTATE_BYTES);

    var attempts =
        IntStream.range(0, 50)
            .mapToObj(i -> exporter.export(Requests.of(Signal.TRACES, Codec.NONE, "n" + i, 1)))
            .toList();
    exporter.close(Duration.ofSeconds(20));
    exporter.close(Duration.ofSeconds(20));

    assertThat(attempts)
        .allSatisfy(a -> assertThat(a).isCompletedWithValue(new Outcome.Delivered()));
    assertThat(read(files().getFirst())).hasSize(50);
    assertThat(export(exporter, Requests.spans(1))).isInstanceOf(Outcome.Retry.class);
  }
}
