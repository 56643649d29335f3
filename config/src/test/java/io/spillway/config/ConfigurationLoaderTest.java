package io.spillway.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigurationLoaderTest {
  @TempDir Path folder;

  @Test
  void load_severalFilesAndOverrides_laterWinsMappingsMergeListsReplace() throws IOException {
    Path base = file("base.yaml", "a: { x: 1, w: 2 }\nlist: [1, 2]\nscalar: 1\nmap: { k: v }\n");
    Path over = file("over.yaml", "a: { w: 3, z: 4 }\nlist: [3]\nscalar: { k: v }\nmap: ~\n");

    Configuration configuration =
        ConfigurationLoader.load(List.of(base, over), List.of("a.z=5", "b.c={d: [e]}"), Map.of());

    assertThat(configuration.toYaml())
        .isEqualTo(
            """
            a:
              x: 1
              w: 3
              z: 5
            list:
            - 3
            scalar:
              k: v
            map: null
            b:
              c:
                d:
                - e
            """);
    assertThat(messages(configuration)).isEmpty();
  }

  @Test
  void load_overrideKeysWithSlashesAndQuotedDots_reachThem() {
    Configuration configuration =
        ConfigurationLoader.load(
            List.of(),
            List.of(
                "exporters.otlp_grpc/primary.endpoint=https://a.example:443",
                "exporters.\"file/a.b\".directory=/var/a=b",
                "routes=[{name: default, exporters: [file/a.b]}]",
                "match.'service.name'="),
            Map.of());

    assertThat(configuration.toYaml())
        .isEqualTo(
            """
            exporters:
              otlp_grpc/primary:
                endpoint: https://a.example:443
              file/a.b:
                directory: /var/a=b
            routes:
            - name: default
              exporters:
              - file/a.b
            match:
              service.name: null
            """);
    assertThat(messages(configuration)).isEmpty();
  }

  @Test
  void load_everythingWrong_reportsAllOfIt() throws IOException {
    Path duplicate = file("duplicate.yaml", "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n");
    Path malformed = file("malformed.yaml", "a: 1\npassword: 'hunter2\n");
    Path list = file("list.yaml", "- 1\n");
    Path two = file("two.yaml", "a: 1\n---\na: 2\n");
    Path alias = file("alias.yaml", "d: &x 1\ne: *x\n");
    Path complex = file("complex.yaml", "? [a]\n: b\n");
    Path latin = folder.resolve("latin.yaml");
    Files.write(latin, new byte[] {'a', ':', ' ', (byte) 0xe4});
    Path missing = folder.resolve("missing.yaml");

    Configuration configuration =
        ConfigurationLoader.load(
            List.of(duplicate, malformed, list, two, alias, complex, latin, missing),
            List.of("nothing", "=1", "a..b=1", "f=[1", "g=[{h: 1}]", "g.h=2"),
            Map.of());

    String form =
        "not an override (expected path.to.key=value; quote keys that contain dots:"
            + " exporters.\"file/a.b\".directory)";
    assertThat(messages(configuration))
        .containsExactly(
            duplicate + ":4:3: duplicate key \"c\" (expected each key once)",
            duplicate + ":5:1: duplicate key \"a\" (expected each key once)",
            malformed + ":3:1: malformed YAML: found unexpected end of stream",
            list + ": holds a list (expected a mapping such as receivers: …)",
            two + ":3:1: a second document starts here (expected one document in a file)",
            alias + ":2:4: alias *x (expected the value itself, written out)",
            complex
                + ":1:4: malformed YAML: Expected a property name (Scalar value in YAML), got this"
                + " instead: +SEQ []",
            latin + ": not UTF-8 text (expected a readable YAML file)",
            missing + ": no such file (expected a readable YAML file)",
            "--set nothing: " + form,
            "--set : " + form,
            "--set a..b: " + form,
            "--set f:1:3: malformed YAML: expected ',' or ']', but got <stream end>",
            "--set g.h: \"h\" lies inside a list (expected the whole list as value)");
    assertThat(configuration.root().integer("a", 0, 0, 9)).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    "'', {}",
    "'# only a comment', {}",
    "'~', {}",
    "'a: {}', 'a: {}'",
  })
  void parse_nothingInIt_isEmpty(String yaml, String dump) {
    Configuration configuration = ConfigurationLoader.parse("test.yaml", yaml, Map.of());

    assertThat(configuration.toYaml().strip()).isEqualTo(dump);
    assertThat(messages(configuration)).isEmpty();
  }

  @Test
  void parse_nestedTooDeep_isAProblem() {
    Configuration configuration =
        ConfigurationLoader.parse("test.yaml", "a: " + "[".repeat(5000), Map.of());

    assertThat(messages(configuration))
        .singleElement()
        .asString()
        .startsWith("test.yaml: malformed YAML: Document nesting depth (501) exceeds");
  }

  @Test
  void parse_variables_arePutInWithTheirType() {
    Configuration configuration =
        ConfigurationLoader.parse(
            "test.yaml",
            """
            host: "https://${env:HOST}:${env:PORT}/x"
            port: ${env:PORT}
            quoted_port: "${env:PORT}"
            enabled: ${env:ENABLED:-true}
            list: ${env:LIST}
            text_of_list: ${env:LIST}
            zip: ${env:ZIP}
            at: ${env:AT}
            comment: ${env:COMMENT}
            empty: ${env:EMPTY:-never}
            default: ${env:NONE:-a b}
            no_default: x${env:NONE:-}
            dollar: $$${env:PORT} $$$$ $ $x $${env:X}
            element: [ "${env:HOST}" ]
            again: ${env:NESTED}
            """,
            Map.of(
                "HOST", "a.example",
                "PORT", "4317",
                "LIST", "[1, 2]",
                "ZIP", "0123",
                "AT", "@home: x",
                "COMMENT", "abc # def",
                "EMPTY", "",
                "NESTED", "${env:HOST}"));
    Section root = configuration.root();

    assertThat(root.string("host", "")).isEqualTo("https://a.example:4317/x");
    assertThat(root.integer("port", 0, 0, 65535)).isEqualTo(4317);
    assertThat(root.integer("quoted_port", 0, 0, 65535)).isEqualTo(4317);
    assertThat(root.bool("enabled", false)).isTrue();
    assertThat(root.integers("list", 0, 9)).containsExactly(1, 2);
    assertThat(root.string("text_of_list", "")).isEqualTo("[1, 2]");
    assertThat(root.string("zip", "")).isEqualTo("0123");
    assertThat(root.string("at", "")).isEqualTo("@home: x");
    assertThat(root.string("comment", "")).isEqualTo("abc # def");
    assertThat(root.has("empty")).isFalse();
    assertThat(root.string("default", "")).isEqualTo("a b");
    assertThat(root.string("no_default", "")).isEqualTo("x");
    assertThat(root.string("dollar", "")).isEqualTo("$4317 $$ $ $x ${env:X}");
    assertThat(root.strings("element")).containsExactly("a.example");
    assertThat(root.string("again", "")).isEqualTo("${env:HOST}");
    assertThat(messages(configuration)).isEmpty();
  }

  @Test
  void parse_variablesThatCannotBePutIn_reportThemAndNothingElse() {
    Configuration configuration =
        ConfigurationLoader.parse(
            "test.yaml",
            """
            exporters:
              otlp_grpc/eu:
                headers: { api-key: "${env:VENDOR_KEY}" }
                endpoint: ${HOST}
            list: [ a, "${env:}", "${env:A:-${env:B}}", "${open" ]
            """,
            Map.of());
    Section exporter = configuration.root().children("exporters").get("otlp_grpc/eu");

    assertThat(exporter.stringMap("headers")).isEmpty();
    assertThat(exporter.requiredString("endpoint")).isEmpty();
    assertThat(exporter.has("endpoint")).isTrue();
    assertThat(configuration.root().strings("list")).containsExactly("a");

    String forms = " (expected ${env:NAME} or ${env:NAME:-default}; write $$ for a dollar sign)";
    assertThat(messages(configuration))
        .containsExactly(
            "exporters::otlp_grpc/eu::headers::api-key: environment variable VENDOR_KEY is not set"
                + " (expected it to be set, or a default as in ${env:VENDOR_KEY:-default})",
            "exporters::otlp_grpc/eu::endpoint: ${HOST} is not a substitution" + forms,
            "list[1]: ${env:} is not a substitution" + forms,
            "list[2]: ${env:A:-${env:B} nests substitutions" + forms,
            "list[3]: ${open is not a substitution" + forms);
  }

  @Test
  void toYaml_tokenEndpoint_isShownButNotWhatItIsSent() {
    Configuration configuration =
        ConfigurationLoader.parse(
            "c.yaml",
            """
            oauth2:
              token_url: https://idp.example/token
              client_secret: hunter2
              client_secret_file: /etc/secret
              endpoint_params: { audience: hunter2 }
            """,
            Map.of());

    assertThat(configuration.toYaml())
        .contains("https://idp.example/token", "/etc/secret")
        .doesNotContain("hunter2");
  }

  @Test
  void toYaml_secrets_areRedacted() {
    Configuration configuration =
        ConfigurationLoader.parse(
            "test.yaml",
            """
            exporters:
              otlp_grpc/keyless:
                endpoint: https://user:hunter2@a.example/
                headers: { Authorization: "Bearer ${env:T}", x-team: blue, x-none: ~ }
                tls: { key_file: /etc/key.pem, key_pem: hunter2 }
                timeout: 10s
            auth:
              bearer_tokens: [ hunter2, 12 ]
              credentials: { user: hunter2, more: { pin: 1234 } }
              password: hunter2
              passwd: hunter2
              client_secret: hunter2
              API_KEY: hunter2
            """,
            Map.of("T", "hunter2"));

    assertThat(configuration.toYaml())
        .isEqualTo(
            """
            exporters:
              otlp_grpc/keyless:
                endpoint: "https://[REDACTED]@a.example/"
                headers:
                  Authorization: "[REDACTED]"
                  x-team: "[REDACTED]"
                  x-none: null
                tls:
                  key_file: /etc/key.pem
                  key_pem: "[REDACTED]"
                timeout: 10s
            auth:
              bearer_tokens:
              - "[REDACTED]"
              - "[REDACTED]"
              credentials:
                user: "[REDACTED]"
                more:
                  pin: "[REDACTED]"
              password: "[REDACTED]"
              passwd: "[REDACTED]"
              client_secret: "[REDACTED]"
              API_KEY: "[REDACTED]"
            """);
  }

  @Test
  void toYaml_readAgain_isTheSame() {
    String yaml =
        """
        number: 1
        text_number: '1'
        text_bool: 'true'
        text_null: 'null'
        tilde: '~'
        octal: '010'
        hex: '0x10'
        dollars: a$$b $${env:X} $$$$ $
        float: 1.5
        multi: "a\\nb: c"
        colon: 'a: b'
        empty: ''
        "o: dd": [ '*', '- x', '@', '#', ' lead', '!', '&a' ]
        "1": x
        """;
    Configuration first = ConfigurationLoader.parse("test.yaml", yaml, Map.of());

    String dump = first.toYaml();
    Configuration second = ConfigurationLoader.parse("dump.yaml", dump, Map.of());

    assertThat(messages(second)).isEmpty();
    assertThat(second.toYaml()).isEqualTo(dump);
    for (String key : first.root().keys()) {
      assertThat(second.root().strings(key)).as(key).isEqualTo(first.root().strings(key));
    }
    assertThat(second.root().string("text_null", "")).isEqualTo("null");
    assertThat(second.root().string("tilde", "")).isEqualTo("~");
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static List<String> messages(Configuration configuration) {
    return configuration.problems().all().stream().map(Problems.Problem::toString).toList();
  }
}
