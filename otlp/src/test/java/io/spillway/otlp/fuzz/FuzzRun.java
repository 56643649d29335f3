package io.spillway.otlp.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Fuzzes targets one after the other, each in a Jazzer process of its own; run in a module's
 * folder. What Jazzer learns stays in {@code target/fuzz} for the next run. Ends with an error if
 * something was found; the input then lies in {@code src/test/resources/fuzz}, where {@link
 * FuzzInputs} reads it from then on.
 */
public final class FuzzRun {
  private static final String SECONDS_PROPERTY = "spillway.fuzz.seconds";

  /** What is longer is rarely another case, only a slower one. */
  private static final int MAX_INPUT_BYTES = 8192;

  /** An input that takes longer is a finding. */
  private static final int HANG_SECONDS = 25;

  /** Of Jazzer's output, if something was found. */
  private static final int SHOWN_LINES = 60;

  /** Jazzer's state of affairs; the last one counts. */
  private static final Pattern PULSE = Pattern.compile("#(\\d+)\\s.*?cov: (\\d+) ft: (\\d+).*");

  private FuzzRun() {}

  /**
   * @param args class names of targets
   */
  public static void main(String[] args) throws Exception {
    int seconds = Integer.getInteger(SECONDS_PROPERTY, 60);
    List<String> failed = new ArrayList<>();
    for (String name : args) {
      FuzzTarget target = FuzzEntry.newTarget(name);
      if (!fuzz(target, seconds)) {
        failed.add(target.getClass().getSimpleName());
      }
    }
    if (!failed.isEmpty()) {
      throw new IllegalStateException("findings: " + String.join(", ", failed));
    }
    // Some targets have threads.
    System.exit(0);
  }

  private static boolean fuzz(FuzzTarget target, int seconds) throws Exception {
    String name = target.getClass().getSimpleName();
    Path work = Path.of("target", "fuzz", name).toAbsolutePath();
    Path seeds = work.resolve("seeds");
    Path corpus = Files.createDirectories(work.resolve("corpus"));
    Path findings =
        Files.createDirectories(
            FuzzInputs.findings(Path.of("").toAbsolutePath(), target.getClass()));
    FuzzInputs.writeSeeds(target, seeds);
    Path log = work.resolve("log");
    Process jazzer =
        new ProcessBuilder(command(target, seconds, work, List.of(corpus, seeds, findings)))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    Runtime.getRuntime().addShutdownHook(new Thread(jazzer::destroyForcibly));
    int exitCode = jazzer.waitFor();
    deleteIfEmpty(findings);
    System.out.println(report(name, exitCode, Files.readString(log), log));
    return exitCode == 0;
  }

  private static List<String> command(
      FuzzTarget target, int seconds, Path work, List<Path> inputs) {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(
        List.of(
            "-Xmx1g",
            "-XX:+EnableDynamicAgentLoading",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-D" + FuzzEntry.TARGET_PROPERTY + "=" + target.getClass().getName(),
            "-cp",
            System.getProperty("java.class.path"),
            "com.code_intelligence.jazzer.Jazzer",
            "--target_class=" + FuzzEntry.class.getName(),
            "--instrumentation_includes=io.spillway.**",
            "--custom_hook_includes=io.spillway.**",
            "--reproducer_path=" + work,
            "-max_total_time=" + seconds,
            "-max_len=" + MAX_INPUT_BYTES,
            "-timeout=" + HANG_SECONDS,
            "-artifact_prefix=" + inputs.getLast() + "/"));
    inputs.forEach(directory -> command.add(directory.toString()));
    return command;
  }

  private static String report(String name, int exitCode, String output, Path log) {
    String last =
        PULSE
            .matcher(output)
            .results()
            .reduce((one, next) -> next)
            .map(FuzzRun::pulse)
            .orElse("nothing was run");
    return exitCode == 0
        ? "%s: %s, no finding".formatted(name, last)
        : "%s: %s, FAILED, exit code %d; see %s%n%s"
            .formatted(name, last, exitCode, log, end(output));
  }

  private static String end(String output) {
    List<String> lines = output.lines().toList();
    return String.join("\n", lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size()));
  }

  private static String pulse(MatchResult pulse) {
    return "%s executions, %s edges covered, %s features"
        .formatted(pulse.group(1), pulse.group(2), pulse.group(3));
  }

  private static void deleteIfEmpty(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      if (files.findAny().isPresent()) {
        return;
      }
    }
    Files.delete(directory);
  }
}
