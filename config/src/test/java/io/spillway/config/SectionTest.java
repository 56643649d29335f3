package io.spillway.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SectionTest {
  private enum Full {
    REFUSE,
    DROP_OLDEST
  }

  @Test
  void getters_valuesAsExpected_readThem() {
    Section root =
        root(
            """
            text: hello
            number_as_text: 0123
            flag: true
            count: 7
            ratio: 0.5
            whole_ratio: 1
            timeout: 1h30m
            size: 64MiB
            plain_size: 1024
            full: drop_oldest
            many: [a, 2, true]
            one: a
            ports: [443, 4317]
            headers: { api-key: abc, x-version: 2 }
            """);

    assertThat(root.string("text", "x")).isEqualTo("hello");
    assertThat(root.string("number_as_text", "x")).isEqualTo("0123");
    assertThat(root.bool("flag", false)).isTrue();
    assertThat(root.integer("count", 1, 0, 10)).isEqualTo(7);
    assertThat(root.decimal("ratio", 1, 0, 1)).isEqualTo(0.5);
    assertThat(root.decimal("whole_ratio", 0, 0, 1)).isEqualTo(1);
    assertThat(root.duration("timeout", Duration.ZERO, Duration.ZERO, Duration.ofDays(1)))
        .isEqualTo(Duration.ofMinutes(90));
    assertThat(root.bytes("size", 0, 0, 1L << 40)).isEqualTo(64L << 20);
    assertThat(root.bytes("plain_size", 0, 0, 1L << 40)).isEqualTo(1024);
    assertThat(root.choice("full", Full.class, Full.REFUSE)).isEqualTo(Full.DROP_OLDEST);
    assertThat(root.strings("many")).containsExactly("a", "2", "true");
    assertThat(root.strings("one")).containsExactly("a");
    assertThat(root.integers("ports", 1, 65535)).containsExactly(443, 4317);
    assertThat(root.stringMap("headers"))
        .containsExactly(Map.entry("api-key", "abc"), Map.entry("x-version", "2"));
  }

  @Test
  void getters_absentOrNull_giveDefaults() {
    Configuration configuration = parse("a:\nb: ~\n");
    Section root = configuration.root();

    assertThat(root.has("a")).isFalse();
    assertThat(root.string("a", "x")).isEqualTo("x");
    assertThat(root.optionalString("b")).isNull();
    assertThat(root.bool("c", true)).isTrue();
    assertThat(root.integer("c", 5, 0, 9)).isEqualTo(5);
    assertThat(root.decimal("c", 0.5, 0, 1)).isEqualTo(0.5);
    assertThat(root.bytes("c", 9, 0, 10)).isEqualTo(9);
    assertThat(root.choice("c", Full.class, Full.REFUSE)).isEqualTo(Full.REFUSE);
    assertThat(root.strings("c")).isEmpty();
    assertThat(root.integers("c", 0, 1)).isEmpty();
    assertThat(root.stringMap("c")).isEmpty();
    assertThat(root.sections("c")).isEmpty();
    assertThat(root.children("c")).isEmpty();
    assertThat(root.section("c").section("d").string("e", "deep")).isEqualTo("deep");
    assertThat(root.section("c").section("d").path()).isEqualTo("c::d");
    assertThat(configuration.problems().isEmpty()).isTrue();
  }

  @Test
  void getters_valuesOfWrongKind_reportAllOfThem() {
    Configuration configuration =
        parse(
            """
            text: [a]
            flag: "yes"
            count: 1.5
            ratio: half
            timeout: 10
            size: 64MB
            full: refuze
            many: [a, [b], {c: d}]
            ports: [443, https]
            headers: { a: [b], c: ~ }
            section: 5
            sections: { a: b }
            elements: [ 5 ]
            children: { a: 7, b: ~ }
            """);
    Section root = configuration.root();

    root.string("text", "");
    root.bool("flag", false);
    root.integer("count", 1, 0, 10);
    root.decimal("ratio", 1, 0, 1);
    root.duration("timeout", Duration.ZERO, Duration.ZERO, Duration.ofDays(1));
    root.bytes("size", 0, 0, 1);
    root.choice("full", Full.class, Full.REFUSE);
    assertThat(root.strings("many")).containsExactly("a");
    assertThat(root.integers("ports", 1, 65535)).containsExactly(443);
    assertThat(root.stringMap("headers")).isEmpty();
    assertThat(root.section("section").keys()).isEmpty();
    assertThat(root.sections("sections")).isEmpty();
    assertThat(root.sections("elements")).hasSize(1);
    assertThat(root.children("children")).containsOnlyKeys("a", "b");
    root.requiredString("endpoint");

    assertThat(messages(configuration))
        .containsExactly(
            "text: found a list (expected text)",
            "flag: found \"yes\" (expected true or false)",
            "count: found 1.5 (expected a whole number)",
            "ratio: found \"half\" (expected a number)",
            "timeout: found 10 (expected a duration such as 10s or 1h30m; units ms, s, m, h, d)",
            "size: found \"64MB\" (expected a size such as 64MiB; units B, KiB, MiB, GiB)",
            "full: found \"refuze\" (expected refuse | drop_oldest)",
            "many[1]: found a list (expected text)",
            "many[2]: found a mapping (expected text)",
            "ports[1]: found \"https\" (expected a whole number)",
            "headers::a: found a list (expected text)",
            "headers::c: found nothing (expected text)",
            "section: found 5 (expected a mapping)",
            "sections: found a mapping (expected a list of mappings)",
            "elements[0]: found 5 (expected a mapping)",
            "children::a: found 7 (expected a mapping)",
            "endpoint: missing (expected text)");
  }

  @Test
  void getters_valuesOutOfRange_reportValueAndRange() {
    Configuration configuration =
        parse("count: 99999999999\nratio: .nan\npercent: 101\ntimeout: 500ms\nsize: 1KiB\n");
    Section root = configuration.root();

    assertThat(root.integer("count", 3, 1, 65535)).isEqualTo(3);
    assertThat(root.decimal("ratio", 0.5, 0.1, 1)).isEqualTo(0.5);
    assertThat(root.decimal("percent", 100, 0, 100)).isEqualTo(100);
    assertThat(
            root.duration(
                "timeout", Duration.ofSeconds(5), Duration.ofSeconds(1), Duration.ofMinutes(90)))
        .isEqualTo(Duration.ofSeconds(5));
    assertThat(root.bytes("size", 4096, 1 << 20, 64 << 20)).isEqualTo(4096);

    assertThat(messages(configuration))
        .containsExactly(
            "count: 99999999999 is out of range (expected from 1 to 65535)",
            "ratio: .nan is out of range (expected from 0.1 to 1)",
            "percent: 101 is out of range (expected from 0 to 100)",
            "timeout: \"500ms\" is out of range (expected from 1s to 1h30m)",
            "size: \"1KiB\" is out of range (expected from 1MiB to 64MiB)");
  }

  @Test
  void getters_secretOfWrongKind_isNotShown() {
    Configuration configuration =
        parse(
            """
            auth: { token: hunter2, tokens: [hunter2] }
            headers: { a: { b: hunter2 } }
            """);

    configuration.root().section("auth").integer("token", 1, 1, 2);
    configuration.root().section("auth").integers("tokens", 1, 2);
    configuration.root().section("headers").section("a").bool("b", false);

    assertThat(messages(configuration))
        .containsExactly(
            "auth::token: found [REDACTED] (expected a whole number)",
            "auth::tokens[0]: found [REDACTED] (expected a whole number)",
            "headers::a::b: found [REDACTED] (expected true or false)");
  }

  @Test
  void problem_keyAndElement_namesThePath() {
    Configuration configuration = parse("routes: [ { name: payments, exporters: [a] } ]");
    Section route = configuration.root().sections("routes").getFirst();

    route.problem("exporters[0]", "not configured");
    route.named("payments").problem("", "never matches");

    assertThat(messages(configuration))
        .containsExactly(
            "routes[0]::exporters[0]: not configured", "routes::payments: never matches");
  }

  @Test
  void reportUnknownKeys_keysNobodyAskedFor_suggestsTheNearest() {
    Configuration configuration =
        parse(
            """
            exporters:
              otlp_grpc/eu:
                timeuot: 1s
                endpoint: a
                tls: { ca_fil: x }
                nothing_like_it: 1
            routes: [ { name: a, mach: {} } ]
            exporter: { a: { b: c }, d: e }
            """);
    Section exporter = configuration.root().children("exporters").get("otlp_grpc/eu");
    exporter.requiredString("endpoint");
    exporter.duration("timeout", Duration.ZERO, Duration.ZERO, Duration.ofDays(1));
    exporter.section("tls").optionalString("ca_file");
    Section route = configuration.root().sections("routes").getFirst();
    route.optionalString("name");
    route.named("a").section("match");

    configuration.reportUnknownKeys();

    assertThat(messages(configuration))
        .containsExactly(
            "exporters::otlp_grpc/eu::timeuot: unknown key; did you mean \"timeout\"?",
            "exporters::otlp_grpc/eu::tls::ca_fil: unknown key; did you mean \"ca_file\"?",
            "exporters::otlp_grpc/eu::nothing_like_it: unknown key"
                + " (expected endpoint, timeout, tls)",
            "routes::a::mach: unknown key; did you mean \"match\"?",
            "exporter: unknown key; did you mean \"exporters\"?");
  }

  @Test
  void reportUnknownKeys_sectionReadTwice_addsUpWhatWasAskedFor() {
    Configuration configuration = parse("buffer: { a: 1, b: 2, c: { d: e } }");
    configuration.root().section("buffer").integer("a", 0, 0, 9);
    configuration.root().section("buffer").integer("b", 0, 0, 9);
    configuration.root().section("buffer").has("c");

    configuration.reportUnknownKeys();

    assertThat(messages(configuration)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "10s, 10000",
    "1500ms, 1500",
    "1h30m, 5400000",
    "1.5s, 1500",
    "2d, 172800000",
    "0, 0",
    "0s, 0",
    "1m1ms, 60001"
  })
  void parseDuration_validText_givesMillis(String text, long millis) {
    assertThat(Durations.parse(text)).contains(Duration.ofMillis(millis));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "10", "s", "-1s", "1 s", "1S", "1s1", "x1s", "1s x", "1w", "999999999999d"})
  void parseDuration_otherText_isEmpty(String text) {
    assertThat(Durations.parse(text)).isEmpty();
  }

  @Test
  void format_parsesToTheSame() {
    for (String text : List.of("0s", "1ms", "1h30m", "28d", "1d1h1m1s1ms")) {
      assertThat(Durations.parse(text).map(Durations::format)).contains(text);
    }
    for (String text : List.of("0B", "1B", "1023B", "1KiB", "1025B", "64MiB", "8GiB", "1024GiB")) {
      assertThat(Sizes.parse(text).map(Sizes::format)).contains(text);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "5B, 5", "2 KiB, 2048", "8589934591GiB, 9223372035781033984"})
  void parseSize_validText_givesBytes(String text, long bytes) {
    assertThat(Sizes.parse(text)).contains(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-1", "1.5GiB", "1MB", "1kib", "8589934592GiB", "0x10"})
  void parseSize_otherText_isEmpty(String text) {
    assertThat(Sizes.parse(text)).isEmpty();
  }

  private static Section root(String yaml) {
    return parse(yaml).root();
  }

  private static Configuration parse(String yaml) {
    return ConfigurationLoader.parse("test.yaml", yaml, Map.of());
  }

  private static List<String> messages(Configuration configuration) {
    return configuration.problems().all().stream().map(Problems.Problem::toString).toList();
  }
}
