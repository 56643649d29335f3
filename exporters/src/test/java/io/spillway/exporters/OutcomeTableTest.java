package io.spillway.exporters;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.exporters.OutcomeTable.Row;
import io.spillway.exporters.OutcomeTable.Target;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds what {@code docs/outcomes.md} says, against sinks on real sockets. */
@Timeout(180)
final class OutcomeTableTest {
  private static final Path PAGE = Path.of("../docs/outcomes.md");
  private static Exporters exporters;

  private final List<AutoCloseable> opened = new ArrayList<>();

  static Stream<Row> rows() {
    return OutcomeTable.rows().stream();
  }

  /** Only an answer can be taken for final. */
  static Stream<Row> answers() {
    return rows().filter(row -> !row.rules().contains("E-40"));
  }

  @BeforeAll
  static void open() {
    exporters =
        new Exporters(
            new FakePolicy(),
            InstantSource.fixed(ExporterContract.NOW),
            NameLookup.SYSTEM,
            "1.2.3");
  }

  @AfterAll
  static void close() {
    exporters.close();
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable one : opened.reversed()) {
      one.close();
    }
  }

  private AutoCloseable own(AutoCloseable one) {
    opened.add(one);
    return one;
  }

  // conformance: E-23, E-30, E-31, E-32, E-33, E-34, E-35, E-36, E-37, E-40, E-44, E-45, E-47,
  // E-48, E-49, E-50
  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void export_toTheSink_endsAsThePageSays(Row row) throws Exception {
    assertThat(OutcomeTable.text(export(row, false))).isEqualTo(row.outcome());
  }

  // conformance: E-34, E-35
  @ParameterizedTest(name = "{0}")
  @MethodSource("answers")
  void export_strictly_endsAsThePageSays(Row row) throws Exception {
    assertThat(OutcomeTable.text(export(row, true))).isEqualTo(row.strict());
  }

  @Test
  void page_tables_areThoseOfTheTest() throws IOException {
    List<String> lines =
        Files.readAllLines(PAGE).stream()
            .dropWhile(line -> !line.equals("## `otlp_http`"))
            .filter(line -> line.startsWith("| ") && !line.startsWith("| the sink "))
            .toList();

    assertThat(lines)
        .containsExactlyElementsOf(OutcomeTable.rows().stream().map(Row::line).distinct().toList());
  }

  private Outcome export(Row row, boolean strict) throws Exception {
    Target target = OutcomeTable.open(row, this::own);
    Exporter exporter = exporters.create(config(row.type(), target, strict));
    own(() -> exporter.close(Duration.ZERO));
    return exporter.export(Requests.spans(OutcomeTable.ITEMS)).get(120, SECONDS);
  }

  private static ExporterConfig config(String type, Target target, boolean strict) {
    List<String> lines = new ArrayList<>(List.of("endpoint: \"" + target.endpoint() + "\""));
    lines.addAll(target.keys());
    if (strict) {
      lines.add("strict_otlp: true");
    }
    if (lines.stream().noneMatch(line -> line.startsWith("timeout:"))) {
      lines.add("timeout: 2m"); // a starved machine must not turn an answer into a timeout
    }
    String yaml = "exporters:\n  " + type + ":\n    " + String.join("\n    ", lines);
    Configuration configuration = ConfigurationLoader.parse("test.yaml", yaml, Map.of());
    ExporterConfig config = ExporterConfig.readAll(configuration.root()).get(type);
    assertThat(configuration.problems().all()).isEmpty();
    return config;
  }
}
