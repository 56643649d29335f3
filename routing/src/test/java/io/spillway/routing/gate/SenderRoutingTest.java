package io.spillway.routing.gate;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.logs.v1.ResourceLogs;
import io.opentelemetry.proto.logs.v1.ScopeLogs;
import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Sender;
import io.spillway.routing.egress.OverQuota;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Routes by tenant and by header, and limits of a tenant. */
class SenderRoutingTest {
  private static final String ROUTES =
      """
      routes:
        - { name: acme, match: { tenant: [ acme, "acme-*" ] }, exporters: [e] }
        - { name: gold, match: { headers: { X-Plan: "gold*", x-zone: eu } }, exporters: [e] }
        - { name: none, match: { tenant: "" }, exporters: [e] }
        - { name: default, exporters: [e] }
      """;

  private final Map<LaneId, FakeLane> lanes = new HashMap<>();
  private final List<Answer> answers = new ArrayList<>();
  private final RoutingGate gate = gate(IntakeLimit.NONE);

  @Test
  void headers_areThoseOfRoutes() {
    assertThat(gate.headers()).containsExactlyInAnyOrder("x-plan", "x-zone");
  }

  @Test
  void submit_byTenantAndHeaders_goesToTheRoute() {
    submit(gate, new Sender("acme-eu", Map.of("x-plan", "gold", "x-zone", "eu")));
    submit(gate, new Sender("globex", Map.of("x-plan", "golden", "x-zone", "eu")));
    submit(gate, new Sender("globex", Map.of("x-plan", "golden")));
    submit(gate, Sender.UNKNOWN);
    submit(gate, new Sender("globex", Map.of()));

    assertThat(answers).hasSize(5).allMatch(answer -> answer.equals(new Answer.Accepted(1)));
    assertThat(tenants("acme")).containsExactly("acme-eu");
    assertThat(tenants("gold")).containsExactly("globex");
    assertThat(tenants("none")).containsExactly("");
    assertThat(tenants("default")).containsExactly("globex", "globex");
  }

  @Test
  void submit_tenantOverItsLimit_isRefusedAlone() {
    OverQuota.Refuse refuse = new OverQuota.Refuse(Duration.ofSeconds(5), "used up");
    RoutingGate limited = gate((lane, tenant) -> tenant.equals("greedy") ? refuse : null);

    submit(limited, new Sender("greedy", Map.of()));
    submit(limited, new Sender("modest", Map.of()));

    assertThat(answers)
        .containsExactly(
            new Answer.Unavailable(1, Duration.ofSeconds(5), "used up"), new Answer.Accepted(1));
    assertThat(tenants("default")).containsExactly("modest");
  }

  @Test
  void read_senderConditions_areNoCatchAllAndNameNoSecrets() {
    Configuration configuration =
        parse(
            """
            routes:
              - { name: a, match: { headers: { authorization: "*" } }, exporters: [e] }
            """);
    RouteConfig.readAll(configuration.root(), Map.of("e", new ExporterPlace(null, true)));

    assertThat(configuration.problems().all().stream().map(Object::toString))
        .containsExactly(
            "routes::a::match::headers::authorization: \"authorization\" may carry a secret, and"
                + " what is read here is stored and shown (expected a header that only says who"
                + " sends, such as x-tenant)",
            "routes: no route takes all traces, metrics, logs (expected a last route without"
                + " match.resource, headers or tenant, such as"
                + " { name: default, exporters: [file/archive] })");
  }

  private void submit(RoutingGate to, Sender sender) {
    ExportLogsServiceRequest request =
        ExportLogsServiceRequest.newBuilder()
            .addResourceLogs(
                ResourceLogs.newBuilder()
                    .addScopeLogs(ScopeLogs.newBuilder().addLogRecords(LogRecord.newBuilder())))
            .build();
    to.submit(Signal.LOGS, RequestBytes.of(Slice.of(request.toByteArray())), sender, answers::add);
  }

  private List<String> tenants(String route) {
    return lanes.get(new LaneId(route, Signal.LOGS)).appends.stream()
        .map(FakeLane.Append::tenant)
        .toList();
  }

  private RoutingGate gate(IntakeLimit limit) {
    return new RoutingGate(
        TestRoutes.read(ROUTES), id -> lanes.computeIfAbsent(id, FakeLane::new), limit);
  }

  private static Configuration parse(String yaml) {
    return ConfigurationLoader.parse("test.yaml", yaml, Map.of());
  }
}
