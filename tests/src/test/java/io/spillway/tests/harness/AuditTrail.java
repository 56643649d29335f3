package io.spillway.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a relay wrote into its audit of the egress policy, below the buffer directory. */
public final class AuditTrail {
  private static final JsonMapper JSON = JsonMapper.shared();

  private final Path file;

  /**
   * @param directory as {@link Yaml#anywhere} was given
   */
  public AuditTrail(Path directory) {
    file = directory.resolve("buffer").resolve("audit").resolve("egress.jsonl");
  }

  public Path file() {
    return file;
  }

  /** All lines so far; empty if there is no file. */
  public List<JsonNode> lines() {
    try {
      return Files.exists(file)
          ? Files.readAllLines(file).stream().map(JSON::readTree).toList()
          : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether an exporter was denied a destination at a stage. */
  public boolean hasDenied(String stage, String exporter) {
    return lines().stream()
        .anyMatch(
            line ->
                line.path("stage").asString("").equals(stage)
                    && line.path("verdict").asString("").equals("denied")
                    && line.path("exporter").asString("").equals(exporter));
  }
}
