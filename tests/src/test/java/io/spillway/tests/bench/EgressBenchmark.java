package io.spillway.tests.bench;

import io.spillway.tests.harness.Folders;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What one lane's trouble costs the others: live latency of a route while the sink of another one
 * hangs, and while 4 GiB of its own backlog drain; and how fast they do, against reading the same
 * files. Needs some 5 GiB of disk below the temporary directory. Every run ends with the ledger.
 */
public final class EgressBenchmark {
  private static final int PAIRS = 5;
  private static final int LIVE_RATE = 100;
  private static final Duration PHASE = Duration.ofSeconds(8);
  private static final Duration WARM_UP = Duration.ofSeconds(12);
  private static final long BACKLOG_BYTES = 4L << 30;
  private static final int SPANS = 20;
  private static final int MAX_ITEMS = 4_000_000;
  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final Pattern READY = Pattern.compile("ready: .*http=(\\S+) admin=(\\S+)");

  private final Path directory = Files.createTempDirectory("spillway-egress-benchmark");
  private final Children children = new Children(directory);
  private final HttpClient http = HttpClient.newHttpClient();
  private final JsonMapper json = JsonMapper.shared();

  /** By the first item of each request: when it was due, and how long its stages took. */
  private final AtomicLongArray dueNanos = new AtomicLongArray(MAX_ITEMS);

  private final AtomicLongArray ackNanos = new AtomicLongArray(MAX_ITEMS);
  private final AtomicLongArray arrivalNanos = new AtomicLongArray(MAX_ITEMS);
  private int nextItem;

  private EgressBenchmark() throws IOException {}

  /**
   * @param args {@code isolation}, {@code drain}, or nothing for both
   */
  public static void main(String[] args) throws Exception {
    List<String> parts = args.length == 0 ? List.of("isolation", "drain") : List.of(args);
    EgressBenchmark benchmark = new EgressBenchmark();
    try {
      System.out.println(Machine.describe());
      if (parts.contains("isolation")) {
        benchmark.isolation();
      }
      if (parts.contains("drain")) {
        benchmark.drain();
      }
    } finally {
      benchmark.children.close();
      benchmark.http.close();
      Folders.delete(benchmark.directory);
    }
  }

  // ---- isolation

  private void isolation() throws Exception {
    try (SocketSink live = new SocketSink(this::arrived);
        SocketSink other = new SocketSink(item -> {})) {
      String config =
          """
          receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } } }
          buffer: { directory: "%s", min_free: 64MiB }
          exporters:
            otlp_http/live: { endpoint: "%s", compression: none }
            otlp_http/other: { endpoint: "%s", compression: none }
          routes:
            - { name: other, match: { resource: { service.name: other } }, exporters: [otlp_http/other] }
            - { name: live, exporters: [otlp_http/live] }
          admin: { endpoint: "127.0.0.1:0" }
          """
              .formatted(directory.resolve("isolation"), live.url(), other.url());
      Running relay = start("isolation", config);
      List<Latencies> calm = new ArrayList<>();
      List<Latencies> hanging = new ArrayList<>();
      load(relay, WARM_UP, true);
      for (int i = 0; i < PAIRS; i++) {
        calm.add(load(relay, PHASE, true));
        other.hang(true);
        hanging.add(load(relay, PHASE, true));
        other.hang(false);
        awaitEmpty(relay, "other");
      }
      System.out.printf(
          Locale.ROOT,
          "%n| %d requests/s of %d spans to each of two routes, HTTP, no compression | ack p50 |"
              + " ack p99 | accepted to sink p50 | p99 |%n|---|---|---|---|---|%n",
          LIVE_RATE,
          SPANS);
      print("both sinks answer", calm);
      print("the other route's sink hangs", hanging);
      printRatio("p99, hanging / answering, of pairs", calm, hanging);
      end(relay);
    }
  }

  // ---- draining

