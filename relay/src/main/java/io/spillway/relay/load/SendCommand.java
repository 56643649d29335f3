package io.spillway.relay.load;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.exporters.ExporterConfig;
import io.spillway.exporters.Exporters;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Exporter;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code send}: a small OTLP load generator. */
@Command(
    name = "send",
    description =
        "Sends made-up telemetry to an OTLP receiver and says how it was answered. Stops by"
            + " itself.",
    mixinStandardHelpOptions = true)
public final class SendCommand implements Callable<Integer> {

  /** The protocols it speaks. */
  enum Protocol {
    grpc("otlp_grpc", "http://127.0.0.1:4317"),
    http("otlp_http", "http://127.0.0.1:4318");

    private final String exporterType;
    private final String endpoint;

    Protocol(String exporterType, String endpoint) {
      this.exporterType = exporterType;
      this.endpoint = endpoint;
    }
  }

  /** The signals it makes. */
  enum Signals {
    traces,
    metrics,
    logs,
    profiles,
    all;

    /** Not all sinks know signals in development, so those have to be asked for. */
    List<Signal> list() {
      return this == all
          ? Arrays.stream(Signal.values()).filter(Signal::isStable).toList()
          : List.of(Signal.valueOf(name().toUpperCase(Locale.ROOT)));
    }
  }

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--endpoint",
      paramLabel = "URL",
      description = "Where to send to. Default: http://127.0.0.1:4317 for grpc, :4318 for http.")
  private String endpoint = "";

  @Option(
      names = "--protocol",
      defaultValue = "grpc",
      description = "One of ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private Protocol protocol = Protocol.grpc;

  @Option(
      names = "--signal",
      defaultValue = "all",
      description =
          "One of ${COMPLETION-CANDIDATES}; all is all but profiles. Default: ${DEFAULT-VALUE}.")
  private Signals signals = Signals.all;

  @Option(
      names = "--count",
      paramLabel = "ITEMS",
      defaultValue = "10000",
      description = "How many items in all. Default: ${DEFAULT-VALUE}.")
  private long count;

  @Option(
      names = "--rate",
      paramLabel = "ITEMS/S",
      defaultValue = "1000",
      description = "Items a second; 0 for as fast as it goes. Default: ${DEFAULT-VALUE}.")
  private long rate;

  @Option(
      names = "--batch",
      paramLabel = "ITEMS",
      defaultValue = "100",
      description = "Items in a request. Default: ${DEFAULT-VALUE}.")
  private int batch;

  @Option(
      names = "--compression",
      defaultValue = "gzip",
      description = "none, gzip or zstd. Default: ${DEFAULT-VALUE}.")
  private String compression = "";

  @Option(
      names = "--attribute",
      paramLabel = "KEY=VALUE",
      description = "A resource attribute; repeatable. Default: service.name=spillway-send.")
  private Map<String, String> attributes = new LinkedHashMap<>();

  @Override
  public Integer call() throws InterruptedException {
    if (batch < 1 || count < 1 || rate < 0) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--batch and --count must be at least 1, --rate at least 0");
    }
    attributes.putIfAbsent("service.name", "spillway-send");
    try (Exporters exporters = new Exporters(new AnyDestination())) {
      Exporter exporter = exporters.create(exporterConfig());
      LoadRun run =
          new LoadRun(
              exporter, signals.list(), new Telemetry(System.nanoTime(), attributes), batch);
      LoadRun.Result result = run.send(count, rate);
      exporter.close(Duration.ofSeconds(1));
      print(result);
      return result.acknowledged() == count ? 0 : 1;
    }
  }

  private ExporterConfig exporterConfig() {
    String id = protocol.exporterType + "/send";
    String url = endpoint.isEmpty() ? protocol.endpoint : endpoint;
    Configuration configuration =
        ConfigurationLoader.parse(
            "send",
            "exporters: { %s: { endpoint: \"%s\", compression: \"%s\", tls: { insecure: %s } } }"
                .formatted(id, url, compression, !url.startsWith("https")),
            Map.of());
    Map<String, ExporterConfig> configs = ExporterConfig.readAll(configuration.root());
    ExporterConfig config = configs.get(id);
    if (!configuration.problems().isEmpty() || config == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), configuration.problems().all().toString());
    }
    return config;
  }

  private void print(LoadRun.Result result) {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "sent %d items in %.1f s: %d acknowledged, %d rejected, %d requests told to wait, %d given"
            + " up; acknowledgement p50 %.1f ms, p99 %.1f ms%n",
        count,
        result.seconds(),
        result.acknowledged(),
        result.rejected(),
        result.toldToWait(),
        result.givenUp(),
        result.latencies().millis(0.50),
        result.latencies().millis(0.99));
    if (!result.lastError().isEmpty()) {
      out.println("last trouble: " + result.lastError());
    }
    out.flush();
  }
}
