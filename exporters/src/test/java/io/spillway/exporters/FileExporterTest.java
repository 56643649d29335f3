package io.spillway.exporters;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.spillway.otlp.Codec;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.json.JsonTranscoder;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Outcome;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(30)
final class FileExporterTest {
  @TempDir Path folder;

  private Instant now = Instant.parse("2026-11-22T10:00:00Z");

  private FileExporter exporter() {
    return exporter(RequestFormat.PROTO, Codec.NONE, Rotation.DEFAULT);
  }

  private FileExporter exporter(RequestFormat format, Codec compression, Rotation rotation) {
    return new FileExporter(
        new FileConfig("file/archive", folder.resolve("archive"), format, compression, rotation),
        () -> now);
  }

  private static Rotation every(long bytes, Duration time, int maxBackups, Duration maxAge) {
    return new Rotation(bytes, time, maxBackups, maxAge);
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
    FileExporter exporter = exporter();

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
    FileExporter exporter = exporter();

    assertThat(export(exporter, Requests.of(Signal.TRACES, Codec.ZSTD, "s", 5)))
        .isEqualTo(new Outcome.Delivered());
    exporter.close(Duration.ofSeconds(5));

    assertThat(read(files().getFirst())).containsExactly(traces("s", 5));
  }

  @Test
  void export_damagedPayload_isBadData() throws Exception {
    FileExporter exporter = exporter();
    Slice junk = Slice.of(new byte[] {1, 2, 3});

    assertThat(export(exporter, new ExportRequest(Signal.TRACES, Codec.GZIP, junk, 100, 1)))
        .isInstanceOf(Outcome.BadData.class);
    exporter.close(Duration.ofSeconds(5));
  }

  @Test
  void export_fileFull_goesOnInTheNext() throws Exception {
    FileExporter exporter =
        exporter(RequestFormat.PROTO, Codec.NONE, every(10, Duration.ofDays(1), 0, Duration.ZERO));

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
      FileExporter exporter = exporter();
      export(exporter, Requests.of(Signal.TRACES, Codec.NONE, "start-" + start, 1));
      exporter.close(Duration.ofSeconds(5));
    }

