package io.spillway.relay.demo;

import io.spillway.relay.demo.Children.Child;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The play: an application, a relay and two sinks, an outage of one and then of both, and the count
 * at the end.
 *
 * <p>What arrived is counted by the sinks themselves, item by item, and held against what the SDK
 * was told was accepted and against the relay's ledger.
 */
final class Demo implements AutoCloseable {

  private static final int PRIMARY_STOPS = 8;
  private static final int SECONDARY_STOPS = 20;
  private static final int PRIMARY_RETURNS = 28;
  private static final int SECONDARY_RETURNS = 33;
  private static final int TRAFFIC_ENDS = 42;
  private static final int DRAIN_LIMIT_SECONDS = 25;
  private static final long FRAME_MILLIS = 500;
  private static final Pattern SINK_READY = Pattern.compile("^capture: ");
  private static final Pattern RELAY_READY =
      Pattern.compile("ready: grpc=(\\S+) http=(\\S+) admin=(\\S+)");

  private final DemoScreen screen;
  private final Path directory = Files.createTempDirectory("spillway-demo");
  private final Children children;
  private final HttpClient http = HttpClient.newHttpClient();
  private final JsonMapper json = JsonMapper.shared();
  private final int primaryPort;
  private final int secondaryPort;
  private @Nullable Child primary;
  private @Nullable Child secondary;

  Demo(DemoScreen screen, String mainClass) throws IOException {
    this.screen = screen;
    this.children = new Children(mainClass, directory);
    // Both are held until both are known, so that they differ; the sinks need them again after a
    // restart.
    try (ServerSocket one = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ServerSocket two = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      primaryPort = one.getLocalPort();
      secondaryPort = two.getLocalPort();
    }
  }

  /** Plays it; whether everything that was acknowledged arrived and is accounted for. */
  boolean run() throws IOException, InterruptedException {
    startPrimary();
    startSecondary();
    Path config = Files.writeString(directory.resolve("spillway.yaml"), config());
    Child relay = children.start("relay", RELAY_READY, "run", "--config", config.toString());
    String admin = relay.ready().group(3);
    screen.print(
        "A relay (grpc %s, http %s, admin http://%s) and two sinks are running."
            .formatted(relay.ready().group(1), relay.ready().group(2), admin));
    SdkTraffic traffic = new SdkTraffic(relay.ready().group(1), relay.ready().group(2));
    long start = System.nanoTime();
    try (traffic) {
      traffic.start();
      act(traffic, admin, start);
    }
    screen.say(second(start), "The application has stopped; the relay drains.");
    awaitDrained(traffic, admin, start);
    JsonNode ledger = get(admin, "/api/v1/ledger");
    Children.stop(relay.process());
    stopPrimary();
    stopSecondary();
    return judge(traffic, ledger);
  }

  private void act(SdkTraffic traffic, String admin, long start)
      throws IOException, InterruptedException {
    screen.say(0, "The application sends spans over gRPC, data points and log records over HTTP.");
    frames(traffic, admin, start, PRIMARY_STOPS);
    stopPrimary();
    screen.say(
        second(start),
        "The primary sink is stopped. After 3 s of failing, the secondary takes over.");
    frames(traffic, admin, start, SECONDARY_STOPS);
    stopSecondary();
    screen.say(
        second(start),
        "The secondary is stopped too: everything waits on disk, the application notices nothing.");
    frames(traffic, admin, start, PRIMARY_RETURNS);
    startPrimary();
    screen.say(
        second(start),
        "The primary is back: the backlog drains to it, and after 3 s of health it is taken back.");
    frames(traffic, admin, start, SECONDARY_RETURNS);
    startSecondary();
    screen.say(second(start), "The secondary is back, and idle.");
    frames(traffic, admin, start, TRAFFIC_ENDS);
  }

  private void frames(SdkTraffic traffic, String admin, long start, int untilSecond)
      throws IOException, InterruptedException {
    while (second(start) < untilSecond) {
      screen.show(frame(traffic, admin, start));
      TimeUnit.MILLISECONDS.sleep(FRAME_MILLIS);
    }
  }

  private void awaitDrained(SdkTraffic traffic, String admin, long start)
      throws IOException, InterruptedException {
    int limit = second(start) + DRAIN_LIMIT_SECONDS;
    DemoScreen.Frame frame = frame(traffic, admin, start);
    while (second(start) < limit && frame.lanes().stream().anyMatch(lane -> lane.items() > 0)) {
      screen.show(frame);
      TimeUnit.MILLISECONDS.sleep(FRAME_MILLIS);
      frame = frame(traffic, admin, start);
    }
  }

