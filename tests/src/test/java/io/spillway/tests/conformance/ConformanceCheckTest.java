package io.spillway.tests.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConformanceCheckTest {
  private static final String SELECTION = "<spillway.tests>";

  private static final Instant BUILD_START = Instant.parse("2026-11-23T10:00:00Z");
  private static final String MUST = "G-01\tMUST\tS\tserves\tOTLP\t\n";
  private static final String CHOICE = "G-02\tPOL\tS\tchooses\tOTLP is silent\t\n";
  private static final String MARK = "// " + "conformance: "; // not a mark of this class
  private static final String TEST = "  @Test\n  void serves_all_ok() {}\n";
  private static final String PASSED = "<testcase name=\"serves_all_ok\" classname=\"a.FooTest\"/>";

  @TempDir Path repository;

  @BeforeEach
  void writeRepository() throws IOException {
    write("docs/decisions/001.md", "");
    write("tests/target/surefire-reports/TEST-a.OtherTest.xml", "<testsuite/>");
    statements(MUST);
    source("  " + MARK + "G-01\n" + TEST);
    report(PASSED);
    bringUpToDate();
  }

  /** A fast look at the real list and the real marks; the results are for the whole build. */
  @Test
  void problems_thisRepositoryIfAllTestsPass_none() throws IOException {
    Path here = Path.of("..");
    Marks marks = Marks.in(here);
    ConformanceTable table =
        new ConformanceTable(
            Statement.read(here.resolve("tests/src/test/resources/conformance.tsv")),
            marks.found(),
            (className, method) -> Result.PASSED,
            ConformanceCheck.decisions(here));

    assertThat(marks.problems()).isEmpty();
    assertThat(table.problems()).isEmpty();
  }

  @Test
  void problems_testPassed_none() throws IOException {
    assertThat(problems()).isEmpty();
    assertThat(Files.readString(repository.resolve("docs/conformance.md")))
        .contains("| MUST | 1 | 1 | 0 |")
        .contains("| G-01 | MUST | serves [OTLP] | **FooTest** serves_all_ok | passed |");
  }

  @ParameterizedTest
  @CsvSource({
    "'<testcase name=\"serves_all_ok\" classname=\"a.FooTest\"><failure/></testcase>', failed",
    "'<testcase name=\"serves_all_ok\" classname=\"a.FooTest\"><error/></testcase>', failed",
    "'<testcase name=\"serves_all_ok\" classname=\"a.FooTest\"><skipped/></testcase>', did not run",
    "'<testcase name=\"another\" classname=\"a.FooTest\"/>', did not run",
  })
  void problems_testDidNotPass_saysSo(String testcase, String words) throws IOException {
    report(testcase);

    assertThat(problems()).contains("G-01 (MUST): FooTest.serves_all_ok " + words).hasSize(2);
  }

  @Test
  void problems_oneCaseFailed_isFailed() throws IOException {
    report(
        "<testcase name=\"serves_all_ok(String)[1]\" classname=\"a.FooTest\"><failure/></testcase>"
            + "<testcase name=\"serves_all_ok(String)[2]\" classname=\"a.FooTest\"/>");

    assertThat(problems()).contains("G-01 (MUST): FooTest.serves_all_ok failed");
  }

  @Test
  void problems_reportOfAnEarlierBuild_testDidNotRun() throws IOException {
    Files.setLastModifiedTime(
        repository.resolve("tests/target/surefire-reports/TEST-a.FooTest.xml"),
        FileTime.from(BUILD_START.minusSeconds(1)));

    assertThat(problems()).contains("G-01 (MUST): FooTest.serves_all_ok did not run");
  }

  @Test
  void problems_noTest_saysHowToMark() throws IOException {
    source(TEST);

    assertThat(problems())
        .contains(
            "G-01 (MUST): no test of the default build shows it; mark one with \""
                + MARK
                + "G-01\"");
  }

  @Test
  void problems_onlyALongTest_isNone() throws IOException {
    source("  " + MARK + "G-01\n  @Tag(\"long\")\n" + TEST);

    assertThat(problems())
        .first()
        .asString()
        .startsWith("G-01 (MUST): no test of the default build shows it");
  }

  @Test
  void problems_noteInsteadOfATest_isFine() throws IOException {
    statements(MUST + "G-03\tMAY\tS\tmay\tOTLP\tNot done.\n");
    bringUpToDate();

    assertThat(problems()).isEmpty();
  }

  @Test
  void problems_noteAndTest_noteIsOutOfDate() throws IOException {
    statements(MUST.replace("\n", "Cannot be tested.\n"));

    assertThat(problems())
        .contains("G-01: has a test, so its note is out of date: Cannot be tested.");
  }

  @Test
  void problems_choiceWithoutDecision_isReported() throws IOException {
    statements(MUST + CHOICE);
    source("  " + MARK + "G-01,\n  // G-02\n" + TEST);
    assertThat(problems()).contains("G-02: is our choice, but no decision record explains it");

    write("docs/decisions/001.md", "| G-02 | so |");
    bringUpToDate();
    assertThat(problems()).isEmpty();
  }

  @Test
  void problems_unknownId_isReported() throws IOException {
    source("  " + MARK + "G-01, G-99\n" + TEST);

    assertThat(problems()).contains("FooTest.serves_all_ok: no statement has the id G-99");
  }

  @ParameterizedTest
  @ValueSource(strings = {"G-1", "G-01 G-02", "G-01\n\n", "G-01,\n"})
  void problems_markThatMarksNothing_isReported(String ids) throws IOException {
    source("  " + MARK + ids + "\n" + TEST);

    assertThat(problems()).first().asString().contains("FooTest.java:2: " + MARK);
  }

  @Test
  void problems_pageSaysSomethingElse_saysHowToMendIt() throws IOException {
    write("docs/conformance.md", "all is well");

    assertThat(problems())
        .containsExactly(
            "docs/conformance.md is not what this build showed. Bring it up to date:"
                + " cp tests/target/conformance.md docs/conformance.md");
  }

  @ParameterizedTest
  @CsvSource({
    "skipUnitTests=true, -DskipUnitTests=true",
    "spillway.tests=long, -Dspillway.tests=long",
    "skipITs=true, -DskipITs=true",
    "test=Foo, -Dtest=Foo",
    "it.test=FooIT, -Dit.test=FooIT"
  })
  void partial_someTestsOnly_saysWhy(String said, String why) {
    assertThat(ConformanceCheck.partial(List.of(said))).isEqualTo(why);
  }

  /**
   * What a plain build runs is written in the pom; a change of it must not switch the check off.
   */
  @Test
  void partial_plainVerify_isWhole() throws IOException {
    String pom = Files.readString(Path.of("pom.xml"));
    String written =
        pom.substring(
            pom.indexOf(SELECTION) + SELECTION.length(), pom.indexOf("</spillway.tests>"));

    assertThat(
            ConformanceCheck.partial(
                List.of(
                    "skipUnitTests=false",
                    "spillway.tests=" + written.replace("&amp;", "&"),
                    "skipITs=false",
                    "test=${test}",
                    "it.test=${it.test}")))
        .isEmpty();
  }

  private List<String> problems() throws IOException {
    return ConformanceCheck.problems(repository, BUILD_START);
  }

  private void bringUpToDate() throws IOException {
    write("docs/conformance.md", "");
    problems();
    write(
        "docs/conformance.md", Files.readString(repository.resolve("tests/target/conformance.md")));
  }

  private void statements(String lines) throws IOException {
    write("tests/src/test/resources/conformance.tsv", "# id, level, …\n" + lines);
  }

  private void source(String body) throws IOException {
    write("otlp/src/test/java/a/FooTest.java", "package a;\n" + body + "}\n");
  }

  private void report(String testcases) throws IOException {
    write(
        "tests/target/surefire-reports/TEST-a.FooTest.xml",
        "<testsuite>" + testcases + "</testsuite>");
  }

  private void write(String file, String text) throws IOException {
    Path path = repository.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }
}
