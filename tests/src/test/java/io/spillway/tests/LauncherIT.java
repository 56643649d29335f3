package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.Program;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher of a checkout records a start once, and starts from the recording; one that is no
 * good is left aside without a word. A tarball brings its recording along.
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

    Path launcher = directory.resolve("spillway");
    String first = startAndStop(launcher, "first");
    List<Path> recorded = recordings(dist);
    String second = startAndStop(launcher, "second");

    assertThat(first).contains(RECORDING);
    assertThat(recorded).singleElement().satisfies(file -> assertThat(file).isNotEmptyFile());
    assertThat(second).doesNotContain(RECORDING).doesNotContain("[aot]");
    assertThat(recordings(dist)).isEqualTo(recorded);

    try (FileChannel file = FileChannel.open(recorded.getFirst(), StandardOpenOption.WRITE)) {
      file.truncate(file.size() / 2);
    }
    String third = startAndStop(launcher, "third");

    assertThat(third.lines()).allMatch(line -> line.contains(" INFO "), "a line of the relay");
  }

  @Test
  void tarball_unpackedElsewhere_startsFromItsRecording() throws Exception {
    Path dist = checkout();
    Path unpacked = Files.createDirectory(directory.resolve("unpacked"));
    Path packed = Files.createDirectory(directory.resolve("packed"));

    String written = run(directory.resolve("deploy/tarball").toString(), packed.toString());
    Path tarball = Path.of(written.lines().reduce("", (before, last) -> last));
    run("tar", "-xzf", tarball.toString(), "-C", unpacked.toString());
    Path home;
    try (Stream<Path> files = Files.list(unpacked)) {
      home = files.findFirst().orElseThrow();
    }
    String started = startAndStop(home.resolve("bin/spillway"), "tarball");

    assertThat(recordings(dist)).as("what packing leaves behind").isEmpty();
    assertThat(recordings(home)).singleElement().satisfies(f -> assertThat(f).isNotEmptyFile());
    assertThat(started.lines()).allMatch(line -> line.contains(" INFO "), "a line of the relay");
    assertThat(run(home.resolve("bin/spillway").toString(), "--version")).startsWith("spillway ");
  }

  @Test
  void run_fastCrypto_optimizesTheJdksCryptographyAlone() throws Exception {
    checkout();
    Path launcher = directory.resolve("spillway");

    String started = startAndStop(launcher, "fast", Map.of("SPILLWAY_FAST_CRYPTO", "yes"));
    Process wrong =
        process(Map.of("SPILLWAY_FAST_CRYPTO", "on"), launcher.toString(), "run").start();
    String refused = new String(wrong.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(started).contains("2 compiler directives added").contains("ready: ");
    assertThat(refused).contains("SPILLWAY_FAST_CRYPTO is \"on\"; it may be yes or no");
    assertThat(wrong.waitFor()).isEqualTo(2);
  }

  /** What a command writes; it must end with 0. */
  private String run(String... command) throws Exception {
    Path log = Files.createTempFile(directory, "run", ".log");
    Process process = process(Map.of(), command).redirectOutput(log.toFile()).start();
    try {
      assertThat(process.waitFor(WAIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).as(Files.readString(log)).isZero();
      return Files.readString(log);
    } finally {
      process.destroyForcibly();
    }
  }

  private static ProcessBuilder process(Map<String, String> environment, String... command) {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    return builder;
  }

  /** What the launcher and the packer look at, with the distribution that the other tests use. */
  private Path checkout() throws IOException {
    copy(REPOSITORY.resolve("spillway"), directory.resolve("spillway"));
    for (String file :
        List.of(
            "pom.xml",
            "README.md",
            "CHANGELOG.md",
            "deploy/tarball",
            "deploy/image/config.yaml",
            "relay/src/main/dist/bin/find-java")) {
      copy(REPOSITORY.resolve(file), directory.resolve(file));
    }
    Path dist = directory.resolve("relay/target/dist");
    copy(REPOSITORY.resolve("relay/pom.xml"), directory.resolve("relay/pom.xml"));
    try (Stream<Path> files = Files.walk(Program.dist())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.getFileName().toString().endsWith(".aot")) {
          copy(file, dist.resolve(Program.dist().relativize(file).toString()));
        }
      }
    }
    Files.writeString(dist.resolve("built"), "");
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

  private String startAndStop(Path launcher, String name) throws Exception {
    return startAndStop(launcher, name, Map.of());
  }

  /** Starts the relay until it is ready, stops it, and returns what was written. */
  private String startAndStop(Path launcher, String name, Map<String, String> environment)
      throws Exception {
    Path log = directory.resolve(name + ".log");
    String config = directory.resolve("config.yaml").toString();
    Process process =
        process(environment, launcher.toString(), "run", "--config", config)
            .redirectOutput(log.toFile())
            .start();
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
