package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.Program;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher of a checkout records a start once, and starts from the recording; one that is no
 * good is left aside without a word.
 */
@Tag("long")
@Timeout(300)
class LauncherIT {
  private static final Path REPOSITORY =
      Path.of(System.getProperty("spillway.repository", "..")).toAbsolutePath().normalize();
  private static final Duration WAIT = Duration.ofMinutes(2);
  private static final String RECORDING = "recording a start";

  @TempDir private Path directory;

  @Test
  void run_again_startsFromTheRecording() throws Exception {
    Path dist = checkout();

    String first = startAndStop("first");
    List<Path> recorded = recordings(dist);
    String second = startAndStop("second");

    assertThat(first).contains(RECORDING);
    assertThat(recorded).singleElement().satisfies(file -> assertThat(file).isNotEmptyFile());
    assertThat(second).doesNotContain(RECORDING).doesNotContain("[aot]");
    assertThat(recordings(dist)).isEqualTo(recorded);

    try (FileChannel file = FileChannel.open(recorded.getFirst(), StandardOpenOption.WRITE)) {
      file.truncate(file.size() / 2);
    }
    String third = startAndStop("third");

    assertThat(third.lines()).allMatch(line -> line.contains(" INFO "), "a line of the relay");
  }

  /** What the launcher looks at, with the distribution that the other tests use. */
  private Path checkout() throws IOException {
    copy(REPOSITORY.resolve("spillway"), directory.resolve("spillway"));
    copy(REPOSITORY.resolve("pom.xml"), directory.resolve("pom.xml"));
    Path dist = directory.resolve("relay/target/dist");
    Files.createDirectories(directory.resolve("relay/src/main"));
    copy(REPOSITORY.resolve("relay/pom.xml"), directory.resolve("relay/pom.xml"));
    Files.createDirectories(dist.resolve("lib"));
    try (Stream<Path> jars = Files.list(Program.dist().resolve("lib"))) {
      for (Path jar : jars.toList()) {
        copy(jar, dist.resolve("lib").resolve(jar.getFileName()));
      }
    }
    Files.createFile(dist.resolve("built"));
    Files.writeString(
        directory.resolve("config.yaml"),
        """
        receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } }
        buffer: { directory: "%s", min_free: 1MiB }
        exporters: { debug: {} }
        routes: [ { name: default, exporters: [debug] } ]
        admin: { endpoint: "127.0.0.1:0" }
        """
            .formatted(directory.resolve("buffer")));
    return dist;
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to.getParent());
    Files.copy(from, to);
    if (Files.isExecutable(from)) {
      assertThat(to.toFile().setExecutable(true)).isTrue();
    }
  }

  private static List<Path> recordings(Path dist) throws IOException {
    try (Stream<Path> files = Files.list(dist)) {
      return files.filter(file -> file.getFileName().toString().contains(".aot")).toList();
    }
  }

  /** Starts the relay until it is ready, stops it, and returns what was written. */
  private String startAndStop(String name) throws Exception {
    Path log = directory.resolve(name + ".log");
    ProcessBuilder builder =
        new ProcessBuilder(
                directory.resolve("spillway").toString(),
                "run",
                "--config",
                directory.resolve("config.yaml").toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Process process = builder.start();
    try {
      await()
          .atMost(WAIT)
          .until(() -> !process.isAlive() || Files.readString(log).contains("ready: "));
      process.destroy();
      assertThat(process.waitFor(WAIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).as(Files.readString(log)).isZero();
      return Files.readString(log);
    } finally {
      process.destroyForcibly();
    }
  }
}
