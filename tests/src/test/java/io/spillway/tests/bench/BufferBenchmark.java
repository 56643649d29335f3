package io.spillway.tests.bench;

import com.sun.net.httpserver.HttpServer;
import io.spillway.buffer.Buffer;
import io.spillway.buffer.BufferConfig;
import io.spillway.buffer.BufferConfig.Durability;
import io.spillway.buffer.BufferConfig.WhenFull;
import io.spillway.buffer.LaneSettings;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.tests.harness.Folders;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Program;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the buffer costs: appending against a plain file, the first delivery after a start with a
 * small and a large backlog, memory over the same range, each lane, and the disk that an hour of
 * outage takes. Needs some 25 GiB of disk below the temporary directory.
 */
public final class BufferBenchmark {
  private static final int APPEND_PAIRS = 5;
  private static final int APPEND_BYTES = 1 << 30;
  private static final int BLOCK_BYTES = 1 << 20;
  private static final int OUTSTANDING = 32;
  private static final List<Long> BACKLOGS = List.of(1L << 20, 1L << 30, 10L << 30);
  private static final int START_ROUNDS = 3;
  private static final Duration DRAIN_FOR = Duration.ofSeconds(5);
  private static final int OUTAGE_RATE = 1_000;
  private static final int OUTAGE_SPANS = 30_000;
  private static final int OUTAGE_BATCH = 512;
  private static final long GIB = 1L << 30;
  private static final LaneId LANE = new LaneId("default", Signal.TRACES);

  private final Path directory = Files.createTempDirectory("spillway-buffer-benchmark");
  private final Children children = new Children(directory);
  private final AtomicReference<CountDownLatch> firstRequest =
      new AtomicReference<>(new CountDownLatch(1));

  private BufferBenchmark() throws IOException {}

  /**
   * @param args {@code lanes N} to be the process whose lanes are measured; else none
   */
  public static void main(String[] args) throws Exception {
    if (args.length == 3 && args[0].equals("lanes")) {
      holdLanes(Integer.parseInt(args[1]), Path.of(args[2]));
      return;
    }
    BufferBenchmark benchmark = new BufferBenchmark();
    try {
      System.out.println(Machine.describe());
      benchmark.append();
      benchmark.start();
      benchmark.lanes();
      benchmark.outage();
    } finally {
      benchmark.children.close();
      Folders.delete(benchmark.directory);
    }
  }

  // ---- appending

  private void append() throws Exception {
    byte[] block = new byte[BLOCK_BYTES];
    new Random(1).nextBytes(block);
    List<Double> ratios = new ArrayList<>();
    List<Double> lane = new ArrayList<>();
    List<Double> file = new ArrayList<>();
    for (int i = 0; i < APPEND_PAIRS; i++) {
      double toLane = appendToLane(block);
      double toFile = writeFile(block);
      lane.add(toLane);
      file.add(toFile);
      ratios.add(toLane / toFile);
    }
    System.out.printf(
        Locale.ROOT,
        "%n| append of %d MiB in blocks of 1 MiB | median | least | most |%n|---|---|---|---|%n",
        APPEND_BYTES >> 20);
    row("lane, MB/s", lane);
    row("plain sequential file, MB/s", file);
    row("lane / file, of pairs", ratios);
  }

  private static void row(String what, List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    System.out.printf(
        Locale.ROOT,
        "| %s | %.2f | %.2f | %.2f |%n",
        what,
        sorted.get(sorted.size() / 2),
        sorted.getFirst(),
        sorted.getLast());
  }

  private double appendToLane(byte[] block) throws Exception {
    Path at = directory.resolve("append");
    double rate;
    try (Buffer buffer = open(at)) {
      Lane lane = buffer.lane(LANE, Codec.NONE);
      long start = System.nanoTime();
      fill(lane, block, 1, APPEND_BYTES / BLOCK_BYTES);
      rate = megabytesPerSecond(APPEND_BYTES, start);
    }
    Folders.delete(at);
    return rate;
  }

