package io.spillway.tests.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * One statement of the list.
 *
 * @param id section and number, {@code G-01}
 * @param level how much the source insists: {@code MUST}, {@code FACT}, …
 * @param role who it is about: {@code S} a server, {@code C} a client, {@code R} a relay
 * @param source where it is written
 * @param note why no test can show it; empty for all others
 */
record Statement(String id, String level, String role, String text, String source, String note) {

  /** Reads a list: a statement a line, its parts parted by tabs; {@code #} begins a comment. */
  static List<Statement> read(Path list) throws IOException {
    return Files.readAllLines(list).stream()
        .filter(line -> !line.startsWith("#"))
        .map(Statement::of)
        .toList();
  }

  private static Statement of(String line) {
    String[] parts = line.split("\t", -1);
    if (parts.length != 6) {
      throw new IllegalArgumentException("%d parts (expected 6): %s".formatted(parts.length, line));
    }
    return new Statement(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
  }

  String section() {
    return id.substring(0, id.indexOf('-'));
  }

  /** Whether the decision is ours, which a decision record has to explain. */
  boolean isOurChoice() {
    return level.equals("POL");
  }
}
