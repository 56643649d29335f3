package io.spillway.relay;

import io.spillway.buffer.Buffer;
import io.spillway.buffer.BufferInUseException;
import io.spillway.buffer.BufferReader;
import io.spillway.buffer.LaneReader;
import io.spillway.config.Configuration;
import io.spillway.otlp.Codec;
import io.spillway.otlp.stage.LaneId;
import io.spillway.relay.admin.AdminConfig;
import io.spillway.relay.buffer.CommandFailure;
import io.spillway.relay.buffer.LaneNames;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code buffer drop}: gives up what lanes hold. */
@Command(
    name = "drop",
    description = {
      "Gives up everything that is stored in these lanes and not delivered yet. It is lost, and"
          + " counted in the ledger as dropped by an operator.",
      "Asks the running relay to do so over its admin address; does it itself if none runs."
    },
    mixinStandardHelpOptions = true)
final class BufferDropCommand implements Callable<Integer> {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  @Mixin private ConfigOptions options = new ConfigOptions();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "LANE", arity = "1..*", description = "ROUTE/SIGNAL.")
  private List<String> lanes = new ArrayList<>();

  @Option(names = "--confirm", description = "Does it; without, only says what would be lost.")
  private boolean confirm;

  @Option(
      names = "--admin",
      paramLabel = "HOST:PORT",
      description =
          "The running relay's admin address. Default: that of the configuration, which cannot be"
              + " known if it says port 0.")
  private @Nullable String adminAddress;

  @Override
  public Integer call() throws InterruptedException {
    return CommandFailure.guard(spec, this::drop);
  }

  private int drop() throws CommandFailure, IOException, InterruptedException {
    Configuration configuration = options.load();
    RelayConfig config = RelayConfig.read(configuration);
    if (ConfigReport.problems(configuration, spec.commandLine().getErr())) {
      return Main.BAD_CONFIG;
    }
    if (!Files.isDirectory(config.buffer().directory())) {
      throw CommandFailure.badUsage(
          "buffer::directory: " + config.buffer().directory() + " is not there");
    }
    BufferReader buffer = BufferReader.open(config.buffer().directory());
    List<LaneId> chosen = new ArrayList<>();
    for (LaneReader lane : LaneNames.choose(buffer, lanes)) {
      chosen.add(lane.id());
      if (!confirm) {
        say("%s: %,d items would be lost.".formatted(lane.id(), lane.snapshot().items()));
      }
    }
    if (!confirm) {
      throw CommandFailure.badUsage("nothing was dropped. Repeat with --confirm to do it.");
    }
    Logging.quiet();
    try {
      dropStopped(config, chosen);
    } catch (BufferInUseException e) {
      dropRunning(config.admin(), chosen);
    }
    return 0;
  }

  private void dropStopped(RelayConfig config, List<LaneId> chosen)
      throws IOException, InterruptedException {
    try (Buffer buffer = Buffer.open(config.buffer(), InstantSource.system(), System::nanoTime)) {
      for (LaneId id : chosen) {
        buffer.lane(id, Codec.GZIP);
        dropped(id, buffer.drop(id).get(TIMEOUT.toSeconds(), TimeUnit.SECONDS));
      }
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("the lane could not be emptied: " + e.getMessage(), e);
    }
  }

  private void dropRunning(AdminConfig admin, List<LaneId> chosen)
      throws CommandFailure, IOException, InterruptedException {
    AdminClient relay = AdminClient.of(admin, adminAddress);
    for (LaneId id : chosen) {
      dropped(id, relay.post("/api/v1/lanes/" + id + "/drop").path("dropped").asLong());
    }
  }

  private void dropped(LaneId id, long items) {
    say("%s: %,d items dropped.".formatted(id, items));
  }

  private void say(String line) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(line);
    out.flush();
  }
}
