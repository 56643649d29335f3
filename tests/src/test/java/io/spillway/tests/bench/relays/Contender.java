package io.spillway.tests.bench.relays;

import io.spillway.receivers.Transport;
import io.spillway.tests.harness.FreePorts;
import io.spillway.tests.harness.Program;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A relay that takes part: how it is set up for a scenario. */
sealed interface Contender {

  /** Unique in a run. */
  String name();

  /** Whether it can do what a scenario asks for. */
  default boolean takesPart(Scenario scenario) {
    return scenario.lanes() == 1;
  }

  /**
   * Writes its files and finds its ports.
   *
   * @param directory for its files; empty
   */
  Installed install(Scenario scenario, ItemSink sink, Path directory) throws IOException;

  /**
   * A relay that can be started, and once it ended, be started again.
   *
   * @param port of 127.0.0.1 that takes requests
   */
  record Installed(List<String> command, Path directory, int port, int adminPort) {
    private static final long READY_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final int LOG_LINES = 20;

    /** Host and port. */
    String address() {
      return "127.0.0.1:" + port;
    }

    /** Returns at once. */
    Process launch() throws IOException {
      return new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(Redirect.appendTo(log().toFile()))
          .start();
    }

    /** Returns when it takes requests. */
    Process start() throws IOException, InterruptedException {
      Process process = launch();
      long end = System.nanoTime() + READY_NANOS;
      while (process.isAlive() && System.nanoTime() < end) {
        try (Socket socket = new Socket()) {
          socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
          return process;
        } catch (IOException e) {
          process.waitFor(20, TimeUnit.MILLISECONDS);
        }
      }
      process.destroyForcibly();
      List<String> lines = Files.readAllLines(log());
      throw new IOException(
          "nothing listens on port %d:%n%s"
              .formatted(
                  port,
                  String.join(
                      "\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()))));
    }

    private Path log() {
      return directory.resolve("log");
    }
  }

  /** Spillway, as it is distributed. */
  record Spillway() implements Contender {
    @Override
    public String name() {
      return "spillway";
    }

    @Override
    public boolean takesPart(Scenario scenario) {
      return true;
    }

    @Override
    public Installed install(Scenario scenario, ItemSink sink, Path directory) throws IOException {
      Ports ports = Ports.free();
      String exporter =
          (scenario.transport() == Transport.GRPC ? "otlp_grpc" : "otlp_http") + "/sink";
      StringBuilder routes = new StringBuilder();
      for (int lane = 1; lane < scenario.lanes(); lane++) {
        routes.append(
            "  - { name: lane-%d, match: { resource: { lane: \"%d\" } }, exporters: [%s] }%n"
                .formatted(lane, lane, exporter));
      }
      Path config =
          Files.writeString(
              directory.resolve("spillway.yaml"),
              """
              receivers:
                otlp: { protocols: { grpc: { endpoint: "127.0.0.1:%d" }, http: { endpoint: "127.0.0.1:%d" } } }
              buffer: { directory: "%s", min_free: 64MiB }
              exporters:
                %s: { endpoint: "http://%s", compression: %s }
              routes:
              %s  - { name: default, exporters: [%s] }
              admin: { endpoint: "127.0.0.1:%d" }
              """
                  .formatted(
                      ports.grpc,
                      ports.http,
                      directory.resolve("buffer"),
                      exporter,
                      sink.address(scenario.transport()),
                      RelayBenchmark.name(scenario.out()),
                      routes,
                      exporter,
                      ports.admin));
      return ports.installed(
          Program.command(List.of("run", "--config", config.toString())), scenario, directory);
    }
  }

  /** Spillway's own receivers, which count and discard: as fast as anything behind them can be. */
  record Discarding() implements Contender {
    @Override
    public String name() {
      return "receivers alone";
    }

    @Override
    public boolean takesPart(Scenario scenario) {
      return scenario.lanes() == 1 && !scenario.group().isCourse();
    }

    @Override
    public Installed install(Scenario scenario, ItemSink sink, Path directory) throws IOException {
      Ports ports = Ports.free();
      return ports.installed(
          Program.command(
              List.of(
                  "capture",
                  "--grpc",
                  "127.0.0.1:" + ports.grpc,
                  "--http",
                  "127.0.0.1:" + ports.http)),
          scenario,
          directory);
    }
  }

  /**
   * The OpenTelemetry Collector.
   *
   * @param hardened with its queue on disk and without a limit of retrying; else as its documents
   *     begin: a batch processor and a queue in memory
   */
  record Collector(String name, String binary, boolean hardened) implements Contender {
    @Override
    public Installed install(Scenario scenario, ItemSink sink, Path directory) throws IOException {
      Ports ports = Ports.free();
      boolean grpc = scenario.transport() == Transport.GRPC;
      String exporter = grpc ? "otlp" : "otlphttp";
      String pipeline =
          "{ receivers: [otlp], processors: [%s], exporters: [%s] }"
              .formatted(hardened ? "" : "batch", exporter);
      Path queue = Files.createDirectory(directory.resolve("queue"));
      Path config =
          Files.writeString(
              directory.resolve("collector.yaml"),
              """
              receivers:
                otlp: { protocols: { grpc: { endpoint: "127.0.0.1:%d", max_recv_msg_size_mib: 64 }, http: { endpoint: "127.0.0.1:%d" } } }
              %s
              exporters:
                %s:
                  endpoint: %s
                  compression: %s
                  tls: { insecure: true }
              %s
              service:
                telemetry: { metrics: { level: none }, logs: { level: warn } }
                extensions: [%9$s]
                pipelines: { traces: %8$s, metrics: %8$s, logs: %8$s }
              """
                  .formatted(
                      ports.grpc,
                      ports.http,
                      hardened
                          ? "extensions: { file_storage: { directory: \"" + queue + "\" } }"
                          : "processors: { batch: {} }",
                      exporter,
                      (grpc ? "" : "http://") + sink.address(scenario.transport()),
                      RelayBenchmark.name(scenario.out()),
                      hardened
                          ? "    sending_queue: { storage: file_storage }\n"
                              + "    retry_on_failure: { max_elapsed_time: 0 }"
                          : "",
                      pipeline,
                      hardened ? "file_storage" : ""));
      return ports.installed(List.of(binary, "--config", config.toString()), scenario, directory);
    }
  }

  /**
   * Any other relay.
   *
   * @param command a shell's; {@code {grpc}} and {@code {http}} in it become the ports to listen
   *     on, {@code {sink_grpc}} and {@code {sink_http}} addresses to send to, {@code {compression}}
   *     the codec to send with, {@code {protocol}} grpc or http, {@code {directory}} an empty
   *     folder
   */
  record Other(String name, String command) implements Contender {
    @Override
    public Installed install(Scenario scenario, ItemSink sink, Path directory) throws IOException {
      Ports ports = Ports.free();
      String line =
          command
              .replace("{grpc}", Integer.toString(ports.grpc))
              .replace("{http}", Integer.toString(ports.http))
              .replace("{sink_grpc}", sink.address(Transport.GRPC))
              .replace("{sink_http}", sink.address(Transport.HTTP))
              .replace("{compression}", RelayBenchmark.name(scenario.out()))
              .replace("{protocol}", scenario.transport().label())
              .replace("{directory}", directory.toString());
      return ports.installed(List.of("sh", "-c", line), scenario, directory);
    }
  }

  /** Ports that nobody listened on a moment ago. */
  record Ports(int grpc, int http, int admin) {
    static Ports free() throws IOException {
      List<Integer> ports = FreePorts.find(3);
      return new Ports(ports.get(0), ports.get(1), ports.get(2));
    }

    Installed installed(List<String> command, Scenario scenario, Path directory) {
      return new Installed(
          command, directory, scenario.transport() == Transport.GRPC ? grpc : http, admin);
    }
  }
}
