package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.spillway.tests.harness.AuditTrail;
import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.FakeInternet;
import io.spillway.tests.harness.HttpWire;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.NetNamespace;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Yaml;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Everything that a relay dials is watched from outside, by the kernel at the other end of the only
 * wire. Every address there answers, so whatever is not dialled was not dialled because of the
 * policy; in the end {@code mode: shadow} shows that all of it could have been. Needs root, for the
 * network namespaces.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class EgressNamespaceIT {
  private static final int ITEMS = 3;
  private static final int GRPC_PORT = 4317;
  private static final int HTTP_PORT = 4318;
  private static final int REDIRECT_PORT = 4319;
  private static final int[] REDIRECTS = {301, 302, 303, 307, 308};

  /** Where sinks are whose names lead to where they may. */
  private static final Map<String, List<String>> HONEST =
      Map.of(
          "plain", List.of("198.51.100.10"),
          "six", List.of("2001:db8:1::10"),
          "grpc", List.of("198.51.100.11"),
          "moving", List.of("198.51.100.12"),
          "mixed", List.of("198.51.100.13", "10.0.0.13"));

  /** Names that lead to where nothing may be sent. */
  private static final Map<String, List<String>> HOSTILE = hostile();

  @RegisterExtension final Lab lab = new Lab();

  private FakeInternet internet;
  private CapturingSink httpSink;
  private CapturingSink grpcSink;
  private NetNamespace.Door httpDoor;
  private RelayProcess relay;
  private HttpWire wire;
  private AuditTrail audit;
  private String head;
  private final Map<String, List<Long>> sentIds = new LinkedHashMap<>();
  private long sent;

  private static Map<String, List<String>> hostile() {
    Map<String, List<String>> names = new LinkedHashMap<>();
    names.put("metadata", List.of("169.254.169.254"));
    names.put("metadata6", List.of("fd00:ec2::254"));
    names.put("linklocal", List.of("169.254.7.7"));
    names.put("private10", List.of("10.0.0.5"));
    names.put("private172", List.of("172.16.0.5"));
    names.put("private192", List.of("192.168.0.5", "192.168.0.6"));
    names.put("cgnat", List.of("100.64.0.5"));
    names.put("neighbour", List.of("192.0.2.1")); // allowed by no address rule: see the networks
    names.put("own", List.of("127.0.0.1"));
    names.put("own6", List.of("::1"));
    names.put("unique", List.of("fd12::5"));
    names.put("mapped", List.of("::ffff:10.0.0.7"));
    names.put("nat64", List.of("64:ff9b::a00:8"));
    names.put("sixtofour", List.of("2002:a00:9::1"));
    names.put("denied", List.of("198.51.100.70"));
    return names;
  }

  @Test
  void hostileNamesRedirectsAndProxies_onlyAllowedDestinationsReceiveASyn() throws Exception {
    start();
    HONEST.keySet().forEach(this::send);
    HOSTILE.keySet().forEach(this::send);
    send("redirected");
    send("localhost");

    await().until(() -> received().containsAll(ids(HONEST.keySet())));
    for (String name : HOSTILE.keySet()) {
      await(name).until(() -> audit.hasDenied("address", exporter(name)));
    }
    await().until(() -> audit.hasDenied("redirect", exporter("redirected")));
    await().until(() -> audit.hasDenied("address", exporter("localhost")));
    rebind();

    assertThat(internet.dialled()).isEqualTo(allowed());
    assertThat(onHost()).containsOnly("127.0.0.1:" + HTTP_PORT); // localhost as it should be
    assertThat(received()).doesNotContainAnyElementsOf(ids(HOSTILE.keySet()));
    for (String name : HOSTILE.keySet()) {
      assertThat(relay.ledger().lane(name, Kind.TRACES).buffered()).as(name).isEqualTo(ITEMS);
      assertThat(relay.status().toString()).contains(exporter(name));
    }
    assertThat(relay.ledger().balanced()).isTrue();
    assertThat(relay.decisions("egress (built in)", "denied")).isGreaterThanOrEqualTo(3);
    assertThat(relay.decisions("egress::allow[0]", "denied")).isGreaterThanOrEqualTo(9);
    assertThat(relay.decisions("egress::deny_networks[0]", "denied")).isPositive();
    assertThat(relay.decisions("dangerously_allow_plaintext", "denied")).isPositive();
    assertThat(relay.decisions("egress (redirects are not followed)", "denied")).isPositive();
    assertThat(relay.decisions("egress::allow[0]", "shadow_denied")).isZero();

    withdraw();
    shadow();
  }

  /** What a reload denies gets nothing more, though connections to it are open. */
  private void withdraw() {
    Set<Long> before = received();
    relay.configure(config("enforce", "198.51.100.10/32"));
    relay.reload();
    await().until(() -> relay.log().contains("reload: done"));
    send("plain");

    await().until(() -> audit.hasDenied("address", exporter("plain")));
    assertThat(relay.ledger().lane("plain", Kind.TRACES).buffered()).isEqualTo(ITEMS);
    assertThat(received()).isEqualTo(before);
  }

  /** A name that was allowed leads elsewhere when its sink is dialled the next time. */
  private void rebind() throws IOException {
    Map<String, List<String>> names = names();
    names.put(host("moving"), List.of("10.0.0.66"));
    internet.names(names);
    await("the next dial")
        .pollInterval(Duration.ofMillis(500))
        .until(
            () -> {
              httpDoor.drop();
              send("moving");
              return audit.hasDenied("address", exporter("moving"));
            });
  }

  /** The same relay, not enforcing: what was denied is dialled, so it would have been seen. */
  private void shadow() throws IOException {
    internet.names(names());
    double allowedBefore = relay.decisions("egress::allow[0]", "allowed");
    relay.configure(config("shadow", "203.0.113.0/24"));
    relay.reload();

    await()
        .until(
            () ->
                internet
                    .dialled()
                    .containsAll(
                        Set.of(
                            "169.254.169.254:4318",
                            "10.0.0.5:4317",
                            "198.51.100.70:4318",
                            "[2002:a00:9::1]:4318")));
    await().until(() -> relay.decisions("egress::allow[0]", "shadow_denied") > 0);
    assertThat(relay.decisions("egress::allow[0]", "allowed"))
        .as("goes on counting")
        .isGreaterThanOrEqualTo(allowedBefore);
    assertThat(internet.dialled()).as("redirects").doesNotContain("198.51.100.99:4318");
    assertThat(internet.dialled()).as("proxies").noneMatch(each -> each.startsWith("203.0.113."));
  }

  private void start() throws Exception {
    internet = lab.own(new FakeInternet(lab.directory()));
    internet.names(names());
    httpSink = lab.sink(Protocol.HTTP);
    grpcSink = lab.sink(Protocol.GRPC);
    httpDoor = internet.serve(HTTP_PORT, httpSink.address());
    internet.serve(GRPC_PORT, grpcSink.address());
    internet.serve(REDIRECT_PORT, redirecting());
    head = Yaml.fixed(lab.directory());
    List<String> launcher = new ArrayList<>(internet.launcher());
    launcher.addAll(proxies());
    relay = lab.relayBehind(launcher, config("enforce", "203.0.113.0/24"));
    audit = new AuditTrail(lab.directory());
    String address = relay.http().substring(0, relay.http().indexOf(':'));
    internet.reach(new InetSocketAddress(address, HTTP_PORT));
    internet.reach(new InetSocketAddress(address, 13133));
    wire = lab.own(new HttpWire(relay::http, Encoding.IDENTITY));
  }

  /** An environment that would lead every client that believes it to a proxy. */
  private static List<String> proxies() {
    String proxy = "http://203.0.113.99:3128";
    return List.of(
        "env",
        "http_proxy=" + proxy,
        "https_proxy=" + proxy,
        "all_proxy=" + proxy,
        "HTTP_PROXY=" + proxy,
        "HTTPS_PROXY=" + proxy,
        "ALL_PROXY=" + proxy,
        "GRPC_PROXY_EXP=203.0.113.99:3128",
        "JAVA_TOOL_OPTIONS=-Dhttp.proxyHost=203.0.113.99 -Dhttp.proxyPort=3128"
            + " -Dhttps.proxyHost=203.0.113.99 -Dhttps.proxyPort=3128"
            + " -Djava.net.useSystemProxies=true -Dsun.net.inetaddr.ttl=0");
  }

  private InetSocketAddress redirecting() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
    AtomicInteger answers = new AtomicInteger();
    server.createContext("/", exchange -> redirect(exchange, answers.getAndIncrement()));
    server.start();
    lab.own(() -> server.stop(0));
    return server.getAddress();
  }

  private static void redirect(HttpExchange exchange, int answer) throws IOException {
    try (exchange) {
      exchange.getRequestBody().readAllBytes();
      exchange.getResponseHeaders().set("Location", "http://198.51.100.99:4318/v1/traces");
      exchange.sendResponseHeaders(REDIRECTS[answer % REDIRECTS.length], -1);
    }
  }

  private String config(String mode, String denied) {
    StringBuilder exporters = new StringBuilder("exporters:\n");
    StringBuilder routes = new StringBuilder("routes:\n");
    Set<String> all = new TreeSet<>(HONEST.keySet());
    all.addAll(HOSTILE.keySet());
    for (String name : all) {
      exporters.append(exporter(name, "http://" + host(name) + ":" + port(name), true));
      routes.append(route(name));
    }
    exporters.append(
        exporter("redirected", "http://redirected.sink.example:" + REDIRECT_PORT, true));
    exporters.append(exporter("localhost", "http://localhost:" + HTTP_PORT, false));
    routes.append(route("redirected")).append(route("localhost"));
    return head
        + exporters
        + "  debug: {}\n"
        + """
        egress:
          mode: %s
          allow:
            - { host: "*.sink.example", ports: [4317, 4318, 4319], schemes: [http] }
            - { host: localhost, ports: [4318], networks: [127.0.0.0/8, 198.51.100.0/24] }
          deny_networks: [198.51.100.64/26, 192.0.2.0/24, %s]
        """
            .formatted(mode, denied)
        + routes
        + "  - { name: default, exporters: [debug] }\n";
  }

  private static String exporter(String name, String endpoint, boolean plaintext) {
    return ("  %s: { endpoint: \"%s\", timeout: 2s, dns_refresh_interval: 1s,"
            + " dangerously_allow_plaintext: %s,"
            + " retry_on_failure: { initial_interval: 100ms, max_interval: 500ms } }\n")
        .formatted(exporter(name), endpoint, plaintext);
  }

  private static String route(String name) {
    return "  - { name: %1$s, match: { resource: { case: %1$s } }, exporters: [%2$s] }\n"
        .formatted(name, exporter(name));
  }

  private static boolean isGrpc(String name) {
    return name.startsWith("grpc") || name.startsWith("private1");
  }

  private static String exporter(String name) {
    return (isGrpc(name) ? "otlp_grpc/" : "otlp_http/") + name;
  }

  private static int port(String name) {
    return isGrpc(name) ? GRPC_PORT : HTTP_PORT;
  }

  private static String host(String name) {
    return name + ".sink.example";
  }

  private static Map<String, List<String>> names() {
    Map<String, List<String>> names = new LinkedHashMap<>();
    HONEST.forEach((name, addresses) -> names.put(host(name), addresses));
    HOSTILE.forEach((name, addresses) -> names.put(host(name), addresses));
    names.put(host("redirected"), List.of("198.51.100.30"));
    names.put("localhost", List.of("198.51.100.40"));
    return names;
  }

  private static Set<String> allowed() {
    return new TreeSet<>(
        Set.of(
            "198.51.100.10:4318",
            "[2001:db8:1::10]:4318",
            "198.51.100.11:4317",
            "198.51.100.12:4318",
            "198.51.100.13:4318",
            "198.51.100.30:4319"));
  }

  /** Without the way of the test's own requests. */
  private Set<String> onHost() {
    Set<String> seen = new TreeSet<>(internet.dialledOnHost());
    seen.remove(relay.http());
    seen.remove(relay.http().replace(":" + HTTP_PORT, ":13133"));
    return seen;
  }

  private void send(String name) {
    byte[] request = Items.request(Kind.TRACES, sent, ITEMS, Map.of("case", name));
    assertThat(wire.send(Kind.TRACES, request).acknowledged()).isTrue();
    for (int i = 0; i < ITEMS; i++) {
      sentIds.computeIfAbsent(name, n -> new ArrayList<>()).add(sent++);
    }
  }

  private Set<Long> ids(Set<String> names) {
    Set<Long> ids = new TreeSet<>();
    names.forEach(name -> ids.addAll(sentIds.get(name)));
    return ids;
  }

  private Set<Long> received() {
    Set<Long> ids = new TreeSet<>(httpSink.ids(Kind.TRACES));
    ids.addAll(grpcSink.ids(Kind.TRACES));
    return ids;
  }
}
