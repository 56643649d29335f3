package io.spillway.relay;

import io.spillway.relay.demo.ScratchFolder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PipedReader;
import java.io.PipedWriter;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code rehearse}: the whole life of a relay in a few seconds, on free ports of loopback and in a
 * temporary directory: {@code run}, requests over both protocols, on to a sink in this process, a
 * look at the admin API, and a stop by signal.
 *
 * <p>It is what a JVM does while it records an AOT cache ({@code -XX:AOTCacheOutput}), so that
 * later starts find their classes loaded and linked. The launcher and the image run it; its exit
 * code is 0 only if everything was acknowledged.
 */
@Command(
    name = "rehearse",
    description = "Starts, uses and stops a relay, for a JVM that records an AOT cache meanwhile.",
    hidden = true,
    mixinStandardHelpOptions = true)
final class RehearseCommand implements Callable<Integer> {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final String CAPTURE = "capture";
  private static final String ITEMS = "600";
  private static final Pattern CAPTURING =
      Pattern.compile("grpc=(127\\.0\\.0\\.1:\\d+) http=(127\\.0\\.0\\.1:\\d+)");

  @Override
  public Integer call() throws Exception {
    Path directory = Files.createTempDirectory("spillway-rehearsal");
    try {
      Matcher sink = sink();
      int admin = freePort();
      Path config =
          Files.writeString(directory.resolve("config.yaml"), config(directory, sink, admin));
      FutureTask<Integer> use = new FutureTask<>(() -> useAndStop("http://127.0.0.1:" + admin));
      Thread.ofPlatform().daemon().name("rehearsal").start(use);
      int ended = execute(RunArguments.VERB, RunArguments.CONFIG, config.toString());
      return ended == 0 ? result(use) : ended;
    } finally {
      ScratchFolder.delete(directory);
    }
  }

  private static String config(Path directory, Matcher sink, int admin) {
    return """
    receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: "127.0.0.1:0" } } } }
    buffer: { directory: "%1$s/buffer", min_free: 1MiB }
    exporters:
      otlp_grpc/sink: { endpoint: "http://%2$s", compression: gzip }
      otlp_http/sink: { endpoint: "http://%3$s", compression: zstd }
      file/archive: { directory: "%1$s/archive" }
    routes:
      - { name: traces, match: { signals: [traces] }, exporters: [otlp_grpc/sink, file/archive] }
      - { name: default, exporters: [otlp_http/sink, file/archive] }
    admin: { endpoint: "127.0.0.1:%4$d" }
    """
        .formatted(directory, sink.group(1), sink.group(2), admin);
  }

  private static int result(FutureTask<Integer> use) throws Exception {
    try {
      return use.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("rehearse: the relay could not be used", e);
    }
  }

  /** A sink in this process, which ends with it: where it takes gRPC and HTTP. */
  private static Matcher sink() throws IOException {
    PipedWriter written = new PipedWriter();
    BufferedReader said = new BufferedReader(new PipedReader(written));
    Thread.ofPlatform()
        .daemon()
        .name(CAPTURE)
        .start(
            () ->
                Verbs.commandLine(CAPTURE).setOut(new PrintWriter(written, true)).execute(CAPTURE));
    String line = said.readLine();
    Matcher addresses = CAPTURING.matcher(String.valueOf(line));
    if (!addresses.find()) {
      throw new IllegalStateException("rehearse: the sink said " + line);
    }
    return addresses;
  }

  /** Exit code 0 if all was acknowledged. */
  private static int useAndStop(String admin) throws IOException, InterruptedException {
    try (HttpClient http = HttpClient.newHttpClient()) {
      awaitReady(http, admin);
      JsonNode receivers =
          JsonMapper.shared()
              .readTree(get(http, admin + "/api/v1/status").body())
              .path("receivers");
      int failed = 0;
      for (String protocol : List.of("grpc", "http")) {
        for (String compression : List.of("gzip", "none")) {
          failed +=
              execute(
                  "send",
                  "--protocol",
                  protocol,
                  "--endpoint",
                  "http://" + receivers.path(protocol).asString(),
                  "--compression",
                  compression,
                  "--count",
                  ITEMS,
                  "--rate",
                  "0",
                  "--batch",
                  "20");
        }
      }
      for (String path : List.of("/metrics", "/api/v1/status", "/api/v1/ledger")) {
        failed += get(http, admin + path).statusCode() == 200 ? 0 : 1;
      }
      return Math.min(1, failed);
    } finally {
      Signals.raise("TERM");
    }
  }

  private static void awaitReady(HttpClient http, String admin)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() - deadline < 0) {
      try {
        if (get(http, admin + "/readyz").statusCode() == 200) {
          return;
        }
      } catch (java.net.ConnectException _) {
        // It does not listen yet.
      }
      TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
    }
    throw new IOException("rehearse: not ready within " + PATIENCE.toSeconds() + " s");
  }

  private static HttpResponse<String> get(HttpClient http, String url)
      throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create(url)).timeout(PATIENCE).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static int execute(String... arguments) {
    return Main.execute(arguments);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