    assertThat(files()).hasSize(2);
    assertThat(read(files().get(0))).containsExactly(traces("start-0", 1));
    assertThat(read(files().get(1))).containsExactly(traces("start-1", 1));
  }

  // conformance: J-21
  @Test
  void export_signals_haveTheirOwnFiles() throws Exception {
    FileExporter exporter = exporter();

    for (Signal signal : Signal.values()) {
      export(exporter, Requests.of(signal, Codec.NONE, "s", 1));
    }
    exporter.close(Duration.ofSeconds(5));

    assertThat(files())
        .extracting(file -> file.getFileName().toString())
        .containsExactly(
            "logs-20261122T100000Z-0.otlp",
            "metrics-20261122T100000Z-0.otlp",
            "profiles-20261122T100000Z-0.otlp",
            "traces-20261122T100000Z-0.otlp");
  }

  @Test
  void export_profilesToJsonFiles_areWrittenInProtobuf() throws Exception {
    FileExporter exporter = exporter(RequestFormat.JSON, Codec.NONE, Rotation.DEFAULT);

    assertThat(export(exporter, Requests.of(Signal.PROFILES, Codec.GZIP, "s", 2)))
        .isEqualTo(new Outcome.Delivered());
    exporter.close(Duration.ofSeconds(5));

    Path file = files().getFirst();
    assertThat(file.getFileName().toString()).isEqualTo("profiles-20261122T100000Z-0.otlp");
    try (RequestFileReader reader = RequestFileReader.open(file)) {
      assertThat(reader.next().toByteArray()).isEqualTo(Requests.protobuf(Signal.PROFILES, "s", 2));
    }
  }

  @Test
  void export_directoryCannotBeMade_isDownUntilItCan() throws Exception {
    Path obstacle = Files.writeString(folder.resolve("archive"), "a file");
    FileExporter exporter = exporter();
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
      file.append(record("good"));
      file.force();
      long before = file.length();

      org.assertj.core.api.Assertions.assertThatThrownBy(() -> file.append(record("bad")))
          .isInstanceOf(IOException.class)
          .hasMessage("no space left on device");

      assertThat(file.length()).isEqualTo(before);
    }

    assertThat(read(path)).containsExactly(traces("good", 1));
  }

  private static ByteBuffer[] record(String name) {
    byte[] request = Requests.protobuf(Signal.TRACES, name, 1);
    return new ByteBuffer[] {
      ByteBuffer.wrap(new byte[] {(byte) request.length}), ByteBuffer.wrap(request)
    };
  }

  @Test
  void append_writeFails_takesBackWhatWasNotForced() throws Exception {
    Path path = folder.resolve("f.otlp");
    FileChannel real =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try (RequestFile file = new RequestFile(new FailingChannel(real, 2))) {
      file.append(record("forced"));
      file.force();
      file.append(record("written"));
      org.assertj.core.api.Assertions.assertThatThrownBy(() -> file.append(record("bad")))
          .isInstanceOf(IOException.class);
    }

    assertThat(read(path)).containsExactly(traces("forced", 1));
  }

  // --- formats, compression, rotation

  static Stream<Arguments> forms() {
    return Stream.of(RequestFormat.values())
        .flatMap(format -> Stream.of(Codec.values()).map(codec -> Arguments.of(format, codec)));
  }

  // conformance: J-21
  @ParameterizedTest
  @MethodSource("forms")
  void export_anyForm_isReadBack(RequestFormat format, Codec compression) throws Exception {
    FileExporter exporter = exporter(format, compression, Rotation.DEFAULT);
    for (Codec codec : Codec.values()) { // stored as it is, or made anew
      assertThat(export(exporter, Requests.of(Signal.LOGS, codec, codec.name(), 200)))
          .isEqualTo(new Outcome.Delivered());
    }
    exporter.close(Duration.ofSeconds(20));

    assertThat(files())
        .extracting(file -> file.getFileName().toString())
        .containsExactly("logs-20261122T100000Z-0" + format.suffix(compression));
    assertThat(requests(files().getFirst(), Signal.LOGS, false))
        .containsExactly(logs("NONE"), logs("GZIP"), logs("ZSTD"));
  }

  @ParameterizedTest
  @MethodSource("forms")
  void read_fileCutAnywhere_hasEveryRecordBefore(RequestFormat format, Codec compression)
      throws Exception {
    FileExporter exporter = exporter(format, compression, Rotation.DEFAULT);
    export(exporter, Requests.of(Signal.LOGS, Codec.NONE, "a", 1));
    long first = Files.size(files().getFirst());
    export(exporter, Requests.of(Signal.LOGS, Codec.GZIP, "b", 1));
    exporter.close(Duration.ofSeconds(20));
    byte[] whole = Files.readAllBytes(files().getFirst());

    for (int length = 0; length < whole.length; length++) {
      Path cut = folder.resolve("logs-cut" + format.suffix(compression));
      Files.write(cut, Arrays.copyOf(whole, length));
      List<ExportLogsServiceRequest> found = requests(cut, Signal.LOGS, true);
      int expected = length >= first ? 1 : 0;
      assertThat(found.size()).as("cut to %d", length).isGreaterThanOrEqualTo(expected);
      assertThat(found).isSubsetOf(logs("a", 1), logs("b", 1));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Codec.class,
      names = {"GZIP", "ZSTD"})
  void read_fileDamagedInItsMiddle_saysSo(Codec compression) throws Exception {
    FileExporter exporter = exporter(RequestFormat.PROTO, compression, Rotation.DEFAULT);
    export(exporter, Requests.of(Signal.LOGS, Codec.NONE, "a", 100));
    int first = (int) Files.size(files().getFirst());
    export(exporter, Requests.of(Signal.LOGS, Codec.NONE, "b", 100));
    exporter.close(Duration.ofSeconds(20));
    byte[] bytes = Files.readAllBytes(files().getFirst());
    bytes[first] ^= 1; // the magic number of the second member or frame
    Files.write(files().getFirst(), bytes);

    try (RequestFileReader reader = RequestFileReader.open(files().getFirst())) {
      assertThat(reader.next()).isNotNull();
      org.assertj.core.api.Assertions.assertThatThrownBy(reader::next)
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith(files().getFirst() + ": near byte ");
    }
  }

  private static ExportLogsServiceRequest logs(String name) throws IOException {
    return logs(name, 200);
  }

  private static ExportLogsServiceRequest logs(String name, int items) throws IOException {
    return ExportLogsServiceRequest.parseFrom(Requests.protobuf(Signal.LOGS, name, items));
  }

  /**
   * @param torn whether a last line may be half a one
   */
  private static List<ExportLogsServiceRequest> requests(Path file, Signal signal, boolean torn)
      throws Exception {
    List<ExportLogsServiceRequest> found = new ArrayList<>();
    try (RequestFileReader reader = RequestFileReader.open(file)) {
      for (Slice next = reader.next(); next != null; next = reader.next()) {
        try {
          Slice protobuf =
              reader.format() == RequestFormat.PROTO
                  ? next
                  : JsonTranscoder.toProtobuf(signal, next, 1 << 20);
          found.add(ExportLogsServiceRequest.parseFrom(protobuf.toByteArray()));
        } catch (MalformedRequestException e) {
          assertThat(torn).isTrue();
        }
      }
    }
    return found;
  }

  @Test
  void export_fileOld_goesOnInTheNext() throws Exception {
    FileExporter exporter =
        exporter(
            RequestFormat.PROTO, Codec.NONE, every(1 << 20, Duration.ofHours(1), 0, Duration.ZERO));

    export(exporter, Requests.spans(1));
    now = now.plus(Duration.ofMinutes(59));
    export(exporter, Requests.spans(1));
    now = now.plus(Duration.ofMinutes(1));
    export(exporter, Requests.spans(1));
    exporter.close(Duration.ofSeconds(20));

    assertThat(files())
        .extracting(file -> file.getFileName().toString())
        .containsExactly("traces-20261122T100000Z-0.otlp", "traces-20261122T110000Z-0.otlp");
  }

  @Test
  void export_maxBackups_keepsTheNewestOfEachSignalAndWhatIsNotOurs() throws Exception {
    Files.createDirectories(folder.resolve("archive"));
    Files.writeString(folder.resolve("archive/traces-notes.txt"), "mine");
    FileExporter exporter =
        exporter(RequestFormat.JSON, Codec.GZIP, every(1, Duration.ofDays(1), 2, Duration.ZERO));

    export(exporter, Requests.of(Signal.LOGS, Codec.NONE, "s", 1));
    for (int i = 0; i < 12; i++) { // also past the tenth of one second
      export(exporter, Requests.spans(1));
    }
    exporter.close(Duration.ofSeconds(20));

    assertThat(files())
        .extracting(file -> file.getFileName().toString())
        .containsExactlyInAnyOrder(
            "logs-20261122T100000Z-0.jsonl.gz",
            "traces-20261122T100000Z-9.jsonl.gz",
            "traces-20261122T100000Z-10.jsonl.gz",
            "traces-20261122T100000Z-11.jsonl.gz",
            "traces-notes.txt");
  }

  @Test
  void export_maxDays_removesWhatWasLastWrittenBefore() throws Exception {
    FileExporter exporter =
        exporter(
            RequestFormat.PROTO, Codec.NONE, every(1, Duration.ofDays(1), 0, Duration.ofDays(7)));
    export(exporter, Requests.spans(1));
    Files.setLastModifiedTime(files().getFirst(), FileTime.from(now.minus(Duration.ofDays(8))));
    export(exporter, Requests.spans(1));
    exporter.close(Duration.ofSeconds(20));

    assertThat(files())
        .extracting(file -> file.getFileName().toString())
        .containsExactly("traces-20261122T100000Z-1.otlp");
    assertThat(Files.getLastModifiedTime(files().getFirst()).toInstant())
        .isAfter(now.minus(Duration.ofDays(7)));
  }

  @Test
  void export_manyAtOnce_areAllInTheFile() throws Exception {
    FileExporter exporter = exporter();

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
