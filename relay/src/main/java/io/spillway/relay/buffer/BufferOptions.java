package io.spillway.relay.buffer;

import io.spillway.buffer.BufferConfig;
import io.spillway.buffer.BufferReader;
import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.config.Problems.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say which buffer directory to read. */
final class BufferOptions {

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "The relay's configuration; its buffer::directory is read. Repeat it as for run."
              + " Default: ./spillway-data.")
  private List<Path> files = new ArrayList<>();

  @Option(
      names = "--set",
      paramLabel = "a.b=VALUE",
      description = "Sets one value over the files; repeatable.")
  private List<String> overrides = new ArrayList<>();

  @Option(
      names = "--directory",
      paramLabel = "DIR",
      description = "The buffer directory itself, or a copy of one.")
  private @Nullable Path directory;

  @Option(
      names = "--key-file",
      paramLabel = "FILE",
      description = "The keys of encrypted blocks. Default: that of the configuration, if any.")
  private @Nullable Path keyFile;

  /**
   * Opens the directory for reading.
   *
   * @throws CommandFailure if there is none
   */
  BufferReader open() throws CommandFailure, IOException {
    if (directory != null && !files.isEmpty()) {
      throw CommandFailure.badUsage("--config and --directory are both given (expected one)");
    }
    if (directory != null) {
      return open(directory, keyFile);
    }
    BufferConfig buffer = configured();
    return open(buffer.directory(), keyFile != null ? keyFile : buffer.keyFile());
  }

  /**
   * Opens a directory for reading.
   *
   * @param keyFile the keys of encrypted blocks; null for none
   */
  private static BufferReader open(Path directory, @Nullable Path keyFile)
      throws CommandFailure, IOException {
    if (!Files.isDirectory(directory)) {
      throw CommandFailure.badUsage(
          "buffer directory %s: %s. Name it with --directory, or the relay's configuration with --config."
              .formatted(directory, Files.exists(directory) ? "not a directory" : "not there"));
    }
    return BufferReader.open(directory, keyFile);
  }

  /** Only what concerns the buffer must be right: an operator's shell lacks the sinks' keys. */
  private BufferConfig configured() throws CommandFailure {
    Configuration configuration = ConfigurationLoader.load(files, overrides, System.getenv());
    BufferConfig buffer = BufferConfig.read(configuration.root().section("buffer"));
    List<Problem> problems =
        configuration.problems().all().stream()
            .filter(p -> p.path().startsWith("buffer") || !p.path().contains("::"))
            .toList();
    if (!problems.isEmpty()) {
      throw CommandFailure.badUsage(
          problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
    }
    return buffer;
  }
}