  private double writeFile(byte[] block) throws IOException {
    Path at = directory.resolve("plain");
    long start = System.nanoTime();
    try (FileChannel channel =
        FileChannel.open(at, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (int i = 0; i < APPEND_BYTES / BLOCK_BYTES; i++) {
        ByteBuffer bytes = ByteBuffer.wrap(block);
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
      }
    }
    double rate = megabytesPerSecond(APPEND_BYTES, start);
    Files.delete(at);
    return rate;
  }

  private static double megabytesPerSecond(long bytes, long startNanos) {
    return bytes / 1e6 / ((System.nanoTime() - startNanos) / 1e9);
  }

  private static void fill(Lane lane, byte[] request, int items, long times)
      throws InterruptedException {
    Semaphore outstanding = new Semaphore(OUTSTANDING);
    AtomicReference<String> refused = new AtomicReference<>();
    for (long i = 0; i < times; i++) {
      outstanding.acquire();
      lane.append(
          Slice.of(request),
          items,
          0,
          new Lane.AppendCallback() {
            @Override
            public void appended() {
              outstanding.release();
            }

            @Override
            public void refused(Lane.Refusal refusal) {
              refused.set(refusal.reason());
              outstanding.release();
            }
          });
    }
    outstanding.acquire(OUTSTANDING);
    if (refused.get() != null) {
      throw new IllegalStateException("an append was refused: " + refused.get());
    }
  }

  private static Buffer open(Path at) throws IOException {
    return open(at, InstantSource.system());
  }

  private static Buffer open(Path at, InstantSource clock) throws IOException {
    return Buffer.open(
        new BufferConfig(
            at,
            64 * GIB,
            0,
            64 << 20,
            new LaneSettings(
                64 * GIB, Duration.ofDays(3), WhenFull.REFUSE, Durability.PROCESS, Duration.ZERO)),
        clock);
  }

  // ---- starting

  private void start() throws Exception {
    HttpServer sink = sink();
    System.out.printf(
        Locale.ROOT,
        "%n| backlog | exec to first block at the sink: median | least | most | RSS then |"
            + " RSS after %d s of draining | of it anonymous |%n|---|---|---|---|---|---|---|%n",
        DRAIN_FOR.toSeconds());
    byte[] request = incompressibleRequest();
    List<Backlog> backlogs = new ArrayList<>();
    for (long bytes : BACKLOGS) {
      Path at = directory.resolve("backlog-" + (bytes >> 20));
      fillBacklog(at, bytes);
      backlogs.add(new Backlog(at, bytes));
    }
    for (int round = 0; round < START_ROUNDS; round++) {
      for (Backlog backlog : backlogs) {
        refill(backlog.at(), request);
        startOnce(sink, backlog);
      }
    }
    for (Backlog backlog : backlogs) {
      List<Double> sorted = backlog.seconds().stream().sorted().toList();
      System.out.printf(
          Locale.ROOT,
          "| %,d MiB | %.2f s | %.2f s | %.2f s | %d MiB | %d MiB | %d MiB |%n",
          backlog.bytes() >> 20,
          sorted.get(sorted.size() / 2),
          sorted.getFirst(),
          sorted.getLast(),
          median(backlog.rssAtFirst()),
          median(backlog.rssLater()),
          median(backlog.anonymousLater()));
      Folders.delete(backlog.at());
    }
    sink.stop(0);
  }

  /** Makes a buffer whose lane of traces of the default route holds so much, an hour old. */
  static void fillBacklog(Path at, long bytes) throws IOException, InterruptedException {
    byte[] request = incompressibleRequest();
    InstantSource anHourAgo = InstantSource.offset(InstantSource.system(), Duration.ofHours(-1));
    try (Buffer buffer = open(at, anHourAgo)) {
      fill(buffer.lane(LANE, Codec.NONE), request, 1, Math.max(1, bytes / request.length));
    }
  }

  /** A buffer with so much in it, and what starts on it took: seconds, then MiB. */
  private record Backlog(
      Path at,
      long bytes,
      List<Double> seconds,
      List<Long> rssAtFirst,
      List<Long> rssLater,
      List<Long> anonymousLater) {
    Backlog(Path at, long bytes) {
      this(at, bytes, new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    }
  }

  /** The smallest backlog is drained by each start. */
  private static void refill(Path at, byte[] request) throws Exception {
    try (Buffer buffer = open(at)) {
      Lane lane = buffer.lane(LANE, Codec.NONE);
      if (lane.status().blocks() == 0) {
        fill(lane, request, 1, 1);
      }
    }
  }

  private static long median(List<Long> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }

  private void startOnce(HttpServer sink, Backlog backlog) throws Exception {
    String name = "start-" + System.nanoTime();
    Path config =
        Files.writeString(
            directory.resolve(name + ".yaml"),
            config(backlog.at(), "http://127.0.0.1:" + sink.getAddress().getPort(), "none"));
    CountDownLatch arrived = new CountDownLatch(1);
    firstRequest.set(arrived);
    long start = System.nanoTime();
    Process relay = children.start(name, "run", "--config", config.toString());
    if (!arrived.await(1, TimeUnit.MINUTES)) {
      throw new IllegalStateException("nothing was delivered within a minute");
    }
    backlog.seconds().add((System.nanoTime() - start) / 1e9);
    backlog.rssAtFirst().add((long) Usage.memoryMib(relay, "VmRSS"));
    boolean ended = relay.waitFor(DRAIN_FOR.toMillis(), TimeUnit.MILLISECONDS);
    if (ended) {
      throw new IllegalStateException("the relay ended by itself");
    }
    backlog.rssLater().add((long) Usage.memoryMib(relay, "VmRSS"));
    backlog.anonymousLater().add((long) Usage.memoryMib(relay, "RssAnon"));
    relay.destroy();
    relay.waitFor(30, TimeUnit.SECONDS);
  }

  /** Answers everything at once and keeps nothing. */
  private HttpServer sink() throws IOException {
    HttpServer sink =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
    sink.setExecutor(Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory()));
    sink.createContext(
        "/",
        exchange -> {
          try (exchange;
              InputStream body = exchange.getRequestBody()) {
            firstRequest.get().countDown();
            body.transferTo(OutputStream.nullOutputStream());
            exchange.sendResponseHeaders(200, -1);
          }
        });
    sink.start();
    return sink;
  }

  /** One span of almost a block that does not compress. */
  private static byte[] incompressibleRequest() {
    StringBuilder text = new StringBuilder();
    new Random(1).ints(BLOCK_BYTES - 4096L, ' ', '~').forEach(c -> text.append((char) c));
    return Items.request(Kind.TRACES, 1, 1, Map.of(SocketSink.NOISE, text.toString()));
  }

  private static String config(Path buffer, String sink, String codec) {
    return """
    receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } }
    buffer: { directory: "%s", max_bytes: 64GiB, min_free: 64MiB }
    exporters:
      otlp_http/sink: { endpoint: "%s", compression: %s }
    routes:
      - { name: default, exporters: [otlp_http/sink] }
    admin: { endpoint: "127.0.0.1:0" }
    """
        .formatted(buffer, sink, codec);
  }

  // ---- lanes

  private void lanes() throws Exception {
    System.out.println();
    System.out.println("| lanes, one block each | disk | mappings | threads | RSS | RSS a lane |");
    System.out.println("|---|---|---|---|---|---|");
    long rssOfOne = 0;
    for (int lanes : List.of(1, 10, 100)) {
      String name = "lanes-" + lanes;
      Path at = directory.resolve(name);
      List<String> command = new ArrayList<>(Program.command(List.of()));
      int jars = command.indexOf("-cp") + 1;
      command.set(jars, System.getProperty("java.class.path"));
      command.removeLast();
      command.addAll(
          List.of(
              BufferBenchmark.class.getName(), "lanes", Integer.toString(lanes), at.toString()));
      Process process = children.launch(name, command);
      Matcher ready = children.await(name, Pattern.compile("open (\\d+)"), process);
      long rss = (long) Usage.memoryMib(process, "VmRSS");
      rssOfOne = lanes == 1 ? rss : rssOfOne;
      System.out.printf(
          Locale.ROOT,
          "| %s | %.1f MiB | %d | %s | %d MiB | %.2f MiB |%n",
          ready.group(1),
          diskBytes(at) / 1048576.0,
          mappings(process, at),
          threads(process),
          rss,
          lanes == 1 ? rss : (rss - rssOfOne) / (lanes - 1.0));
      process.destroyForcibly().waitFor();
      Folders.delete(at);
    }
  }

  /** Opens lanes, stores a block in each, says so and waits to be killed. */
  private static void holdLanes(int count, Path at) throws Exception {
    try (Buffer buffer = open(at)) {
      byte[] request = new byte[64 << 10];
      for (int i = 0; i < count; i++) {
        fill(buffer.lane(new LaneId("route-" + i, Signal.TRACES), Codec.GZIP), request, 1, 1);
      }
      System.out.println("open " + count);
      new CountDownLatch(1).await();
    }
  }

  private static long mappings(Process process, Path at) throws IOException {
    try (Stream<String> lines =
        Files.lines(Path.of("/proc", Long.toString(process.pid()), "maps"))) {
      return lines.filter(line -> line.contains(at.toString())).count();
    }
  }

  private static long threads(Process process) throws IOException {
    try (Stream<Path> tasks = Files.list(Path.of("/proc", Long.toString(process.pid()), "task"))) {
      return tasks.count();
    }
  }

  private static long diskBytes(Path at) throws IOException, InterruptedException {
    Process du = new ProcessBuilder("du", "-s", "--block-size=1", at.toString()).start();
    String out =
        new String(du.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    du.waitFor();
    return Long.parseLong(out.substring(0, out.indexOf('\t')));
  }

  // ---- outages

  private void outage() throws Exception {
    System.out.printf(
        Locale.ROOT,
        "%n| %d spans/s, %d a request, sink down | stored bytes a span |"
            + " hours of outage per GiB of disk | against none |%n|---|---|---|---|%n",
        OUTAGE_RATE,
        OUTAGE_BATCH);
    double plain = 0;
    for (String codec : List.of("none", "gzip", "zstd")) {
      JsonNode lane = afterOutage(codec);
      double stored = lane.path("bytes").asDouble() / OUTAGE_SPANS;
      plain = plain == 0 ? stored : plain;
      System.out.printf(
          Locale.ROOT,
          "| %s | %.1f | %.1f | %.1f× |%n",
          codec,
          stored,
          GIB / (stored * OUTAGE_RATE * 3600),
          plain / stored);
    }
  }

  private JsonNode afterOutage(String codec) throws Exception {
    Path config =
        Files.writeString(
            directory.resolve("outage-" + codec + ".yaml"),
            config(directory.resolve("outage-" + codec), "http://127.0.0.1:1", codec));
    String name = "outage-" + codec;
    Process relay = children.start(name, "run", "--config", config.toString());
    Matcher ready =
        children.await(name, Pattern.compile("ready: grpc=(\\S+) http=\\S+ admin=(\\S+)"), relay);
    Program.Result sent =
        Program.run(
            directory,
            Map.of(),
            "send",
            "--endpoint",
            "http://" + ready.group(1),
            "--signal",
            "traces",
            "--count",
            Integer.toString(OUTAGE_SPANS),
            "--rate",
            Integer.toString(OUTAGE_RATE),
            "--batch",
            Integer.toString(OUTAGE_BATCH));
    if (sent.exitCode() != 0) {
      throw new IllegalStateException("the load generator failed: " + sent.out() + sent.err());
    }
    JsonNode lane = status(ready.group(2));
    if (lane.path("items").asLong() != OUTAGE_SPANS) {
      throw new IllegalStateException("not everything is stored: " + lane);
    }
    relay.destroy();
    relay.waitFor(30, TimeUnit.SECONDS);
    return lane;
  }

  private static JsonNode status(String admin) throws IOException, InterruptedException {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://" + admin + "/api/v1/status")).build();
      JsonNode status =
          JsonMapper.shared()
              .readTree(http.send(request, HttpResponse.BodyHandlers.ofString()).body());
      for (JsonNode lane : status.path("lanes")) {
        if (lane.path("signal").asString().equals("traces")) {
          return lane;
        }
      }
      throw new IllegalStateException("no lane of traces in " + status);
    }
  }
}
