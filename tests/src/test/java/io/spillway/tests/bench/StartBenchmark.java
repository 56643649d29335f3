package io.spillway.tests.bench;

import io.spillway.tests.harness.Folders;
import io.spillway.tests.harness.FreePorts;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Program;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * How long a start by the launcher takes, from exec to the first acknowledged request (OTLP/HTTP)
 * and to 200 of {@code /readyz}: with and without an AOT cache, in turn. Both are asked for all the
 * time from the start on, each on a connection of its own.
 */
public final class StartBenchmark {
  private static final int PAIRS = 7;
  private static final Duration ASK_EVERY = Duration.ofMillis(10);
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final Path directory = Files.createTempDirectory("spillway-start-benchmark");
  private final Children children = new Children(directory);
  private final byte[] request = Items.request(Kind.TRACES, 0, 1, Map.of());

  private StartBenchmark() throws IOException {}

  /** What a start took. */
  private record Start(double acknowledgedMillis, double readyMillis, double cpuMillis) {}

  public static void main(String[] args) throws Exception {
    StartBenchmark benchmark = new StartBenchmark();
    try {
      benchmark.run();
    } finally {
      benchmark.children.close();
      Folders.delete(benchmark.directory);
    }
  }

  private void run() throws Exception {
    record();
    List<Start> without = new ArrayList<>();
    List<Start> with = new ArrayList<>();
    for (int pair = 0; pair < PAIRS; pair++) {
      without.add(start("without-" + pair, "-XX:AOTMode=off"));
      with.add(start("with-" + pair, ""));
    }
    System.out.println(Machine.describe());
    System.out.printf("%n| from exec to | median | least | most |%n|---|---|---|---|%n");
    rows("without a cache", without);
    rows("with an AOT cache", with);
  }

  /** Has the launcher record what it starts from. */
  private void record() throws IOException, InterruptedException {
    if (children.launch("record", launcher("", "rehearse")).waitFor() != 0 || !hasRecording()) {
      throw new IllegalStateException(
          "no AOT cache was made: " + Files.readString(directory.resolve("record.log")));
    }
  }

  private static boolean hasRecording() throws IOException {
    try (Stream<Path> files = Files.list(Program.dist())) {
      return files.anyMatch(file -> file.toString().endsWith(".aot") && file.toFile().length() > 0);
    }
  }

  private static void rows(String how, List<Start> starts) {
    row("the first acknowledged request, " + how, starts.stream().map(Start::acknowledgedMillis));
    row("`/readyz`, " + how, starts.stream().map(Start::readyMillis));
    row("CPU until then, " + how, starts.stream().map(Start::cpuMillis));
  }

  private static void row(String what, Stream<Double> values) {
    List<Double> sorted = values.sorted().toList();
    System.out.printf(
        Locale.ROOT,
        "| %s | %.0f ms | %.0f ms | %.0f ms |%n",
        what,
        sorted.get(sorted.size() / 2),
        sorted.getFirst(),
        sorted.getLast());
  }

  private Start start(String name, String options) throws Exception {
    List<Integer> ports = FreePorts.find(2);
    int http = ports.getFirst();
    int admin = ports.getLast();
    Path config =
        Files.writeString(
            directory.resolve(name + ".yaml"),
            """
            receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: "127.0.0.1:%d" } } } }
            buffer: { directory: "%s", min_free: 64MiB }
            exporters: { debug: {} }
            routes: [ { name: default, exporters: [debug] } ]
            admin: { endpoint: "127.0.0.1:%d" }
            """
                .formatted(http, directory.resolve("buffer-" + name), admin));
    HttpRequest export =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + http + "/v1/traces"))
            .header("Content-Type", "application/x-protobuf")
            .POST(HttpRequest.BodyPublishers.ofByteArray(request))
            .build();
    HttpRequest ready =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + admin + "/readyz")).build();
    long begin = System.nanoTime();
    Process relay = children.launch(name, launcher(options, "run", "--config", config.toString()));
    CompletableFuture<Double> acknowledged =
        CompletableFuture.supplyAsync(() -> millisUntilOk(export, begin));
    double readyMillis = millisUntilOk(ready, begin);
    double acknowledgedMillis = acknowledged.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    double cpuMillis = Children.cpu(relay).toMillis();
    relay.destroy();
    relay.waitFor(30, TimeUnit.SECONDS);
    return new Start(acknowledgedMillis, readyMillis, cpuMillis);
  }

  private static double millisUntilOk(HttpRequest asked, long begin) {
    try (HttpClient client = HttpClient.newHttpClient()) {
      while (System.nanoTime() - begin < LIMIT.toNanos()) {
        if (isOk(client, asked)) {
          return (System.nanoTime() - begin) / 1e6;
        }
        TimeUnit.NANOSECONDS.sleep(ASK_EVERY.toNanos());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new IllegalStateException("no answer from " + asked.uri());
  }

  private static boolean isOk(HttpClient client, HttpRequest asked) throws InterruptedException {
    try {
      return client.send(asked, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      return false; // it does not listen yet
    }
  }

  /** The launcher of the distribution, with more JVM options, on this JVM. */
  private static List<String> launcher(String options, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "env",
                "JAVA_HOME=" + System.getProperty("java.home"),
                "SPILLWAY_JAVA_OPTS=" + options,
                "sh",
                Program.dist().resolve("bin/spillway").toString()));
    command.addAll(List.of(arguments));
    return command;
  }
}
