package io.spillway.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.AuditTrail;
import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.HttpWire;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.TunnelProxy;
import io.spillway.tests.harness.Yaml;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A relay whose sink is reached through a proxy, and a policy that changes meanwhile. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ProxyIT {
  private static final int REQUESTS = 20;

  @RegisterExtension final Lab lab = new Lab();

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void proxyUrl_everythingTakesTheTunnel_untilTheProxyIsDenied(Protocol protocol) throws Exception {
    CapturingSink sink = lab.sink(protocol);
    TunnelProxy proxy = lab.own(new TunnelProxy(sink.address()));
    String allowed = config(sink, proxy, "");
    RelayProcess relay = lab.relay(allowed);
    HttpWire wire = lab.own(new HttpWire(relay::http, Encoding.IDENTITY));

    send(wire, 0);
    await().until(() -> sink.ids(Kind.TRACES).size() == REQUESTS);

    String login = Base64.getEncoder().encodeToString("me:s3cret@".getBytes(UTF_8));
    assertThat(proxy.requests())
        .isNotEmpty()
        .allSatisfy(
            head ->
                assertThat(head)
                    .startsWith("CONNECT localhost:4318 HTTP/1.1\r\n")
                    .contains("Proxy-Authorization: Basic " + login + "\r\n"));
    assertThat(proxy.tunnels()).isPositive();

    relay.configure(config(sink, proxy, ", deny_networks: [127.0.0.0/8, \"::1/128\"]"));
    relay.reload();

    await().until(() -> proxy.tunnels() == 0);
    int before = proxy.requests().size();
    send(wire, REQUESTS);
    AuditTrail audit = new AuditTrail(lab.directory());
    await().until(() -> audit.hasDenied("address", Yaml.id("sink", sink)));
    assertThat(proxy.requests()).hasSize(before);
    assertThat(relay.ledger().buffered()).isEqualTo(REQUESTS);

    relay.configure(allowed);
    relay.reload();

    await().until(() -> sink.ids(Kind.TRACES).size() == 2 * REQUESTS);
    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    assertThat(relay.ledger().unaccounted()).isZero();
    assertThat(relay.fullLog()).doesNotContain("s3cret").doesNotContain(login);
  }

  private String config(CapturingSink sink, TunnelProxy proxy, String egress) {
    return Yaml.anywhere(lab.directory())
        + """
        exporters:
          %1$s:
            endpoint: "http://localhost:4318"
            proxy_url: "http://me:s3cret%%40@localhost:%2$d"
            dangerously_allow_plaintext: true
            timeout: 10s
            retry_on_failure: { initial_interval: 100ms, max_interval: 500ms }
        egress: { allow: [ { host: localhost, ports: [4318, %2$d] } ]%3$s }
        routes: [ { name: default, exporters: [%1$s] } ]
        """
            .formatted(Yaml.id("sink", sink), proxy.port(), egress);
  }

  private static void send(HttpWire wire, long first) {
    for (long id = first; id < first + REQUESTS; id++) {
      assertThat(wire.send(Kind.TRACES, Items.request(Kind.TRACES, id, 1, Map.of())).acknowledged())
          .isTrue();
    }
  }
}
