package io.spillway.relay.demo;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Starts this program again as other processes, with the JVM and the options it runs with itself.
 */
final class Children implements AutoCloseable {

  private static final Duration START_LIMIT = Duration.ofSeconds(30);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(15);
  private static final long POLL_MILLIS = 50;

  private final String mainClass;
  private final Path directory;
  private final List<Process> running = new ArrayList<>();

  /**
   * @param mainClass of this program
   * @param directory where the processes' logs go
   */
  Children(String mainClass, Path directory) {
    this.mainClass = mainClass;
    this.directory = directory;
  }

  /**
   * Starts a process and waits until its log has a line that matches.
   *
   * @throws IOException with the log, if it ends or takes too long
   */
  Child start(String name, Pattern ready, String... args) throws IOException, InterruptedException {
    Path log = directory.resolve(name + ".log");
    long logged = Files.exists(log) ? Files.readAllLines(log).size() : 0;
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-Xmx128m", "-cp", System.getProperty("java.class.path"), mainClass));
    command.addAll(List.of(args));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    running.add(process);
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (process.isAlive() && System.nanoTime() < deadline) {
      Optional<Matcher> line =
          Files.readAllLines(log).stream()
              .skip(logged)
              .map(ready::matcher)
              .filter(Matcher::find)
              .findFirst();
      if (line.isPresent()) {
        return new Child(process, line.get());
      }
      process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS);
    }
    throw new IOException(name + " did not start:\n" + Files.readString(log));
  }

  /** Asks a process to stop and waits for it; whether it ended in time. */
  static boolean stop(Process process) throws InterruptedException {
    process.destroy();
    return process.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    running.forEach(Process::destroyForcibly);
  }

  /** A process that is ready, and the line that said so. */
  record Child(Process process, Matcher ready) {}
}
