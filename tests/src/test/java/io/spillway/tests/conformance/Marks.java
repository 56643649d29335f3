package io.spillway.tests.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Reads the marks in test sources: {@code // conformance: G-01, G-02} right before the annotations
 * of a test method, continued on comment lines as long as a line ends in a comma.
 */
final class Marks {
  private static final String WORD = "// conformance:";
  private static final Pattern IDS = Pattern.compile("[A-Z]-\\d\\d(, [A-Z]-\\d\\d)*,?");
  private static final Pattern METHOD =
      Pattern.compile("  (?:public |protected |private |static )*void (\\w+)\\(.*");
  private static final Pattern PACKAGE = Pattern.compile("package ([\\w.]+);");
  private static final String TAG = "@Tag(";

  private final List<Mark> found = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();

  /** Reads all test sources of all modules of a repository. */
  static Marks in(Path repository) throws IOException {
    Marks marks = new Marks();
    try (Stream<Path> modules = Files.list(repository)) {
      for (Path tests : modules.map(module -> module.resolve("src/test/java")).sorted().toList()) {
        if (Files.isDirectory(tests)) {
          marks.readAll(tests);
        }
      }
    }
    return marks;
  }

  List<Mark> found() {
    return found;
  }

  /** Marks that cannot be read, or that mark nothing. */
  List<String> problems() {
    return problems;
  }

  private void readAll(Path tests) throws IOException {
    try (Stream<Path> files = Files.walk(tests)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).sorted().toList()) {
        read(file);
      }
    }
  }

  private void read(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    String className = className(file, lines);
    boolean classTagged = lines.stream().anyMatch(line -> line.startsWith(TAG));
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).strip().startsWith(WORD)) {
        readMark(file, lines, i, className, classTagged);
      }
    }
  }

  private void readMark(
      Path file, List<String> lines, int first, String className, boolean classTagged) {
    StringBuilder ids =
        new StringBuilder(lines.get(first).strip().substring(WORD.length()).strip());
    int at = first + 1;
    while (ids.toString().endsWith(",") && lines.get(at).strip().startsWith("// ")) {
      ids.append(' ').append(lines.get(at++).strip().substring(3));
    }
    boolean tagged = classTagged;
    // Annotations end where a line of the class's own depth is none of theirs.
    for (; at < lines.size() && !lines.get(at).isBlank(); at++) {
      Matcher method = METHOD.matcher(lines.get(at));
      if (method.matches() && IDS.matcher(ids).matches()) {
        found.add(
            new Mark(List.of(ids.toString().split(", ")), className, method.group(1), tagged));
        return;
      }
      tagged |= lines.get(at).strip().startsWith(TAG);
    }
    problems.add(
        "%s:%d: %s (expected \"%s ID[, ID]\" right before a test method)"
            .formatted(file, first + 1, lines.get(first).strip(), WORD));
  }

  private static String className(Path file, List<String> lines) {
    String inPackage =
        lines.stream()
            .map(PACKAGE::matcher)
            .filter(Matcher::matches)
            .map(line -> line.group(1) + ".")
            .findFirst()
            .orElse("");
    return inPackage + file.getFileName().toString().replace(".java", "");
  }
}
