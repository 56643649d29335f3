package io.spillway.relay.load;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.Gate;
import io.spillway.otlp.stage.Sender;
import io.spillway.otlp.wire.RequestScanner;
import io.spillway.receivers.AdmissionConfig;
import io.spillway.receivers.OtlpReceiver;
import io.spillway.receivers.OtlpReceiverConfig;
import io.spillway.receivers.ReceiverListener;
import io.spillway.receivers.Transport;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code capture}: an OTLP sink that keeps nothing but counts. */
@Command(
    name = "capture",
    description =
        "A small OTLP sink for trying things out: counts items and prints the counts every second"
            + " until it is stopped.",
    mixinStandardHelpOptions = true)
public final class CaptureCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--grpc",
      paramLabel = "HOST:PORT",
      defaultValue = "127.0.0.1:0",
      description = "Where to take OTLP/gRPC. Default: ${DEFAULT-VALUE}.")
  private String grpc = "";

  @Option(
      names = "--http",
      paramLabel = "HOST:PORT",
      defaultValue = "127.0.0.1:0",
      description = "Where to take OTLP/HTTP. Default: ${DEFAULT-VALUE}.")
  private String http = "";

  @Option(
      names = "--ids",
      paramLabel = "FILE",
      description = "On exit, appends a 64-bit hash of every item to this file.")
  private @Nullable Path ids;

  @Override
  public Integer call() throws IOException, InterruptedException {
    ItemCounts counts = new ItemCounts(ids != null);
    OtlpReceiver receiver =
        new OtlpReceiver(
            config(),
            () -> new CountingGate(counts),
            AdmissionConfig.DEFAULT.create(Runtime.getRuntime().maxMemory()),
            ReceiverListener.NONE);
    receiver.start();
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> stop(receiver, counts, stopped), "shutdown"));
    PrintWriter out = spec.commandLine().getOut();
    out.println(
        "capture: grpc="
            + receiver.servedAt(Transport.GRPC)
            + " http="
            + receiver.servedAt(Transport.HTTP));
    out.flush();
    String last = "";
    while (!stopped.await(1, TimeUnit.SECONDS)) {
      String line = counts.toString();
      if (!line.equals(last)) {
        out.println(line);
        out.flush();
        last = line;
      }
    }
    return 0;
  }

  private OtlpReceiverConfig config() {
    Configuration configuration =
        ConfigurationLoader.parse(
            "capture",
            "receivers: { otlp: { protocols: { grpc: { endpoint: \"%s\" }, http: { endpoint: \"%s\" } } } }"
                .formatted(grpc, http),
            Map.of());
    OtlpReceiverConfig config = OtlpReceiverConfig.read(configuration.root().section("receivers"));
    if (!configuration.problems().isEmpty()) {
      throw new picocli.CommandLine.ParameterException(
          spec.commandLine(), configuration.problems().all().toString());
    }
    return config;
  }

  private void stop(OtlpReceiver receiver, ItemCounts counts, CountDownLatch stopped) {
    receiver.close(Duration.ofSeconds(1));
    Path file = ids;
    if (file != null) {
      try (var out =
          new DataOutputStream(
              new java.io.BufferedOutputStream(
                  Files.newOutputStream(
                      file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)))) {
        for (long hash : counts.hashes()) {
          out.writeLong(hash);
        }
      } catch (IOException e) {
        spec.commandLine()
            .getErr()
            .println("capture: cannot write " + file + ": " + e.getMessage());
      }
    }
    stopped.countDown();
  }

  /** Validates and counts. Called by all threads of the receiver at once. */
  private static final class CountingGate implements Gate {
    private final ItemCounts counts;

    CountingGate(ItemCounts counts) {
      this.counts = counts;
    }

    @Override
    public void submit(
        Signal signal, RequestBytes request, Sender sender, Consumer<? super Answer> answer) {
      RequestScanner scanner = new RequestScanner();
      try {
        scanner.scan(signal, request.plain());
      } catch (MalformedRequestException e) {
        answer.accept(new Answer.Invalid(String.valueOf(e.getMessage())));
        return;
      }
      counts.add(signal, request.plain(), scanner.items());
      answer.accept(new Answer.Accepted(scanner.items()));
    }
  }
}
