package io.spillway.tests.bench;

import io.spillway.tests.harness.Program;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Load generator, relay and sink as three processes on one machine: spans a second and per CPU
 * second of the relay, acknowledgement latency and memory, at saturation and at a fixed rate,
 * compressed the same way in and out. Every run ends with the ledger: a run that lost or cannot
 * account for something ends the benchmark with an error.
 */
public final class Benchmark {

  private static final int BATCH = 512;
  private static final int WARM_UP_SPANS = 300_000;
  private static final int SATURATION_SPANS = 1_500_000;
  private static final int FIXED_RATE = 10_000;
  private static final int FIXED_SPANS = 150_000;
  private static final Duration DRAIN_LIMIT = Duration.ofMinutes(2);
  private static final Pattern SENT =
      Pattern.compile(
          "sent (\\d+) items in ([0-9.]+) s: (\\d+) acknowledged.*p50 ([0-9.]+) ms, p99 ([0-9.]+)"
              + " ms");

  private final Path directory = Files.createTempDirectory("spillway-benchmark");
  private final Children children = new Children(directory);
  private final HttpClient http = HttpClient.newHttpClient();

  private Benchmark() throws IOException {}

  public static void main(String[] args) throws Exception {
    Benchmark benchmark = new Benchmark();
    try {
      benchmark.run();
    } finally {
      benchmark.children.close();
      benchmark.http.close();
    }
  }

  private void run() throws IOException, InterruptedException {
    System.out.printf(
        "%s; spans of about 430 bytes, %d a request, gRPC in and out, durability process%n",
        Children.machine(), BATCH);
    System.out.println();
    System.out.println(
        "| codec | load | spans/s | spans per CPU s of the relay | ack p50 | ack p99 | RSS after |"
            + " RSS peak |");
    System.out.println("|---|---|---|---|---|---|---|---|");
    for (String codec : List.of("none", "gzip", "zstd")) {
      measure(codec);
    }
  }

  private void measure(String codec) throws IOException, InterruptedException {
    Process sink = children.start("sink-" + codec, "capture", "--grpc", "127.0.0.1:0");
    String sinkAddress =
        children.await("sink-" + codec, Pattern.compile("grpc=\\S*?([0-9.]+:\\d+)"), sink).group(1);
    Path config = Files.writeString(directory.resolve(codec + ".yaml"), config(codec, sinkAddress));
    Process relay = children.start("relay-" + codec, "run", "--config", config.toString());
    Matcher ready =
        children.await(
            "relay-" + codec, Pattern.compile("ready: grpc=(\\S+) http=\\S+ admin=(\\S+)"), relay);
    send(codec, ready.group(1), WARM_UP_SPANS, 0);
    drain(ready.group(2), WARM_UP_SPANS);
    row(codec, "saturation", relay, ready, SATURATION_SPANS, 0, WARM_UP_SPANS + SATURATION_SPANS);
    row(
        codec,
        "10 k spans/s",
        relay,
        ready,
        FIXED_SPANS,
        FIXED_RATE,
        WARM_UP_SPANS + SATURATION_SPANS + FIXED_SPANS);
    for (Process process : List.of(relay, sink)) {
      process.destroy();
      process.waitFor(30, TimeUnit.SECONDS);
    }
  }

  private void row(
      String codec, String load, Process relay, Matcher ready, int spans, int rate, long soFar)
      throws IOException, InterruptedException {
    Duration before = Children.cpu(relay);
    Matcher sent = send(codec, ready.group(1), spans, rate);
    drain(ready.group(2), soFar);
    double cpuSeconds = Children.cpu(relay).minus(before).toMillis() / 1000.0;
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %,.0f | %,.0f | %s ms | %s ms | %d MiB | %d MiB |%n",
        codec,
        load,
        spans / Double.parseDouble(sent.group(2)),
        spans / cpuSeconds,
        sent.group(4),
        sent.group(5),
        Children.memoryMib(relay, "VmRSS"),
        Children.memoryMib(relay, "VmHWM"));
  }

  /** Runs the load generator to its end; everything must have been acknowledged. */
  private Matcher send(String codec, String grpc, int spans, int rate) {
    Program.Result result =
        Program.run(
            directory,
            Map.of(),
            "send",
            "--endpoint",
            "http://" + grpc,
            "--signal",
            "traces",
            "--count",
            Integer.toString(spans),
            "--rate",
            Integer.toString(rate),
            "--batch",
            Integer.toString(BATCH),
            "--compression",
            codec);
    Matcher sent = SENT.matcher(result.out());
    if (result.exitCode() != 0 || !sent.find()) {
      throw new IllegalStateException("the load generator failed: " + result.out() + result.err());
    }
    return sent;
  }

  /** Waits until all is delivered; the ledger must balance. */
  private void drain(String admin, long spans) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + DRAIN_LIMIT.toNanos();
    JsonNode ledger = ledger(admin);
    while (delivered(ledger) < spans && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(20);
      ledger = ledger(admin);
    }
    if (delivered(ledger) != spans || ledger.path("unaccounted").asLong(-1) != 0) {
      throw new IllegalStateException("the ledger does not balance: " + ledger);
    }
  }

  private static long delivered(JsonNode ledger) {
    long delivered = 0;
    for (JsonNode lane : ledger.path("lanes")) {
      delivered += lane.path("delivered").path("otlp_grpc/sink").asLong(0);
    }
    return delivered;
  }

  private JsonNode ledger(String admin) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://" + admin + "/api/v1/ledger")).build();
    return JsonMapper.shared()
        .readTree(http.send(request, HttpResponse.BodyHandlers.ofString()).body());
  }

  private String config(String codec, String sink) {
    return """
    receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } }
    buffer: { directory: "%s", min_free: 64MiB }
    exporters:
      otlp_grpc/sink: { endpoint: "http://%s", compression: %s }
    routes:
      - { name: default, exporters: [otlp_grpc/sink] }
    admin: { endpoint: "127.0.0.1:0" }
    """
        .formatted(directory.resolve("buffer-" + codec), sink, codec);
  }
}