  private boolean judge(SdkTraffic traffic, JsonNode ledger) throws IOException {
    long arrived = (long) hashes("primary").size() + hashes("secondary").size();
    Set<Long> distinct = new HashSet<>(hashes("primary"));
    distinct.addAll(hashes("secondary"));
    long acknowledged = traffic.acknowledged();
    long delivered = 0;
    screen.print("");
    screen.print(
        String.format(
            "%-18s %10s %12s %12s %10s %10s",
            "ledger", "routed", "primary", "secondary", "buffered", "redelivered"));
    for (JsonNode lane : ledger.path("lanes")) {
      long toPrimary = lane.path("delivered").path("otlp_grpc/primary").asLong(0);
      long toSecondary = lane.path("delivered").path("otlp_http/secondary").asLong(0);
      delivered += toPrimary + toSecondary;
      screen.print(
          String.format(
              Locale.ROOT,
              "%-18s %,10d %,12d %,12d %,10d %,10d",
              lane.path("route").asString() + "/" + lane.path("signal").asString(),
              lane.path("routed").asLong(),
              toPrimary,
              toSecondary,
              lane.path("buffered").asLong(),
              lane.path("redelivered").asLong()));
    }
    long unaccounted = ledger.path("unaccounted").asLong(-1);
    long lost = Math.max(0, acknowledged - distinct.size());
    screen.print(
        String.format(
            Locale.ROOT,
            "The sinks counted %,d items, %,d different ones; the SDK saw %,d failures.",
            arrived,
            distinct.size(),
            traffic.failed()));
    boolean good =
        lost == 0
            && unaccounted == 0
            && traffic.failed() == 0
            && acknowledged > 0
            && delivered == acknowledged
            && distinct.size() == acknowledged;
    screen.verdict(
        good,
        String.format(
            Locale.ROOT,
            "acknowledged %,d %s delivered %,d, %,d lost, %,d unaccounted",
            acknowledged,
            acknowledged == delivered ? "=" : "≠",
            delivered,
            lost,
            unaccounted));
    if (!good) {
      screen.print("The logs are in " + directory);
    }
    return good;
  }

  private List<Long> hashes(String sink) throws IOException {
    Path file = directory.resolve(sink + ".ids");
    ByteBuffer bytes = ByteBuffer.wrap(Files.exists(file) ? Files.readAllBytes(file) : new byte[0]);
    List<Long> hashes = new ArrayList<>();
    while (bytes.remaining() >= Long.BYTES) {
      hashes.add(bytes.getLong());
    }
    return hashes;
  }

  private DemoScreen.Frame frame(SdkTraffic traffic, String admin, long start)
      throws IOException, InterruptedException {
    List<DemoScreen.Lane> lanes = new ArrayList<>();
    for (JsonNode lane : get(admin, "/api/v1/status").path("lanes")) {
      lanes.add(
          new DemoScreen.Lane(
              lane.path("route").asString() + "/" + lane.path("signal").asString(),
              lane.path("items").asLong(),
              lane.path("bytes").asLong(),
              lane.path("oldest_age_seconds").asDouble(0),
              lane.path("active").isNull()
                  ? "nobody: waits on disk"
                  : lane.path("active").asString()));
    }
    return new DemoScreen.Frame(
        second(start), traffic.acknowledged(), primary != null, secondary != null, lanes);
  }

  private JsonNode get(String admin, String path) throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + admin + path)).build();
    return json.readTree(http.send(request, HttpResponse.BodyHandlers.ofString()).body());
  }

  private void startPrimary() throws IOException, InterruptedException {
    primary =
        children.start(
            "primary",
            SINK_READY,
            "capture",
            "--grpc",
            "127.0.0.1:" + primaryPort,
            "--ids",
            directory.resolve("primary.ids").toString());
  }

  private void startSecondary() throws IOException, InterruptedException {
    secondary =
        children.start(
            "secondary",
            SINK_READY,
            "capture",
            "--http",
            "127.0.0.1:" + secondaryPort,
            "--ids",
            directory.resolve("secondary.ids").toString());
  }

  private void stopPrimary() throws InterruptedException {
    stop(primary);
    primary = null;
  }

  private void stopSecondary() throws InterruptedException {
    stop(secondary);
    secondary = null;
  }

  private static void stop(@Nullable Child child) throws InterruptedException {
    if (child != null && !Children.stop(child.process())) {
      throw new IllegalStateException("a sink did not stop");
    }
  }

  private static int second(long startNanos) {
    return (int) TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNanos);
  }

  private String config() {
    return """
    receivers:
      otlp:
        protocols:
          grpc: { endpoint: "127.0.0.1:0" }
          http: { endpoint: "127.0.0.1:0" }
    buffer:
      directory: "%s"
      min_free: 16MiB
    exporters:
      otlp_grpc/primary:
        endpoint: "http://127.0.0.1:%d"
        compression: zstd
        timeout: 2s
      otlp_http/secondary:
        endpoint: "http://127.0.0.1:%d"
        compression: gzip
        timeout: 2s
    egress:
      allow:
        - { host: "127.0.0.1", ports: [%d, %d] }
    routes:
      - name: default
        exporters: [otlp_grpc/primary, otlp_http/secondary]
        failover: { after: 3s, failback_after: 3s }
    admin: { endpoint: "127.0.0.1:0" }
    """
        .formatted(
            directory.resolve("buffer"), primaryPort, secondaryPort, primaryPort, secondaryPort);
  }

  /** Ends what still runs. The files stay, for a look, unless {@link #clean} was called. */
  @Override
  public void close() {
    children.close();
    http.close();
  }

  /** Removes the demo's files, once all is well. */
  void clean() throws IOException {
    ScratchFolder.delete(directory);
  }
}