  private void drain() throws Exception {
    Path buffer = directory.resolve("drain");
    BufferBenchmark.fillBacklog(buffer, BACKLOG_BYTES);
    try (SocketSink sink = new SocketSink(this::arrived)) {
      boolean cold = dropCaches();
      double reading = readFiles(buffer);
      cold &= dropCaches();
      Running relay =
          start(
              "drain",
              """
              receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } } }
              buffer: { directory: "%s", max_bytes: 64GiB, min_free: 64MiB }
              exporters:
                otlp_http/sink: { endpoint: "%s", compression: none }
              routes:
                - { name: default, exporters: [otlp_http/sink] }
              admin: { endpoint: "127.0.0.1:0" }
              """
                  .formatted(buffer, sink.url()));
      long start = System.nanoTime();
      long before = sink.bodyBytes();
      Latencies beside = load(relay, PHASE, false);
      while (sink.bodyBytes() < BACKLOG_BYTES * 99 / 100) {
        LockSupport.parkNanos(1_000_000);
        requireInTime(start);
      }
      double draining = (sink.bodyBytes() - before) / 1e6 / ((System.nanoTime() - start) / 1e9);
      Duration cpu = relay.process.info().totalCpuDuration().orElseThrow();
      awaitEmpty(relay, "default");
      Latencies alone = load(relay, PHASE, false);
      System.out.printf(
          Locale.ROOT,
          "%n| a backlog of %d MiB, %s | MB/s |%n|---|---|%n"
              + "| sequential read of its files | %.0f |%n"
              + "| drained to a sink on the same two cores, from the relay's start on | %.0f |%n"
              + "| drained / read | %.2f |%n"
              + "%nThe relay's CPU until then, its start included: %.1f s.%n",
          BACKLOG_BYTES >> 20,
          cold ? "not in the page cache" : "in the page cache",
          reading,
          draining,
          draining / reading,
          cpu.toMillis() / 1e3);
      System.out.printf(
          Locale.ROOT,
          "%n| %d requests/s of %d spans into the same lane | ack p50 | ack p99 | accepted to sink"
              + " p50 | p99 |%n|---|---|---|---|---|%n",
          LIVE_RATE,
          SPANS);
      print("while the backlog drains", List.of(beside));
      print("after it", List.of(alone));
      end(relay);
    }
  }

