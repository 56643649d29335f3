package io.spillway.relay;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that say which configuration to read. */
final class ConfigOptions {

  /**
   * What runs without a configuration: OTLP on loopback, everything kept in files beside the
   * buffer.
   */
  private static final String BUILT_IN =
      """
      receivers:
        otlp:
          protocols:
            grpc: { endpoint: "127.0.0.1:4317" }
            http: { endpoint: "127.0.0.1:4318" }
      exporters:
        file/archive: { directory: spillway-data/archive }
      routes:
        - name: default
          exporters: [file/archive]
      """;

  @Option(
      names = RunArguments.CONFIG,
      paramLabel = "FILE",
      description =
          "YAML configuration; repeat it to merge files, later ones win. Default: OTLP on"
              + " 4317/4318, into files.")
  private List<Path> files = new ArrayList<>();

  @Option(
      names = RunArguments.SET,
      paramLabel = "a.b=VALUE",
      description = "Sets one value over the files; repeatable.")
  private List<String> overrides = new ArrayList<>();

  ConfigOptions() {}

  ConfigOptions(List<Path> files, List<String> overrides) {
    this.files = files;
    this.overrides = overrides;
  }

  List<Path> files() {
    return List.copyOf(files);
  }

  List<String> overrides() {
    return List.copyOf(overrides);
  }

  /** Reads the files again each time. */
  Configuration load() {
    return files.isEmpty() && overrides.isEmpty()
        ? ConfigurationLoader.parse("built-in", BUILT_IN, System.getenv())
        : ConfigurationLoader.load(files, overrides, System.getenv());
  }
}
