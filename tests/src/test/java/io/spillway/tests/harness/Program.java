package io.spillway.tests.harness;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The program under test as its users start it: a JVM on the jars of the distribution. */
public final class Program {

  private static final int RUN_SECONDS = 120;
  private static final Path DIST =
      Path.of(System.getProperty("spillway.dist", "../relay/target/dist"))
          .toAbsolutePath()
          .normalize();
  private static final String FLAGS = System.getProperty("spillway.jvm.flags", "");

  private Program() {}

  /** How a run ended. */
  public record Result(int exitCode, String out, String err) {}

  /** The folder of the distribution. */
  public static Path dist() {
    if (!Files.isDirectory(DIST.resolve("lib"))) {
      throw new IllegalStateException(
          "spillway.dist: "
              + DIST
              + " has no folder lib (expected the jars of the relay). Build it: mvn package");
    }
    return DIST;
  }

  /** The command line that runs a verb of the program. */
  public static List<String> command(List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(FLAGS.trim().split(" +")));
    command.removeIf(String::isEmpty);
    command.addAll(
        List.of(
            "-Xms32m",
            "-Xmx256m",
            "-cp",
            dist().resolve("lib") + File.separator + "*",
            "io.spillway.relay.Main"));
    command.addAll(arguments);
    return command;
  }

  /** What a command line starts with so that it runs as another user; needs root. */
  public static List<String> asUser(int uid) {
    return List.of("setpriv", "--reuid=" + uid, "--regid=" + uid, "--clear-groups");
  }

  /** Runs a verb to its end, at most two minutes. */
  public static Result run(Path directory, Map<String, String> environment, String... arguments) {
    return run(directory, environment, List.of(), arguments);
  }

  /**
   * As above.
   *
   * @param launcher a command that becomes the program's; may be empty
   */
  public static Result run(
      Path directory, Map<String, String> environment, List<String> launcher, String... arguments) {
    List<String> command = new ArrayList<>(launcher);
    command.addAll(command(List.of(arguments)));
    Path out = directory.resolve("out.txt");
    Path err = directory.resolve("err.txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().putAll(environment);
    try {
      Process process = builder.start();
      try {
        if (!process.waitFor(RUN_SECONDS, TimeUnit.SECONDS)) {
          throw new AssertionError(
              String.join(" ", arguments) + " did not end in " + RUN_SECONDS + " s");
        }
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }
}
