package io.spillway.tests.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this is measured on. */
public final class Machine {

  private Machine() {}

  /** The machine, in a few words. */
  public static String describe() throws IOException {
    String model =
        Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 2))
            .findFirst()
            .orElse("unknown processor");
    return "%d cores of %s, %s %s, Java %s"
        .formatted(
            Runtime.getRuntime().availableProcessors(),
            model,
            System.getProperty("os.name"),
            System.getProperty("os.version"),
            Runtime.version());
  }
}
