package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.spillway.tests.harness.AuditTrail;
import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.HttpWire;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Program;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Yaml;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/** Ways around the egress policy through configuration, reload and redirects; each is told. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class PolicyIT {
  private static final String ROUTE =
      "routes:\n  - { name: default, exporters: [otlp_http/sink] }\n";

  /** Hosts that some client somewhere takes for an address or for the allowed name. */
  private static final List<String> WRITTEN_OTHERWISE =
      List.of(
          "http://2130706433:4318",
          "http://0x7f000001:4318",
          "http://0x7f.0.0.1:4318",
          "http://0177.0.0.1:4318",
          "http://127.1:4318",
          "http://0:4318",
          "http://[::ffff:169.254.169.254]",
          "http://[::ffff:a00:5]",
          "http://[64:ff9b::a9fe:a9fe]",
          "http://[2002:a9fe:a9fe::1]",
          "http://[fe80::1]",
          "http://[fe80::1%25eth0]",
          "http://[::]:4318",
          "http://0.0.0.0:4318",
          "http://169.254.169.254/latest",
          "http://100.100.100.200",
          "http://10.0.0.5",
          "http://user:s3cret@a.vendor.example",
          "http://a.vendor.example@evil.example",
          "http://a.vendor.example:4318@evil.example",
          "http://a.vendor.example.evil.example",
          "http://evilvendor.example",
          "http://vendor.example",
          "http://a.vendor.example..",
          "http://a..vendor.example",
          "http://a.vendor.ex\u0430mple",
          "http://a.vendor\u3002example",
          "http://\uff41.vendor.example",
          "http://a%2evendor.example",
          "http://evil.example%23.vendor.example",
          "http://evil.example#.vendor.example",
          "http://evil.example?.vendor.example",
          "http://evil.example\\\\.vendor.example",
          "http://a.vendor.example:0",
          "http://a.vendor.example:65536",
          "http://a.vendor.example:04318000",
          "http://a.vendor.example:81",
          "http://" + "a".repeat(250) + ".vendor.example",
          "gopher://a.vendor.example");

  @RegisterExtension final Lab lab = new Lab();

  @Test
  void validate_hostsWrittenOtherwise_areAllProblemsAndNothingIsWritten() throws Exception {
    StringBuilder exporters = new StringBuilder("exporters:\n");
    for (int i = 0; i < WRITTEN_OTHERWISE.size(); i++) {
      exporters.append(
          "  otlp_http/x%d: { endpoint: \"%s\", dangerously_allow_plaintext: true }\n"
              .formatted(i, WRITTEN_OTHERWISE.get(i)));
    }
    Path config =
        config(
            exporters
                + """
                  debug: {}
                egress: { allow: [ { host: "*.vendor.example", ports: [80, 443, 4318] } ] }
                routes: [ { name: default, exporters: [debug] } ]
                """);

    Program.Result result =
        Program.run(lab.directory(), Map.of(), "validate", "--config", config.toString());

    assertThat(result.exitCode()).isEqualTo(2);
    for (int i = 0; i < WRITTEN_OTHERWISE.size(); i++) {
      assertThat(result.err()).as(WRITTEN_OTHERWISE.get(i)).contains("exporters::otlp_http/x" + i);
    }
    assertThat(result.err()).doesNotContain("s3cret");
    assertThat(lab.directory().resolve("buffer")).doesNotExist();
  }

  @Test
  void validate_plaintextToAnotherMachine_isAProblemUnlessWritten() throws Exception {
    String yaml =
        """
        exporters:
          otlp_http/sink: { endpoint: "http://a.vendor.example"%s }
          otlp_grpc/sink: { endpoint: "a.vendor.example:4317", tls: { insecure: true }%s }
        egress: { allow: [ { host: "*.vendor.example" } ] }
        routes: [ { name: default, exporters: [otlp_http/sink, otlp_grpc/sink] } ]
        """;
    String key = ", dangerously_allow_plaintext: true";

    Program.Result without = validate(yaml.formatted("", ""));
    Program.Result with = validate(yaml.formatted(key, key));

    assertThat(without.exitCode()).isEqualTo(2);
    assertThat(without.err())
        .contains(
            "exporters::otlp_http/sink: a.vendor.example:80 is denied by the egress policy,"
                + " dangerously_allow_plaintext: a.vendor.example is not loopback, and what goes to"
                + " port 80 is not encrypted (expected https://, or dangerously_allow_plaintext:"
                + " true on the exporter)",
            "exporters::otlp_grpc/sink: a.vendor.example:4317 is denied");
    assertThat(with.exitCode()).as(with.err()).isZero();
  }

  @Test
  void validate_shadow_warns() throws Exception {
    Program.Result result =
        validate(
            """
            exporters:
              otlp_http/sink: { endpoint: "https://evil.example" }
            egress: { mode: shadow, allow: [ { host: "*.vendor.example" } ] }
            routes: [ { name: default, exporters: [otlp_http/sink] } ]
            """);

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.err())
        .contains(
            "warning: exporters::otlp_http/sink: evil.example:443 would be denied by the egress"
                + " policy, egress::allow: evil.example port 443 by https matches no rule of"
                + " egress::allow (egress::mode: shadow lets it through)");
    assertThat(lab.directory().resolve("buffer")).doesNotExist();
  }

  @Test
  void run_deniedDestination_isRefusedAndAudited() throws Exception {
    Path config =
        config(
            Yaml.anywhere(lab.directory())
                + "exporters: { otlp_http/sink: { endpoint: \"https://evil.example\" } }\n"
                + "egress: { allow: [ { host: \"*.vendor.example\" } ] }\n"
                + ROUTE);

    Program.Result result =
        Program.run(lab.directory(), Map.of(), "run", "--config", config.toString());

    assertThat(result.exitCode()).isEqualTo(2);
    List<JsonNode> lines = new AuditTrail(lab.directory()).lines();
    assertThat(lines).hasSize(1);
    assertThat(lines.getFirst().path("stage").asString()).isEqualTo("config");
    assertThat(lines.getFirst().path("verdict").asString()).isEqualTo("denied");
    assertThat(lines.getFirst().path("host").asString()).isEqualTo("evil.example");
  }

  @Test
  void reload_deniedDestination_changesNothingIsCountedAndAudited() throws Exception {
    CapturingSink sink = lab.sink(Protocol.HTTP);
    String head =
        Yaml.anywhere(lab.directory())
            + "egress: { allow: [ { host: \"%s\" } ] }\n"
                .formatted(sink.address().getAddress().getHostAddress())
            + ROUTE;
    RelayProcess relay = lab.relay(head + "exporters:\n" + Yaml.exporter("sink", sink, "gzip"));
    HttpWire wire = lab.own(new HttpWire(relay::http, Encoding.IDENTITY));
    send(wire, 0);
    await().until(() -> sink.ids(Kind.TRACES).size() == 1);
    assertThat(relay.decisions("egress::allow[0]", "allowed")).isEqualTo(1);

    relay.configure(head + "exporters: { otlp_http/sink: { endpoint: \"http://127.1:4318\" } }\n");
    relay.reload();
    await().until(() -> relay.log().contains("Nothing was changed."));
    send(wire, 1);

    await().until(() -> sink.ids(Kind.TRACES).size() == 2);
    assertThat(relay.decisions("egress (configuration)", "denied")).isPositive();
    AuditTrail audit = new AuditTrail(lab.directory());
    await().until(() -> audit.hasDenied("config", "otlp_http/sink"));
    assertThat(audit.lines().getFirst().path("verdict").asString()).isEqualTo("allowed");

    relay.configure(
        head.replace("allow: [", "allow: [ { host: before.example },")
            + "exporters:\n"
            + Yaml.exporter("sink", sink, "zstd"));
    relay.reload();
    await().until(() -> relay.log().contains("reload: done"));

    assertThat(relay.decisions("egress::allow[1]", "allowed")).as("moved, and kept").isPositive();
    assertThat(relay.decisions("egress::allow[0]", "allowed")).isZero();
    assertThat(relay.admin("/metrics"))
        .contains("spillway_egress_plaintext_state{exporter=\"otlp_http/sink\"} 0.0");
  }

  @Test
  void redirects_everyKind_leadNowhere() throws Exception {
    AtomicInteger answered = new AtomicInteger();
    List<Integer> kinds = List.of(301, 302, 303, 307, 308);
    HttpServer sink =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
    lab.own(() -> sink.stop(0));
    try (ServerSocket elsewhere = new ServerSocket(0, 16, InetAddress.getLoopbackAddress())) {
      String location = "http://127.0.0.1:" + elsewhere.getLocalPort() + "/v1/traces";
      sink.createContext(
          "/", exchange -> redirect(exchange, kinds.get(answered.getAndIncrement() % 5), location));
      sink.start();
      RelayProcess relay =
          lab.relay(
              Yaml.anywhere(lab.directory())
                  + """
                  exporters:
                    otlp_http/sink:
                      endpoint: "http://127.0.0.1:%d"
                      retry_on_failure: { initial_interval: 20ms, max_interval: 50ms }
                  """
                      .formatted(sink.getAddress().getPort())
                  + ROUTE);
      HttpWire wire = lab.own(new HttpWire(relay::http, Encoding.IDENTITY));
      send(wire, 0);
      AuditTrail audit = new AuditTrail(lab.directory());

      await().until(() -> answered.get() >= kinds.size());
      await().until(() -> audit.hasDenied("redirect", "otlp_http/sink"));
      await()
          .until(
              () ->
                  relay.decisions("egress (redirects are not followed)", "denied") >= kinds.size());

      elsewhere.setSoTimeout(1);
      assertThat(nobodyConnects(elsewhere)).isTrue();
      assertThat(relay.ledger().buffered()).isEqualTo(1);
    }
  }

  private static boolean nobodyConnects(ServerSocket listener) throws IOException {
    try (var stranger = listener.accept()) {
      return stranger == null;
    } catch (java.net.SocketTimeoutException e) {
      return true;
    }
  }

  private static void redirect(HttpExchange exchange, int status, String location)
      throws IOException {
    try (exchange) {
      exchange.getRequestBody().readAllBytes();
      exchange.getResponseHeaders().set("Location", location);
      exchange.sendResponseHeaders(status, -1);
    }
  }

  private static void send(HttpWire wire, long id) {
    byte[] request = Items.request(Kind.TRACES, id, 1, Map.of());
    assertThat(wire.send(Kind.TRACES, request).acknowledged()).isTrue();
  }

  private Program.Result validate(String yaml) throws IOException {
    return Program.run(lab.directory(), Map.of(), "validate", "--config", config(yaml).toString());
  }

  private Path config(String yaml) throws IOException {
    return Files.writeString(lab.directory().resolve("config.yaml"), yaml);
  }
}
