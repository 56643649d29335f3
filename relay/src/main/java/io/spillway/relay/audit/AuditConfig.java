package io.spillway.relay.audit;

import io.spillway.config.Section;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * {@code egress::audit}.
 *
 * @param enabled whether a file is written; denials are logged and counted all the same
 * @param maxBytes of one file
 * @param maxFiles how many there are at most, the one that is written included
 */
public record AuditConfig(boolean enabled, Path file, long maxBytes, int maxFiles) {
  private static final long KIB = 1 << 10;
  private static final long GIB = 1 << 30;
  private static final long DEFAULT_BYTES = 10 << 20;
  private static final int DEFAULT_FILES = 5;
  private static final int MOST_FILES = 1000;

  /**
   * Reads {@code audit} in the section {@code egress}.
   *
   * @param bufferDirectory where the file is, unless the section says otherwise
   */
  public static AuditConfig read(Section egress, Path bufferDirectory) {
    Section audit = egress.section("audit");
    return new AuditConfig(
        audit.bool("enabled", true),
        file(audit, bufferDirectory.resolve("audit").resolve("egress.jsonl")),
        audit.bytes("max_bytes", DEFAULT_BYTES, 64 * KIB, GIB),
        audit.integer("max_files", DEFAULT_FILES, 1, MOST_FILES));
  }

  private static Path file(Section audit, Path fallback) {
    String written = audit.string("file", "");
    try {
      return written.isEmpty() ? fallback : Path.of(written);
    } catch (InvalidPathException e) {
      audit.problem("file", "\"" + written + "\" is not a path (expected a file)");
      return fallback;
    }
  }
}
