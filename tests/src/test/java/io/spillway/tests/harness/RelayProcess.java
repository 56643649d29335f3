package io.spillway.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A relay in a process of its own, which can be stopped, killed and started again on what it left
 * behind. One test thread drives it; the endpoints may be read from any.
 */
public final class RelayProcess implements AutoCloseable {

  private static final Duration READY_WITHIN = Duration.ofMinutes(2);
  private static final Duration STOPPED_WITHIN = Duration.ofMinutes(1);
  private static final Pattern READY =
      Pattern.compile("ready: grpc=(\\S+) http=(\\S+) admin=(\\S+)");
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Path directory;
  private final Path config;
  private final boolean ownPidNamespace;
  private final List<String> launcher;
  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(30))
          .build();
  private final Thread killer = new Thread(this::kill, "kill-relay");

  private int starts;
  private @Nullable Process process;
  private volatile @Nullable Endpoints endpoints;

  private record Endpoints(String grpc, String http, String admin) {}

  /**
   * Prepares a relay; nothing is started.
   *
   * @param directory working directory, for the config and the logs
   * @param ownPidNamespace whether the relay is process 1 each time, as in a container; needs root
   * @param launcher a command that becomes the relay's; may be empty
   */
  RelayProcess(Path directory, String yaml, boolean ownPidNamespace, List<String> launcher) {
    this.launcher = List.copyOf(launcher);
    this.directory = directory;
    this.config = directory.resolve("config.yaml");
    this.ownPidNamespace = ownPidNamespace;
    configure(yaml);
    Runtime.getRuntime().addShutdownHook(killer);
  }

  /** Writes the configuration that the next start or reload reads. */
  public void configure(String yaml) {
    try {
      Files.writeString(config, yaml);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts the relay and waits until it says that it is ready. */
  public RelayProcess start() {
    endpoints = null;
    starts++;
    try {
      process =
          new ProcessBuilder(command())
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectOutput(logFile(starts).toFile())
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try {
      Awaitility.await("relay ready in " + directory)
          .atMost(READY_WITHIN)
          .pollInterval(Duration.ofMillis(20))
          .failFast(this::failIfEnded)
          .until(this::readEndpoints);
    } catch (ConditionTimeoutException e) {
      throw new AssertionError("not ready in " + READY_WITHIN + ":\n" + logWithThreads(), e);
    }
    return this;
  }

  /** Sends SIGTERM and waits for the end. Returns the exit code. */
  public int stop() {
    relay().destroy();
    return awaitEnd();
  }

  /** Sends SIGTERM and returns at once. */
  public void requestStop() {
    relay().destroy();
  }

  /** Waits for the end and returns the exit code. */
  public int awaitEnd() {
    Process running = started();
    try {
      if (!running.waitFor(STOPPED_WITHIN.toSeconds(), TimeUnit.SECONDS)) {
        throw new AssertionError("the relay did not end in " + STOPPED_WITHIN + ":\n" + log());
      }
      return running.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /** Sends SIGKILL and waits until the process is gone. */
  public void kill() {
    Process running = process;
    if (running == null || !running.isAlive()) {
      return;
    }
    running.descendants().forEach(ProcessHandle::destroyForcibly);
    if (!ownPidNamespace) {
      running.destroyForcibly();
    }
    // The launcher of a namespace reports the death of its child and ends by itself.
    running.onExit().orTimeout(10, TimeUnit.SECONDS).join();
  }

  /** Sends SIGHUP. */
  public void reload() {
    signal("HUP");
  }

  /** The log after the JVM was asked to append where its threads stand. */
  private String logWithThreads() {
    signal("QUIT");
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> !running() || log().contains("JNI global refs"));
    return log();
  }

  private void signal(String name) {
    try {
      new ProcessBuilder("kill", "-" + name, Long.toString(relay().pid())).start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The id of the relay's process, as the test sees it. */
  public long pid() {
    return relay().pid();
  }

  public boolean running() {
    Process running = process;
    return running != null && running.isAlive();
  }

  /** Host and port of the OTLP/gRPC receiver. */
  public String grpc() {
    return endpoints().grpc();
  }

  /** Host and port of the OTLP/HTTP receiver. */
  public String http() {
    return endpoints().http();
  }

  /** The account of the relay. */
  public Ledger ledger() {
    return Ledger.of(JSON.readTree(admin("/api/v1/ledger")));
  }

  public JsonNode status() {
    return JSON.readTree(admin("/api/v1/status"));
  }

  /** The exporter that a lane sends to now; null if to none. */
  public @Nullable String activeExporter(String route, Kind kind) {
    for (JsonNode lane : status().path("lanes")) {
      if (lane.path("route").asString().equals(route)
          && lane.path("signal").asString().equals(kind.label())) {
        JsonNode active = lane.path("active");
        return active.isNull() ? null : active.asString();
      }
    }
    return null;
  }

  /**
   * The samples of a meter.
   *
   * @param name as Prometheus has it, or how it begins
   * @param labels that a sample must have, as {@code exporter="otlp_grpc/sink"}
   */
  public List<Double> metric(String name, String... labels) {
    return admin("/metrics")
        .lines()
        .filter(line -> line.startsWith(name) && Stream.of(labels).allMatch(line::contains))
        .map(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .toList();
  }

  /** How often the egress policy decided so by a rule, over all destinations. */
  public double decisions(String rule, String verdict) {
    return metric(
            "spillway_egress_decisions", "rule=\"" + rule + "\"", "verdict=\"" + verdict + "\"")
        .stream()
        .mapToDouble(Double::doubleValue)
        .sum();
  }

  /** The body of a successful GET on the admin server. */
  public String admin(String path) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://" + endpoints().admin() + path))
            .timeout(Duration.ofSeconds(30))
            .build();
    try {
      HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() != 200) {
        throw new AssertionError(path + ": " + response.statusCode() + " " + response.body());
      }
      return response.body();
    } catch (IOException e) {
      throw new UncheckedIOException(path, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /** What the relay logged since its last start. */
  public String log() {
    return read(logFile(starts));
  }

  /** What the relay logged in all its lives. */
  public String fullLog() {
    StringBuilder all = new StringBuilder();
    for (int start = 1; start <= starts; start++) {
      all.append("--- start ").append(start).append('\n').append(read(logFile(start)));
    }
    return all.toString();
  }

  public Path directory() {
    return directory;
  }

  @Override
  public void close() {
    kill();
    http.close();
    Runtime.getRuntime().removeShutdownHook(killer);
  }

  private List<String> command() {
    List<String> command = new ArrayList<>();
    if (ownPidNamespace) {
      command.addAll(List.of("unshare", "--pid", "--fork", "--mount-proc"));
    }
    command.addAll(launcher);
    command.addAll(Program.command(List.of("run", "--config", config.toString())));
    return command;
  }

  private void failIfEnded() {
    if (!running()) {
      throw new AssertionError("the relay ended before it was ready:\n" + log());
    }
  }

  private boolean readEndpoints() {
    Matcher matcher = READY.matcher(log());
    if (!matcher.find()) {
      return false;
    }
    endpoints = new Endpoints(matcher.group(1), matcher.group(2), matcher.group(3));
    return true;
  }

  private Endpoints endpoints() {
    Endpoints known = endpoints;
    if (known == null) {
      throw new IllegalStateException("the relay is not ready");
    }
    return known;
  }

  private ProcessHandle relay() {
    ProcessHandle started = started().toHandle();
    return ownPidNamespace ? started.children().findFirst().orElse(started) : started;
  }

  private Process started() {
    Process started = process;
    if (started == null) {
      throw new IllegalStateException("the relay was not started");
    }
    return started;
  }

  private Path logFile(int start) {
    return directory.resolve("relay-" + start + ".log");
  }

  private static String read(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
