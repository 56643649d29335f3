package io.spillway.tests.bench.relays;

import io.spillway.otlp.Codec;
import io.spillway.relay.load.Latencies;
import io.spillway.tests.bench.Usage;
import io.spillway.tests.bench.relays.Contender.Running;
import io.spillway.tests.bench.relays.Scenario.Group;
import io.spillway.tests.harness.Folders;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Puts OTLP relays of any make to the same load, as processes, and says what each span, data point
 * or log record costs them. In each scenario all relays are started and warmed up, and then
 * measured in turn for a few seconds at a time, so that what else happens on the machine meets all
 * of them. Each such stretch ends when everything that was acknowledged has arrived at the sink,
 * each item as often as it was sent, or of relays other than Spillway at least as often; if not,
 * the benchmark ends with an error.
 */
@Command(
    name = "relay-benchmark",
    description = "Compares OTLP relays on this machine. Writes relays.md, .json and .svg.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class RelayBenchmark implements Callable<Integer> {
  private static final long DELIVERY_NANOS = TimeUnit.SECONDS.toNanos(120);
  private static final long POLL_MILLIS = 5;

  @Option(
      names = "--relay",
      paramLabel = "NAME=COMMAND",
      description =
          "Another relay, started by a shell. {grpc} and {http} become ports of 127.0.0.1 to listen"
              + " on, {sink_grpc} and {sink_http} HOST:PORT to send to, {compression} none, gzip or"
              + " zstd, {protocol} grpc or http, {directory} an empty folder. Repeatable.")
  private Map<String, String> relays = new LinkedHashMap<>();

  @Option(
      names = "--group",
      paramLabel = "GROUP",
      split = ",",
      description = "Of ${COMPLETION-CANDIDATES}. Default: all but MATRIX.")
  private List<Group> groups = new ArrayList<>();

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      description = "Scenarios with this in their title.")
  private Pattern only = Pattern.compile("");

  @Option(names = "--pairs", description = "Rounds of measuring. Default: ${DEFAULT-VALUE}.")
  private int pairs = 5;

  @Option(names = "--seconds", description = "Of each stretch. Default: ${DEFAULT-VALUE}.")
  private int seconds = 5;

  @Option(
      names = "--warm-up",
      paramLabel = "SECONDS",
      description = "For each relay in each scenario. Default: ${DEFAULT-VALUE}.")
  private int warmUp = 25;

  @Option(
      names = "--limit",
      description = "Also measure Spillway's receivers alone, which count and discard.")
  private boolean limit;

  @Option(names = "--out", paramLabel = "FOLDER", description = "Default: print only.")
  private @Nullable Path out;

  private final HttpClient http = HttpClient.newHttpClient();

  /** As in configurations: {@code none}, {@code gzip}, {@code zstd}. */
  static String name(Codec codec) {
    return codec.name().toLowerCase(Locale.ROOT);
  }

  /** Run with {@code --help} for the options. */
  public static void main(String[] arguments) {
    CommandLine line =
        new CommandLine(new RelayBenchmark()).setCaseInsensitiveEnumValuesAllowed(true);
    System.exit(line.execute(arguments));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<Contender> contenders = contenders();
    Report report = new Report(contenders.stream().map(Contender::name).toList(), seconds, pairs);
    for (Scenario scenario : scenarios()) {
      Result result = measure(scenario, contenders);
      System.out.println(report.add(result));
      if (out != null) {
        report.write(out);
      }
    }
    return 0;
  }

  private List<Contender> contenders() {
    List<Contender> contenders = new ArrayList<>();
    contenders.add(new Contender.Spillway());
    String collector = System.getenv("OTELCOL");
    if (collector != null && !collector.isBlank()) {
      contenders.add(new Contender.Collector("Collector, hardened", collector, true));
      contenders.add(new Contender.Collector("Collector, default", collector, false));
    }
    relays.forEach((name, command) -> contenders.add(new Contender.Other(name, command)));
    if (limit) {
      contenders.add(new Contender.Discarding());
    }
    return contenders;
  }

  private List<Scenario> scenarios() {
    List<Group> chosen =
        groups.isEmpty()
            ? Stream.of(Group.values()).filter(group -> group != Group.MATRIX).toList()
            : groups;
    return chosen.stream()
        .flatMap(group -> Scenario.of(group).stream())
        .filter(scenario -> only.matcher(scenario.title()).find())
        .toList();
  }

  private Result measure(Scenario scenario, List<Contender> all)
      throws IOException, InterruptedException {
    List<Contender> contenders =
        all.stream().filter(contender -> contender.takesPart(scenario)).toList();
    Workload workload =
        Workload.make(
            scenario.shape(), scenario.signal(), scenario.batch(), scenario.in(), scenario.lanes());
    Path root = Files.createTempDirectory("relay-benchmark");
    Map<String, List<Sample>> samples = new LinkedHashMap<>();
    List<Runner> runners = new ArrayList<>();
    try (ItemSink sink = new ItemSink()) {
      for (Contender contender : contenders) {
        Path own = Files.createDirectory(root.resolve(Integer.toString(runners.size())));
        runners.add(
            new Runner(
                contender, own, contender.start(scenario, sink, own), scenario, workload, sink));
        samples.put(contender.name(), new ArrayList<>());
      }
      for (Runner runner : runners) {
        var _ = runner.stretch(Duration.ofSeconds(warmUp));
      }
      for (int pair = 0; pair < pairs; pair++) {
        for (Runner runner : runners) {
          samples.get(runner.contender.name()).add(runner.stretch(Duration.ofSeconds(seconds)));
        }
      }
      for (Runner runner : runners) {
        runner.requireBalanced();
      }
    } finally {
      for (Runner runner : runners) {
        runner.stop();
      }
    }
    Folders.delete(root); // if all went well
    return new Result(scenario, workload.bytesPerItem(), samples);
  }

  /** One relay in one scenario. */
  private final class Runner {
    private final Contender contender;
    private final Path files;
    private final Running running;
    private final Scenario scenario;
    private final Workload workload;
    private final ItemSink sink;
    private final Load load;

    Runner(
        Contender contender,
        Path files,
        Running running,
        Scenario scenario,
        Workload workload,
        ItemSink sink) {
      this.contender = contender;
      this.files = files;
      this.running = running;
      this.scenario = scenario;
      this.workload = workload;
      this.sink = sink;
      this.load =
          new Load(workload, scenario.transport(), running.address(), scenario.connections());
    }

    Sample stretch(Duration duration) throws IOException, InterruptedException {
      sink.expect(workload.items());
      Usage before = Usage.of(running.process());
      Load.Sent sent = send(duration);
      if (!(contender instanceof Contender.Discarding)) {
        awaitDelivery(sent);
      }
      Usage after = Usage.of(running.process());
      return new Sample(
          sent.items(),
          sent.seconds(),
          after.cpuSecondsSince(before),
          sent.latencies().millis(0.5),
          sent.latencies().millis(0.99),
          Usage.memoryMib(running.process(), "VmRSS"),
          Usage.memoryMib(running.process(), "RssAnon"),
          Usage.memoryMib(running.process(), "VmHWM"),
          after.diskBytes() - before.diskBytes(),
          sent.refused());
    }

    private Load.Sent send(Duration duration) throws InterruptedException {
      if (scenario.rate() < 0) {
        TimeUnit.NANOSECONDS.sleep(duration.toNanos());
        List<Integer> none = Collections.nCopies(workload.requests().size(), 0);
        return new Load.Sent(none, 0, duration.toNanos() / 1e9, new Latencies(), 0);
      }
      return scenario.rate() == 0 ? load.saturate(duration) : load.pace(scenario.rate(), duration);
    }

    private void awaitDelivery(Load.Sent sent) throws InterruptedException {
      long deadline = System.nanoTime() + DELIVERY_NANOS;
      while (sink.arrived() < sent.items() && System.nanoTime() < deadline) {
        TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      }
      if (differs(sink.arrived(), sent.items()) || sink.strangers() != 0) {
        throw failure(
            "%,d items were acknowledged, %,d arrived, %,d without a number"
                .formatted(sent.items(), sink.arrived(), sink.strangers()));
      }
      for (int i = 0; i < sent.times().size(); i++) {
        Workload.Prepared request = workload.requests().get(i);
        for (int item = request.first(); item < request.first() + request.items(); item++) {
          if (differs(sink.count(item), sent.times().get(i))) {
            throw failure(
                "item %d was sent %d times and arrived %d times"
                    .formatted(item, sent.times().get(i), sink.count(item)));
          }
        }
      }
    }

    /** Some relays also deliver what they refused, and then get it once more. */
    private boolean differs(long arrived, long acknowledged) {
      return contender instanceof Contender.Spillway
          ? arrived != acknowledged
          : arrived < acknowledged;
    }

    /** Spillway's own account must say the same. */
    void requireBalanced() throws IOException, InterruptedException {
      if (!(contender instanceof Contender.Spillway)) {
        return;
      }
      HttpRequest request =
          HttpRequest.newBuilder(
                  URI.create("http://127.0.0.1:" + running.adminPort() + "/api/v1/ledger"))
              .build();
      JsonNode ledger =
          JsonMapper.shared()
              .readTree(http.send(request, HttpResponse.BodyHandlers.ofString()).body());
      long buffered = 0;
      for (JsonNode lane : ledger.required("lanes")) {
        buffered += lane.required("buffered").asLong();
      }
      if (ledger.required("unaccounted").asLong() != 0 || buffered != 0) {
        throw failure("the ledger does not balance: " + ledger);
      }
    }

    private IllegalStateException failure(String what) {
      return new IllegalStateException(
          contender.name() + ", " + scenario.title() + ": " + what + " (files: " + files + ")");
    }

    void stop() throws InterruptedException {
      load.close();
      running.process().descendants().forEach(ProcessHandle::destroy);
      running.process().destroy();
      if (!running.process().waitFor(20, TimeUnit.SECONDS)) {
        running.process().descendants().forEach(ProcessHandle::destroyForcibly);
        running.process().destroyForcibly().waitFor();
      }
    }
  }
}
