package io.spillway.relay;

import io.spillway.buffer.BufferReader;
import io.spillway.buffer.LaneReader;
import io.spillway.buffer.Selection;
import io.spillway.config.Configuration;
import io.spillway.exporters.ExporterConfig;
import io.spillway.otlp.Signal;
import io.spillway.relay.buffer.CommandFailure;
import io.spillway.relay.buffer.FolderInput;
import io.spillway.relay.buffer.LaneInput;
import io.spillway.relay.buffer.LaneNames;
import io.spillway.relay.buffer.Replay;
import io.spillway.relay.buffer.ReplayInput;
import io.spillway.relay.buffer.ReplayProgress;
import io.spillway.relay.buffer.TimeRange;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code buffer replay}: sends what is stored once more. */
@Command(
    name = "replay",
    description = {
      "Sends a copy of what is in lanes, or in exported files, to one exporter of the"
          + " configuration, within its egress policy.",
      "It changes nothing in the lanes and nothing in their ledger: what was not delivered yet is"
          + " still delivered by the relay, and the sink then has it twice.",
      "Exit code 0 only if the sink took everything."
    },
    mixinStandardHelpOptions = true)
final class BufferReplayCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();
  @Mixin private ResendOptions resend = new ResendOptions();
  @Mixin private TimeRange range = new TimeRange();
  @Mixin private LaneNames lanes = new LaneNames();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Sends the files that buffer export or a file exporter wrote, not lanes.")
  private @Nullable Path folder;

  @Option(
      names = "--undelivered",
      description = "Only what is not delivered yet. Default: everything on disk.")
  private boolean undelivered;

  @Option(
      names = "--from-item",
      paramLabel = "N",
      description = "Goes on from this item of the one lane (or signal, with --dir) named.")
  private long fromItem;

  @Option(
      names = "--signal",
      description = "With --dir: only this signal. One of ${COMPLETION-CANDIDATES}.")
  private @Nullable Signals signal;

  @Option(
      names = "--rate",
      paramLabel = "ITEMS/S",
      defaultValue = "0",
      description = "At most this many items a second, block by block; 0 for no limit.")
  private long rate;

  @Option(names = "--yes", description = "Does not ask.")
  private boolean yes;

  /** The signals of {@code --signal}. */
  enum Signals {
    traces,
    metrics,
    logs,
    profiles
  }

  @Override
  public Integer call() throws InterruptedException {
    return CommandFailure.guard(spec, this::replay);
  }

  private int replay() throws CommandFailure, IOException, InterruptedException {
    checkOptions();
    Duration patience = resend.patience();
    Configuration configuration = options.load();
    RelayConfig config = RelayConfig.read(configuration);
    if (ConfigReport.problems(configuration, spec.commandLine().getErr())) {
      return Main.BAD_CONFIG;
    }
    ExporterConfig sink = resend.sink(config);
    List<ReplayInput> inputs = inputs(config);
    long items = 0;
    for (ReplayInput input : inputs) {
      items += input.items();
    }
    if (items == 0) {
      spec.commandLine().getErr().println("nothing in range");
      spec.commandLine().getErr().flush();
      return 0;
    }
    if (!confirmed(items)) {
      return 1;
    }
    Logging.quiet();
    return send(config, sink, inputs, patience);
  }

  private void checkOptions() throws CommandFailure {
    if (rate < 0 || fromItem < 0) {
      throw CommandFailure.badUsage("--rate and --from-item must be at least 0");
    }
    if (folder != null
        && (lanes.count() > 0 || undelivered || range.isGiven() || resend.isDirectoryGiven())) {
      throw CommandFailure.badUsage(
          "--dir sends whole files: it goes with neither lanes, --directory, --undelivered, --from"
              + " nor --to");
    }
    if (fromItem > 0 && (folder == null ? lanes.count() != 1 : signal == null)) {
      throw CommandFailure.badUsage(
          "--from-item counts the items of one lane (expected exactly one LANE, or --signal with"
              + " --dir)");
    }
  }

  private List<ReplayInput> inputs(RelayConfig config) throws CommandFailure, IOException {
    PrintWriter err = spec.commandLine().getErr();
    List<ReplayInput> inputs = new ArrayList<>();
    if (folder != null) {
      if (!Files.isDirectory(folder)) {
        throw CommandFailure.badUsage("--dir: " + folder + " is not a directory");
      }
      for (Signal each : Signal.values()) {
        if (signal == null || signal.name().equals(each.label())) {
          inputs.add(new FolderInput(folder, each, fromItem, err));
        }
      }
      return inputs;
    }
    BufferReader buffer = resend.buffer(config);
    Selection selection = range.selection(InstantSource.system()).fromItem(fromItem);
    for (LaneReader lane : lanes.choose(buffer)) {
      inputs.add(new LaneInput(lane, undelivered ? lane.unsettled(selection) : selection, err));
    }
    return inputs;
  }

  private boolean confirmed(long items) throws CommandFailure {
    if (yes) {
      return true;
    }
    Console console = terminal();
    if (console == null) {
      throw CommandFailure.badUsage(
          "%,d items would go to %s. Add --yes to send them."
              .formatted(items, resend.exporterId()));
    }
    String answer = console.readLine("Send %,d items to %s? [y/N] ", items, resend.exporterId());
    return answer != null && answer.strip().toLowerCase(Locale.ROOT).startsWith("y");
  }

  private static @Nullable Console terminal() {
    return Optional.ofNullable(System.console()).filter(Console::isTerminal).orElse(null);
  }

  private int send(
      RelayConfig config, ExporterConfig sink, List<ReplayInput> inputs, Duration patience)
      throws IOException, InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    ReplayProgress progress = new ReplayProgress(err, terminal() != null, System::nanoTime);
    return ResendOptions.with(
        config,
        sink,
        exporter -> {
          Replay.Result result = new Replay(exporter, rate, patience, progress, err).run(inputs);
          print(result, inputs);
          return result.isComplete() ? 0 : 1;
        });
  }

  private void print(Replay.Result result, List<ReplayInput> inputs) {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        Locale.ROOT,
        "%s: %,d of %,d items delivered in %,d requests, %,d rejected, %,d bad data, %,d too"
            + " large, %,d places unreadable%n",
        resend.exporterId(),
        result.delivered(),
        result.total(),
        result.requests(),
        result.rejected(),
        result.badData(),
        result.tooLarge(),
        result.unreadable());
    out.flush();
    Replay.Stop stop = result.stop();
    if (stop != null) {
      List<String> names = inputs.stream().map(ReplayInput::name).toList();
      List<String> untouched = names.subList(names.indexOf(stop.input()) + 1, names.size());
      PrintWriter err = spec.commandLine().getErr();
      err.printf("stopped in %s: %s%n", stop.input(), stop.reason());
      err.printf(
          "To go on: %s with --from-item %d%s. What was in flight then may arrive twice.%n",
          stop.input(),
          stop.item(),
          untouched.isEmpty() ? "" : "; nothing was sent of " + String.join(", ", untouched));
      err.flush();
    }
  }
}
