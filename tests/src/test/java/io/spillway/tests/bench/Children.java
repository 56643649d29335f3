package io.spillway.tests.bench;

import io.spillway.tests.harness.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The processes that a benchmark runs, and what the system says of them. All end with it. Not safe
 * for use by several threads.
 */
final class Children implements AutoCloseable {
  private final Path directory;
  private final List<Process> running = new ArrayList<>();

  /**
   * @param directory where they write what they say
   */
  Children(Path directory) {
    this.directory = directory;
  }

  /** Starts a verb of the program. */
  Process start(String name, String... arguments) throws IOException {
    return launch(name, Program.command(List.of(arguments)));
  }

  /** Starts any command. */
  Process launch(String name, List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(log(name).toFile())
            .start();
    running.add(process);
    return process;
  }

  /** Waits until the process has written a line that fits. */
  Matcher await(String name, Pattern pattern, Process process)
      throws IOException, InterruptedException {
    while (process.isAlive()) {
      Matcher found = pattern.matcher(Files.readString(log(name)));
      if (found.find()) {
        return found;
      }
      process.waitFor(10, TimeUnit.MILLISECONDS);
    }
    throw new IllegalStateException(name + " ended: " + Files.readString(log(name)));
  }

  private Path log(String name) {
    return directory.resolve(name + ".log");
  }

  static Duration cpu(Process process) {
    return process.info().totalCpuDuration().orElseThrow();
  }

  @Override
  public void close() {
    running.forEach(Process::destroyForcibly);
  }
}
