package io.spillway.relay.buffer;

import io.spillway.buffer.LaneReader;
import io.spillway.buffer.Selection;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.stage.Block;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code buffer export}: copies what is in lanes into files. */
@Command(
    name = "export",
    description = {
      "Copies the requests in lanes into files: DIR/ROUTE/SIGNAL-TIME-N.otlp as the file exporter"
          + " writes them, or .jsonl.",
      "Changes nothing in the lanes: what is copied is still delivered."
    },
    mixinStandardHelpOptions = true)
public final class ExportCommand implements Callable<Integer> {

  @Mixin private BufferOptions options = new BufferOptions();
  @Mixin private TimeRange range = new TimeRange();
  @Mixin private Reach reach = new Reach();
  @Mixin private LaneNames lanes = new LaneNames();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Where to; made if it is not there. Nothing in it is replaced.")
  private Path out = Path.of("");

  @Option(
      names = "--format",
      defaultValue = "proto",
      description =
          "proto: each request behind its length, exactly as it was sent; json: OTLP/JSON, a"
              + " request a line (profiles stay proto). Default: ${DEFAULT-VALUE}.")
  private ExportFiles.Format format = ExportFiles.Format.proto;

  private long items;
  private long unreadable;
  private long hidden;

  @Override
  public Integer call() throws InterruptedException {
    return CommandFailure.guard(spec, this::export);
  }

  private int export() throws CommandFailure, IOException {
    Selection selection = range.selection(InstantSource.system());
    List<LaneReader> chosen = lanes.choose(options.open());
    for (LaneReader lane : chosen) {
      refuseToReplace(lane);
    }
    for (LaneReader lane : chosen) {
      export(lane, reach.of(lane, selection));
    }
    PrintWriter err = spec.commandLine().getErr();
    if (items == 0 && unreadable == 0) {
      err.println("nothing in range");
    }
    if (hidden > 0) {
      err.println(
          Quantities.count(hidden, "byte")
              + " of fields that OTLP does not know are not in the files; --format proto keeps"
              + " them.");
    }
    err.flush();
    return unreadable == 0 ? 0 : 1;
  }

  private void refuseToReplace(LaneReader lane) throws CommandFailure, IOException {
    Path directory = directory(lane);
    String prefix = lane.id().signal().label() + "-";
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (Stream<Path> files = Files.list(directory)) {
      @Nullable Path found =
          files
              .filter(file -> String.valueOf(file.getFileName()).startsWith(prefix))
              .findFirst()
              .orElse(null);
      if (found != null) {
        throw CommandFailure.badUsage(
            "--out: %s is there already. Nothing was written; choose another directory."
                .formatted(found));
      }
    }
  }

  private Path directory(LaneReader lane) {
    return out.resolve(lane.fileName());
  }

  private void export(LaneReader lane, Selection selection) throws IOException {
    try (StoredRequests requests =
            new StoredRequests(lane, selection, spec.commandLine().getErr());
        ExportFiles files =
            new ExportFiles(
                directory(lane), lane.id().signal(), format, ExportFiles.ROTATE_BYTES)) {
      for (Block b = requests.next(); b != null; b = requests.next()) {
        Block block = b;
        requests.each(
            block,
            (bytes, request) -> {
              try {
                files.append(bytes, request.items(), block.firstAccepted());
              } catch (MalformedRequestException e) {
                unreadable++;
                spec.commandLine()
                    .getErr()
                    .printf("%s: a stored request is malformed: %s%n", lane.id(), e.getMessage());
              }
              return true;
            });
      }
      for (ExportFiles.Written file : files.finish()) {
        items += file.items();
        spec.commandLine()
            .getOut()
            .printf(
                "%s: %s in %s, %s: %s%n",
                lane.id(),
                Quantities.count(file.items(), "item"),
                Quantities.count(file.requests(), "request"),
                Quantities.bytes(file.bytes()),
                file.file());
      }
      hidden += files.hidden();
      unreadable += requests.unreadable();
    }
  }
}
