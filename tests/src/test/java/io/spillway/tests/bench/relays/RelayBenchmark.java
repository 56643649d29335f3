package io.spillway.tests.bench.relays;

import io.spillway.otlp.Codec;
import io.spillway.tests.bench.relays.Scenario.Group;
import io.spillway.tests.harness.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Puts OTLP relays of any make to the same load, as processes, and says what each span, data point
 * or log record costs them. In each scenario all relays are started and warmed up, and then
 * measured in turn for a few seconds at a time, so that what else happens on the machine meets all
 * of them; or, where the sink goes away, each relay goes through a {@link Course} by itself. If
 * Spillway loses anything, or repeats it without need, the benchmark ends with an error; what other
 * relays lose is counted.
 */
@Command(
    name = "relay-benchmark",
    description = "Compares OTLP relays on this machine. Writes relays.md, .json and .svg.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class RelayBenchmark implements Callable<Integer> {
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
      description =
          "Of ${COMPLETION-CANDIDATES}. Default: all but MATRIX, which takes hours, and OUTAGE and"
              + " RESTART, in which each round takes each relay one to three minutes.")
  private List<Group> groups = new ArrayList<>();

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      description = "Scenarios with this in their title.")
  private Pattern only = Pattern.compile("");

  @Option(
      names = "--pairs",
      description = "Rounds of measuring, or courses. Default: ${DEFAULT-VALUE}.")
  private int pairs = 5;

  @Option(names = "--seconds", description = "Of each stretch. Default: ${DEFAULT-VALUE}.")
  private int seconds = 5;

  @Option(
      names = "--warm-up",
      paramLabel = "SECONDS",
      description = "For each relay in each scenario. Default: ${DEFAULT-VALUE}.")
  private int warmUp = 25;

  @Option(
      names = "--outage",
      paramLabel = "SECONDS",
      description =
          "How long the sink is away in OUTAGE and RESTART; what is not delivered 50 s after the"
              + " last item of the backlog is given up. Default: ${DEFAULT-VALUE}.")
  private int outage = 30;

  @Option(
      names = "--limit",
      description = "Also measure Spillway's receivers alone, which count and discard.")
  private boolean limit;

  @Option(names = "--out", paramLabel = "FOLDER", description = "Default: print only.")
  private @Nullable Path out;

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
      List<Contender> able =
          contenders.stream().filter(contender -> contender.takesPart(scenario)).toList();
      System.out.println(
          scenario.group().isCourse()
              ? report.add(course(scenario, able))
              : report.add(measure(scenario, able)));
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
        groups.isEmpty() ? Stream.of(Group.values()).filter(Group::isDefault).toList() : groups;
    return chosen.stream()
        .flatMap(group -> Scenario.of(group).stream())
        .filter(scenario -> only.matcher(scenario.title()).find())
        .toList();
  }

  private Result measure(Scenario scenario, List<Contender> contenders)
      throws IOException, InterruptedException {
    Workload first = Workload.make(scenario);
    Path root = Files.createTempDirectory("relay-benchmark");
    Map<String, List<Sample>> samples = new LinkedHashMap<>();
    List<Relay> relays = new ArrayList<>();
    List<Stretches> stretches = new ArrayList<>();
    try {
      for (Contender contender : contenders) {
        Path own = Files.createDirectory(root.resolve(Integer.toString(relays.size())));
        Relay relay = Relay.start(contender, scenario, own);
        relays.add(relay);
        stretches.add(new Stretches(relay, scenario));
      }
      for (Stretches of : stretches) {
        of.warmUp(first, Duration.ofSeconds(warmUp));
      }
      Workload workload = first;
      for (int pair = 0; pair < pairs; pair++) {
        workload = workload.next();
        for (Stretches of : stretches) {
          of.measure(workload, Duration.ofSeconds(seconds));
        }
      }
      for (int i = 0; i < relays.size(); i++) {
        relays.get(i).requireBalanced();
        samples.put(relays.get(i).name(), stretches.get(i).samples());
      }
    } finally {
      stretches.forEach(Stretches::close);
      for (Relay relay : relays) {
        relay.stop();
      }
    }
    Folders.delete(root); // if all went well
    return new Result(scenario, first.bytesPerItem(), samples);
  }

  /** Each relay by itself, started anew in each round. */
  private CourseResult course(Scenario scenario, List<Contender> contenders)
      throws IOException, InterruptedException {
    Workload workload = Workload.make(scenario);
    Path root = Files.createTempDirectory("relay-benchmark");
    Map<String, List<CourseSample>> samples = new LinkedHashMap<>();
    for (int round = 0; round < pairs; round++) {
      for (Contender contender : contenders) {
        Path own = Files.createDirectory(root.resolve("course"));
        samples
            .computeIfAbsent(contender.name(), _ -> new ArrayList<>())
            .add(course(scenario, contender, workload, own));
        Folders.delete(own); // if all went well
      }
    }
    Folders.delete(root);
    return new CourseResult(scenario, outage, samples);
  }

  private CourseSample course(
      Scenario scenario, Contender contender, Workload workload, Path directory)
      throws IOException, InterruptedException {
    Relay relay = Relay.start(contender, scenario, directory);
    try {
      try (Stretches before = new Stretches(relay, scenario)) {
        before.warmUp(workload, Duration.ofSeconds(warmUp));
      }
      return new Course(relay, scenario, workload, Duration.ofSeconds(outage)).run();
    } finally {
      relay.stop();
    }
  }
}
