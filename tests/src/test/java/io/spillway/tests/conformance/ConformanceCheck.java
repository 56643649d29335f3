package io.spillway.tests.conformance;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Fails a build whose tests do not show what {@code docs/conformance.md} says. Runs at the end of
 * {@code mvn verify}, in the last module; a build that was told to leave out tests is not judged.
 *
 * <p>Arguments: the repository, the start of the build, and {@code name=value} of what may have
 * been said to Maven; a value that still is {@code ${…}} was not said.
 */
public final class ConformanceCheck {
  private static final String PAGE = "docs/conformance.md";
  private static final String STATEMENTS = "tests/src/test/resources/conformance.tsv";
  private static final String MADE = "tests/target/conformance.md";

  /** What a build of all tests says, or leaves unsaid. */
  private static final Map<String, String> ALL_TESTS =
      Map.of(
          "skipUnitTests",
          "false",
          "skipITs",
          "false",
          "spillway.tests",
          "!long & !containers & !interop");

  private ConformanceCheck() {}

  public static void main(String[] args) throws IOException {
    Path repository = Path.of(args[0]).toRealPath();
    List<String> said = List.of(args).subList(2, args.length);
    String partial = partial(said);
    if (!partial.isEmpty()) {
      System.out.printf("conformance: not checked in a build with %s.%n", partial);
      return;
    }
    List<String> problems = problems(repository, Instant.parse(args[1]));
    problems.forEach(problem -> System.err.println("conformance: " + problem));
    if (!problems.isEmpty()) {
      System.exit(1);
    }
  }

  /** What the build was told that makes it run some tests only; empty if nothing. */
  static String partial(List<String> said) {
    for (String each : said) {
      String[] nameAndValue = each.split("=", 2);
      String all = ALL_TESTS.get(nameAndValue[0]);
      boolean whole = all == null ? nameAndValue[1].startsWith("${") : nameAndValue[1].equals(all);
      if (!whole) {
        return "-D" + each;
      }
    }
    return "";
  }

  /** Writes the page as it should be, and compares. */
  static List<String> problems(Path repository, Instant buildStart) throws IOException {
    List<Statement> statements = Statement.read(repository.resolve(STATEMENTS));
    Marks marks = Marks.in(repository);
    Reports reports = Reports.of(repository, buildStart);
    ConformanceTable table =
        new ConformanceTable(statements, marks.found(), reports::of, decisions(repository));
    List<String> problems = new ArrayList<>(marks.problems());
    problems.addAll(table.problems());

    Path made = repository.resolve(MADE);
    Files.writeString(made, table.markdown());
    Path page = repository.resolve(PAGE);
    if (!Files.exists(page) || Files.mismatch(made, page) >= 0) {
      problems.add(
          "%s is not what this build showed. Bring it up to date: cp %s %s"
              .formatted(PAGE, MADE, PAGE));
    }
    return problems;
  }

  /** The text of all decision records. */
  static String decisions(Path repository) throws IOException {
    StringBuilder text = new StringBuilder();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(repository.resolve("docs/decisions"), "*.md")) {
      for (Path file : files) {
        text.append(Files.readString(file));
      }
    }
    return text.toString();
  }
}
