package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExplainCommandTest {
  private static final String SPANS =
      """
      {"resourceSpans":[
        {"resource":{"attributes":[
            {"key":"service.name","value":{"stringValue":"till"}},
            {"key":"team","value":{"stringValue":"payments"}}]},
         "scopeSpans":[{"spans":[
            {"traceId":"11111111111111111100000000000001","spanId":"1111111111111111","name":"a"},
            {"traceId":"111111111111111111ffffffffffffff","spanId":"1111111111111112","name":"b"},
            {"traceId":"11111111111111111100000000000002","spanId":"1111111111111113","name":"c",
             "status":{"code":2}}]}]},
        {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
         "scopeSpans":[{"spans":[
            {"traceId":"11111111111111111111111111111111","spanId":"1111111111111111","name":"d"}]}]},
        {"resource":{}}]}
      """;
  private static final String LOGS =
      """
      {"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}
      """;

  @TempDir Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path config = Path.of("");

  @BeforeEach
  void write() throws Exception {
    config =
        Files.writeString(
            directory.resolve("relay.yaml"),
            """
            receivers: { otlp: { tenant: {}, protocols: { grpc: { endpoint: "127.0.0.1:0" } } } }
            buffer: { directory: "%1$s/buffer" }
            exporters:
              otlp_grpc/eu: { endpoint: "https://in.eu.vendor.example:443", region: eu }
              otlp_http/us: { endpoint: "https://otlp.other.example" }
              file/out: { directory: "%1$s/out" }
            egress:
              allow:
                - { host: "*.vendor.example", ports: [443], regions: [eu] }
                - { host: otlp.other.example }
            routes:
              - name: payments
                match: { signals: [traces], resource: { team: payments } }
                sampling: { percentage: 50, keep: [errors] }
                exporters: [ { balance: [otlp_grpc/eu, otlp_http/us] }, file/out ]
              - name: acme
                match: { tenant: acme, headers: { x-plan: "go*" } }
                exporters: [otlp_http/us]
              - name: default
                exporters: [file/out]
            """
                .formatted(directory));
  }

  private int run(String name, String request, String... options) throws Exception {
    return run(name, request.getBytes(StandardCharsets.UTF_8), options);
  }

  private int run(String name, byte[] request, String... options) throws Exception {
    Path file = Files.write(directory.resolve(name), request);
    List<String> all = new ArrayList<>(List.of("explain", "--config", config.toString()));
    all.addAll(List.of(options));
    all.add(file.toString());
    return Verbs.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(all.toArray(String[]::new));
  }

  @Test
  void explain_traces_saysForEachResourceWhatBecomesOfIt() throws Exception {
    assertThat(run("request.json", SPANS)).as(err::toString).isZero();

    assertThat(out.toString())
        .isEqualTo(
            """
            traces: 4 spans in 3 resources

            resource 1: 3 spans (service.name=till, team=payments)
              route payments, lane payments/traces
                sampled at 50.0 %, errors kept: stores 2, leaves out 1
                sent to otlp_grpc/eu: in.eu.vendor.example:443 allowed by egress::allow[0]
                sent to otlp_http/us: otlp.other.example:443 allowed by egress::allow[1]
                then, level 2, file/out: stays on this machine

            resource 2: 1 span (service.name=shop)
              route default, lane default/traces
                not sampled: stores 1 span
                sent to file/out: stays on this machine

            resource 3: 0 spans
              holds nothing that is routed
            """);
    assertThat(directory.resolve("buffer")).doesNotExist();
  }

  @Test
  void explain_tenantAndHeader_chooseTheRoute() throws Exception {
    assertThat(run("request.json", LOGS, "--tenant", "acme", "--header", "X-Plan=gold")).isZero();

    assertThat(out.toString())
        .contains("logs: 1 log record in 1 resource", "route acme, lane acme/logs")
        .doesNotContain("route default");
  }

  @Test
  void explain_protobuf_needsItsSignal() throws Exception {
    byte[] request = {0x0a, 4, 0x12, 2, 0x12, 0};

    assertThat(run("request.pb", request)).isEqualTo(2);
    assertThat(err.toString()).contains("expected OTLP/JSON, or --signal with protobuf");
    assertThat(run("request.pb", request, "--signal", "log")).isEqualTo(2);
    assertThat(err.toString()).contains("expected traces, metrics, logs or profiles");
    assertThat(run("request.pb", request, "--signal", "logs")).isZero();
    assertThat(out.toString()).contains("logs: 1 log record", "lane default/logs");
  }

  @Test
  void explain_invalidItems_saysWhatTheSenderIsTold() throws Exception {
    // A span whose trace id has two bytes.
    byte[] request = {
      0x0a, 0x12, 0x12, 0x10, 0x12, 0x0e, 0x0a, 2, 1, 1, 0x12, 8, 1, 1, 1, 1, 1, 1, 1, 1
    };

    assertThat(run("request.pb", request, "--signal", "traces")).isEqualTo(1);

    assertThat(out.toString()).contains("answer: 1 of 1 span rejected").doesNotContain("route ");
  }

  @Test
  void explain_malformed_isRefused() throws Exception {
    assertThat(run("request.json", "{\"resourceLogs\":[{\"scopeLogs\":7}]}")).isEqualTo(1);

    assertThat(err.toString()).contains("request.json: would be refused: ");
  }

  @Test
  void explain_noRequest_isBadUsage() throws Exception {
    assertThat(run("request.json", "{}")).isEqualTo(2);

    assertThat(err.toString()).contains("it is no export request");
  }

  @Test
  void explain_shadow_saysWhatEnforcementWouldDeny() throws Exception {
    Files.writeString(
        config,
        Files.readString(config)
            .replace("egress:", "egress:\n  mode: shadow")
            .replace("https://otlp.other.example", "https://evil.example"));

    assertThat(run("request.json", LOGS, "--tenant", "acme", "--header", "x-plan=gold")).isZero();

    assertThat(out.toString())
        .contains("evil.example:443 let through by egress::mode: shadow, against ");
  }
}