  private static double readFiles(Path buffer) throws IOException {
    byte[] chunk = new byte[1 << 20];
    long bytes = 0;
    long start = System.nanoTime();
    try (Stream<Path> files = Files.walk(buffer)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        try (InputStream in = Files.newInputStream(file)) {
          for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
            bytes += read;
          }
        }
      }
    }
    return bytes / 1e6 / ((System.nanoTime() - start) / 1e9);
  }

  /** As root only; says whether it worked. */
  private static boolean dropCaches() throws IOException, InterruptedException {
    new ProcessBuilder("sync").start().waitFor();
    Path drop = Path.of("/proc/sys/vm/drop_caches");
    if (!Files.isWritable(drop)) {
      return false;
    }
    Files.writeString(drop, "1");
    return true;
  }

  // ---- load

  /** Sends an open loop and waits until all of it was acknowledged and arrived. */
  private Latencies load(Running relay, Duration time, boolean otherToo) throws Exception {
    int first = nextItem;
    int requests = (int) (LIVE_RATE * time.toSeconds());
    long start = System.nanoTime();
    for (int i = 0; i < requests; i++) {
      long due = start + i * (TimeUnit.SECONDS.toNanos(1) / LIVE_RATE);
      while (System.nanoTime() < due) {
        LockSupport.parkNanos(due - System.nanoTime());
      }
      int item = nextItem;
      nextItem += SPANS;
      dueNanos.set(item, due);
      send(relay, item, "live");
      if (otherToo) {
        send(relay, item, "other");
      }
    }
    long[] acks = new long[requests];
    long[] arrivals = new long[requests];
    for (int i = 0; i < requests; i++) {
      int item = first + i * SPANS;
      acks[i] = await(ackNanos, item, start) - dueNanos.get(item);
      arrivals[i] = await(arrivalNanos, item, start) - dueNanos.get(item);
    }
    return new Latencies(acks, arrivals);
  }

  private void send(Running relay, int item, String service) {
    byte[] body = Items.request(Kind.TRACES, item, SPANS, Map.of("service.name", service));
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(relay.http + "/v1/traces"))
            .header("Content-Type", "application/x-protobuf")
            .POST(BodyPublishers.ofByteArray(body))
            .build();
    var _ =
        http.sendAsync(request, BodyHandlers.discarding())
            .thenAccept(
                response -> {
                  if (response.statusCode() == 200 && service.equals("live")) {
                    ackNanos.set(item, System.nanoTime());
                  }
                });
  }

  private void arrived(long item) {
    arrivalNanos.compareAndSet((int) item, 0, System.nanoTime());
  }

  private static long await(AtomicLongArray nanos, int item, long start) {
    while (nanos.get(item) == 0) {
      LockSupport.parkNanos(1_000_000);
      requireInTime(start);
    }
    return nanos.get(item);
  }

  private static void requireInTime(long start) {
    if (System.nanoTime() - start > LIMIT.toNanos()) {
      throw new IllegalStateException("not done within " + LIMIT);
    }
  }

  /** How long the requests of a phase took, counted from when they were due. */
  private static final class Latencies {
    private final long[] acks;
    private final long[] arrivals;

    Latencies(long[] acks, long[] arrivals) {
      this.acks = acks;
      this.arrivals = arrivals;
      Arrays.sort(acks);
      Arrays.sort(arrivals);
    }

    double ackMillis(double quantile) {
      return millis(acks, quantile);
    }

    double arrivalMillis(double quantile) {
      return millis(arrivals, quantile);
    }

    private static double millis(long[] sorted, double quantile) {
      return sorted[(int) Math.ceil(sorted.length * quantile) - 1] / 1e6;
    }
  }

  private static void print(String what, List<Latencies> phases) {
    System.out.printf(
        Locale.ROOT,
        "| %s | %.1f ms | %.1f ms | %.1f ms | %.1f ms |%n",
        what,
        median(phases.stream().map(p -> p.ackMillis(0.5)).toList()),
        median(phases.stream().map(p -> p.ackMillis(0.99)).toList()),
        median(phases.stream().map(p -> p.arrivalMillis(0.5)).toList()),
        median(phases.stream().map(p -> p.arrivalMillis(0.99)).toList()));
  }

  private static void printRatio(String what, List<Latencies> calm, List<Latencies> hanging) {
    List<Double> acks = new ArrayList<>();
    List<Double> arrivals = new ArrayList<>();
    for (int i = 0; i < calm.size(); i++) {
      acks.add(hanging.get(i).ackMillis(0.99) / calm.get(i).ackMillis(0.99));
      arrivals.add(hanging.get(i).arrivalMillis(0.99) / calm.get(i).arrivalMillis(0.99));
    }
    System.out.printf(Locale.ROOT, "| %s | | %s | | %s |%n", what, spread(acks), spread(arrivals));
  }

  private static String spread(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    return String.format(
        Locale.ROOT, "%.2f (%.2f … %.2f)", median(values), sorted.getFirst(), sorted.getLast());
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }

  // ---- the relay

  private record Running(Process process, String http, String admin) {}

  private Running start(String name, String config) throws Exception {
    Path file = Files.writeString(directory.resolve(name + ".yaml"), config);
    Process process = children.start(name, "run", "--config", file.toString());
    Matcher ready = children.await(name, READY, process);
    return new Running(process, "http://" + ready.group(1), "http://" + ready.group(2));
  }

  private void awaitEmpty(Running relay, String route) throws Exception {
    long start = System.nanoTime();
    while (lane(relay, route).path("buffered").asLong() > 0) {
      LockSupport.parkNanos(20_000_000);
      requireInTime(start);
    }
  }

  private JsonNode lane(Running relay, String route) throws Exception {
    for (JsonNode lane : ledger(relay).path("lanes")) {
      if (lane.path("route").asString().equals(route)
          && lane.path("signal").asString().equals("traces")) {
        return lane;
      }
    }
    throw new IllegalStateException("no lane " + route + "/traces");
  }

  private JsonNode ledger(Running relay) throws Exception {
    HttpResponse<String> response =
        http.send(
            HttpRequest.newBuilder(URI.create(relay.admin + "/api/v1/ledger")).build(),
            BodyHandlers.ofString());
    return json.readTree(response.body());
  }

  private void end(Running relay) throws Exception {
    JsonNode ledger = ledger(relay);
    if (ledger.path("unaccounted").asLong(-1) != 0) {
      throw new IllegalStateException("unaccounted: " + ledger);
    }
    for (JsonNode lane : ledger.path("lanes")) {
      lane.path("dropped")
          .forEach(
              count -> {
                if (count.asLong() != 0) {
                  throw new IllegalStateException("dropped: " + ledger);
                }
              });
    }
    relay.process.destroy();
    relay.process.waitFor(30, TimeUnit.SECONDS);
  }
}
