package io.spillway.tests.conformance;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Statements beside the tests that show them and their results.
 *
 * @param results of a class and a method
 * @param decisions the text of all decision records
 */
record ConformanceTable(
    List<Statement> statements,
    List<Mark> marks,
    BiFunction<String, String, Result> results,
    String decisions) {

  private static final Map<String, String> SECTIONS = new LinkedHashMap<>();

  static {
    SECTIONS.put("G", "OTLP/gRPC server");
    SECTIONS.put("H", "OTLP/HTTP server");
    SECTIONS.put("J", "JSON");
    SECTIONS.put("R", "Relay");
    SECTIONS.put("W", "Wire");
    SECTIONS.put("E", "Exporters, as far as tests bear these ids");
  }

  /** What keeps the table from being true; empty if nothing does. */
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    List<String> known = statements.stream().map(Statement::id).toList();
    for (Mark mark : marks) {
      for (String id : mark.ids()) {
        if (!known.contains(id)) {
          problems.add("%s: no statement has the id %s".formatted(name(mark), id));
        }
      }
    }
    for (Statement statement : statements) {
      addProblems(statement, problems);
    }
    return problems;
  }

  private void addProblems(Statement statement, List<String> problems) {
    String id = statement.id();
    List<Mark> tests = testsOf(statement);
    if (!SECTIONS.containsKey(statement.section())) {
      problems.add("%s: no such section (expected one of %s)".formatted(id, SECTIONS.keySet()));
    }
    if (tests.stream().allMatch(Mark::tagged) && statement.note().isEmpty()) {
      problems.add(
          "%s (%s): no test of the default build shows it; mark one with \"// conformance: %s\""
              .formatted(id, statement.level(), id));
    }
    if (!tests.isEmpty() && !statement.note().isEmpty()) {
      problems.add(
          "%s: has a test, so its note is out of date: %s".formatted(id, statement.note()));
    }
    for (Mark test : tests) {
      if (!test.tagged() && resultOf(test) != Result.PASSED) {
        problems.add("%s (%s): %s %s".formatted(id, statement.level(), name(test), resultOf(test)));
      }
    }
    if (statement.isOurChoice() && !Pattern.compile("\\b" + id + "\\b").matcher(decisions).find()) {
      problems.add("%s: is our choice, but no decision record explains it".formatted(id));
    }
  }

  /** The page. */
  String markdown() {
    StringBuilder page =
        new StringBuilder(
            """
            # Conformance

            What OTLP and what lies below it say to a server, a relay and a client, and the tests that show that Spillway does so. `mvn verify` makes
            this page of [the statements](../tests/src/test/resources/conformance.tsv), of the marks in the tests (`// conformance: ID`) and of
            what became of those tests, and fails if a statement has no test, if one of its tests failed or did not run, or if this page says something else.

            Levels: MUST, SHOULD, MAY are the source's words, REC its lower-case "recommended". FACT follows from a source, or is what senders and
            sinks are known to do. POL is left open by every source; [the decision records](decisions/010-otlp-server-choices.md) say what we chose, and why.
            Sources: OTLP (its specification and protocol files), EXP (OpenTelemetry specification, exporters), GRPC (grpc/doc), PB and PBJ (protobuf
            encoding and JSON), RPC (google.rpc), TSH (trace state handling), COL (the Collector).

            """);
    appendSummary(page);
    SECTIONS.forEach((letter, title) -> appendSection(page, letter, title));
    return page.toString();
  }

  private void appendSummary(StringBuilder page) {
    page.append(
        "| | statements | shown by tests that passed | without a test |\n|---|---|---|---|\n");
    Map<String, List<Statement>> byLevel =
        statements.stream()
            .collect(groupingBy(Statement::level, LinkedHashMap::new, Collectors.toList()));
    byLevel.forEach(
        (level, of) -> {
          long shown = of.stream().filter(s -> resultOf(s).equals("passed")).count();
          page.append(
              "| %s | %d | %d | %d |\n".formatted(level, of.size(), shown, of.size() - shown));
        });
  }

  private void appendSection(StringBuilder page, String letter, String title) {
    List<Statement> section = statements.stream().filter(s -> s.section().equals(letter)).toList();
    if (section.isEmpty()) {
      return;
    }
    page.append("\n## %s\n\n| id | level | statement | tests | result |\n".formatted(title));
    page.append("|---|---|---|---|---|\n");
    for (Statement s : section) {
      page.append(
          "| %s | %s | %s [%s] | %s | %s |\n"
              .formatted(
                  s.id(),
                  s.level(),
                  escaped(s.text()),
                  escaped(s.source()),
                  tests(s),
                  resultOf(s)));
    }
  }

  private String tests(Statement statement) {
    if (!statement.note().isEmpty()) {
      return escaped(statement.note());
    }
    Map<String, List<String>> byClass =
        testsOf(statement).stream()
            .collect(
                groupingBy(
                    Mark::simpleClassName,
                    LinkedHashMap::new,
                    mapping(t -> t.method() + (t.tagged() ? " (`-Plong`)" : ""), toList())));
    return byClass.entrySet().stream()
        .map(e -> "**%s** %s".formatted(e.getKey(), String.join(", ", e.getValue())))
        .collect(joining("; "));
  }

  /** Of the tests of the default build. */
  private String resultOf(Statement statement) {
    return testsOf(statement).stream()
        .filter(test -> !test.tagged())
        .map(this::resultOf)
        .reduce(Result::and)
        .map(Result::toString)
        .orElse("–");
  }

  private Result resultOf(Mark test) {
    return results.apply(test.className(), test.method());
  }

  private List<Mark> testsOf(Statement statement) {
    return marks.stream().filter(mark -> mark.ids().contains(statement.id())).toList();
  }

  private static String name(Mark mark) {
    return mark.simpleClassName() + "." + mark.method();
  }

  private static String escaped(String text) {
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;");
  }
}
