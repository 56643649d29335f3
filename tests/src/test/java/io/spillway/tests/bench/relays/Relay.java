package io.spillway.tests.bench.relays;

import io.spillway.tests.bench.Usage;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A contender that runs, in front of a sink of its own: what another one delivers late is not
 * mistaken for its items.
 */
final class Relay {
  private static final long STOP_SECONDS = 20;

  private final Contender contender;
  private final Scenario scenario;
  private final Path directory;
  private final ItemSink sink;
  private final Contender.Installed installed;
  private Process process;

  /** Of those processes that were killed. */
  private Usage ended = new Usage(0, 0);

  private double endedPeakMib;

  private Relay(
      Contender contender,
      Scenario scenario,
      Path directory,
      ItemSink sink,
      Contender.Installed installed,
      Process process) {
    this.contender = contender;
    this.scenario = scenario;
    this.directory = directory;
    this.sink = sink;
    this.installed = installed;
    this.process = process;
  }

  /**
   * @param directory for its files; empty
   */
  static Relay start(Contender contender, Scenario scenario, Path directory)
      throws IOException, InterruptedException {
    ItemSink sink = new ItemSink();
    try {
      Contender.Installed installed = contender.install(scenario, sink, directory);
      return new Relay(contender, scenario, directory, sink, installed, installed.start());
    } catch (IOException | InterruptedException | RuntimeException e) {
      sink.close();
      throw e;
    }
  }

  String name() {
    return contender.name();
  }

  ItemSink sink() {
    return sink;
  }

  /** Host and port. */
  String address() {
    return installed.address();
  }

  /** Whether it sends on what it takes. */
  boolean delivers() {
    return !(contender instanceof Contender.Discarding);
  }

  /** What others lose is counted; with Spillway it is an error. */
  boolean mayLose() {
    return !(contender instanceof Contender.Spillway);
  }

  /** Since it was started for the first time. */
  Usage usage() throws IOException {
    return ended.plus(Usage.of(process));
  }

  /** The most that was ever resident. */
  double peakMib() throws IOException {
    return Math.max(endedPeakMib, memoryMib("VmHWM"));
  }

  double memoryMib(String key) throws IOException {
    return Usage.memoryMib(process, key);
  }

  /** Ends it without a warning (SIGKILL), and all that it started. */
  void kill() throws IOException {
    ended = usage();
    endedPeakMib = peakMib();
    List<ProcessHandle> all =
        Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList();
    all.forEach(ProcessHandle::destroyForcibly);
    for (ProcessHandle member : all) {
      member.onExit().join();
    }
  }

  /** Starts it again after it was killed, on the same files and ports; returns at once. */
  void launch() throws IOException {
    process = installed.launch();
  }

  void requireAlive() {
    if (!process.isAlive()) {
      throw failure("it ended by itself with exit code " + process.exitValue());
    }
  }

  /** Spillway's own account must say that nothing is left or missing. */
  void requireBalanced() throws IOException, InterruptedException {
    if (!(contender instanceof Contender.Spillway)) {
      return;
    }
    JsonNode ledger;
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpRequest request =
          HttpRequest.newBuilder(
                  URI.create("http://127.0.0.1:" + installed.adminPort() + "/api/v1/ledger"))
              .build();
      ledger =
          JsonMapper.shared()
              .readTree(http.send(request, HttpResponse.BodyHandlers.ofString()).body());
    }
    long buffered = 0;
    for (JsonNode lane : ledger.required("lanes")) {
      buffered += lane.required("buffered").asLong();
    }
    if (ledger.required("unaccounted").asLong() != 0 || buffered != 0) {
      throw failure("the ledger does not balance: " + ledger);
    }
  }

  IllegalStateException failure(String what) {
    return new IllegalStateException(
        name() + ", " + scenario.title() + ": " + what + " (files: " + directory + ")");
  }

  /** Stops it, in time or by force, and its sink. */
  void stop() throws InterruptedException {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
    if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
    sink.close();
  }
}
