package io.spillway.routing.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.stage.DialPolicy.Denial;
import io.spillway.routing.policy.PolicyCounters.RuleCount;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EgressPolicyTest {
  private static final String VENDOR =
      """
      egress:
        allow:
          - { host: "*.Vendor.example.", ports: [443] }
          - { host: internal.example, networks: [10.1.0.0/16, "fd00::/8"] }
          - { host: 192.168.7.7, ports: [4317] }
          - { host: "[fd00::7]" }
          - { host: localhost }
          - { host: bücher.example }
          - { host: anything.example, networks: [0.0.0.0/0, "::/0"] }
        deny_networks: [203.0.113.0/24]
      """;

  @ParameterizedTest
  @CsvSource({
    "ingest.vendor.example, 443, true",
    "INGEST.Vendor.Example, 443, true",
    "ingest.vendor.example., 443, true",
    "a.b.vendor.example, 443, true",
    "ingest.vendor.example, 80, false",
    "vendor.example, 443, false",
    "evilvendor.example, 443, false",
    "ingest.vendor.example.evil.example, 443, false",
    "ingest.vendor.example.., 443, false",
    "internal.example, 1, true",
    "xn--bcher-kva.example, 443, true",
    "BÜCHER.example, 443, true",
    "192.168.7.7, 4317, true",
    "192.168.7.7, 443, false",
    "192.168.7.8, 4317, false",
    "::ffff:192.168.7.7, 4317, true",
    "[::ffff:c0a8:707], 4317, true",
    "[fd00::7], 443, true",
    "fd00:0:0:0:0:0:0:7, 443, true",
    "fd00::8, 443, false",
    "other.example, 443, false",
  })
  void checkHost_byRule_allowsOrDenies(String host, int port, boolean allowed) {
    assertThat(policy(VENDOR).checkHost(https(host, port)) == null).isEqualTo(allowed);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "user:pw@ingest.vendor.example | a host with user information (expected a host alone)",
        "ingest.vendor.example@evil.example | a host with user information (expected a host alone)",
        "evil.example/.vendor.example | not a host (expected a name or an address)",
        "evil.example#.vendor.example | not a host (expected a name or an address)",
        "evil.example%2e.vendor.example | not a host (expected a name or an address)",
        "evil example.vendor.example | not a host (expected a name or an address)",
        "'' | not a host (expected a name or an address)",
        ". | not a host (expected a name or an address)",
        "a..vendor.example | not a host (expected a name or an address)",
        "[ingest.vendor.example] | brackets around what is not IPv6 (expected none)",
        "fe80::1%eth0 | an IPv6 address with a zone (expected none)",
        "1:2:3 | not an IP address (expected one such as 192.0.2.1)",
        "256.1.1.1 | not an IP address (expected one such as 192.0.2.1)",
        "2130706433 | a number that is not a dotted decimal address (expected one such as"
            + " 192.0.2.1)",
        "0x7f000001 | a number that is not a dotted decimal address (expected one such as"
            + " 192.0.2.1)",
        "0x7f.0.0.1 | a number that is not a dotted decimal address (expected one such as"
            + " 192.0.2.1)",
        "0177.0.0.1 | a number that is not a dotted decimal address (expected one such as"
            + " 192.0.2.1)",
        "127.1 | a number that is not a dotted decimal address (expected one such as 192.0.2.1)",
        "１２７.１ | a number that is not a dotted decimal address (expected one such as 192.0.2.1)",
      })
  void checkHost_notOneHost_isDeniedWithoutRepeatingIt(String host, String reason) {
    assertThat(policy(VENDOR).checkHost(https(host, 443)))
        .isEqualTo(new Denial("egress (built in)", reason));
  }

  @ParameterizedTest
  @CsvSource({
    "ingest.vendor.example, 198.51.100.1, true",
    "ingest.vendor.example, 2001:db8::1, true",
    // The name was pointed elsewhere after it was checked.
    "ingest.vendor.example, 127.0.0.1, false",
    "ingest.vendor.example, ::1, false",
    "ingest.vendor.example, 10.0.0.1, false",
    "ingest.vendor.example, 172.31.255.255, false",
    "ingest.vendor.example, 172.32.0.0, true",
    "ingest.vendor.example, 192.168.7.7, false",
    "ingest.vendor.example, 100.64.0.1, false",
    "ingest.vendor.example, fd12::1, false",
    "ingest.vendor.example, fec0::1, false",
    "ingest.vendor.example, ::ffff:10.0.0.1, false",
    "ingest.vendor.example, ::10.0.0.1, false",
    "ingest.vendor.example, 64:ff9b::10.0.0.1, false",
    "ingest.vendor.example, 64:ff9b::198.51.100.1, true",
    "ingest.vendor.example, 2002:0a00:0001::1, false",
    "ingest.vendor.example, 203.0.113.9, false",
    "ingest.vendor.example, ::ffff:203.0.113.9, false",
    "internal.example, 10.1.255.1, true",
    "internal.example, 10.2.0.1, false",
    "internal.example, 198.51.100.1, false",
    "internal.example, fd00::1, true",
    "localhost, 127.0.0.1, true",
    "localhost, 127.9.9.9, true",
    "localhost, ::1, true",
    "localhost, 10.0.0.1, false",
    // Never, even where the rule lists a network that holds them.
    "anything.example, 10.0.0.1, true",
    "anything.example, 169.254.169.254, false",
    "anything.example, 169.254.1.1, false",
    "anything.example, ::ffff:169.254.169.254, false",
    "anything.example, fe80::1, false",
    "anything.example, fd00:ec2::254, false",
    "anything.example, 100.100.100.200, false",
    "anything.example, 224.0.0.1, false",
    "anything.example, ff02::1, false",
    "anything.example, 0.0.0.0, false",
    "anything.example, 0.1.2.3, false",
    "anything.example, ::, false",
    "anything.example, 255.255.255.255, false",
  })
  void checkAddress_resolved_allowsOrDenies(String host, String address, boolean allowed) {
    Denial denial = policy(VENDOR).checkAddress(https(host, 443), InetAddress.ofLiteral(address));

    assertThat(denial == null).as(String.valueOf(denial)).isEqualTo(allowed);
  }

  @Test
  void checkAddress_mappedAddressThatTheJdkDidNotUnwrap_isJudgedAsIpv4()
      throws UnknownHostException {
    byte[] mapped = HexFormat.of().parseHex("00000000000000000000ffff7f000001");
    InetAddress address = Inet6Address.getByAddress("x", mapped, 0);

    assertThat(policy(VENDOR).checkAddress(https("ingest.vendor.example", 443), address))
        .isEqualTo(
            new Denial(
                "egress::allow[0]",
                "ingest.vendor.example is at 127.0.0.1, a private address, and the rule lists no"
                    + " networks that hold it"));
  }

  @Test
  void check_everyKindOfDenial_namesRuleAndReason() {
    EgressPolicy policy = policy(VENDOR);

    assertThat(policy.checkHost(https("other.example", 443)))
        .isEqualTo(
            new Denial("egress::allow", "other.example port 443 matches no rule of egress::allow"));
    assertThat(policy.checkHost(https("169.254.169.254", 80)))
        .isEqualTo(
            new Denial(
                "egress (built in)",
                "169.254.169.254 is a metadata service address, which is never dialled"));
    assertThat(address(policy, "anything.example", "fe80::1"))
        .isEqualTo(
            new Denial(
                "egress (built in)",
                "anything.example is at fe80:0:0:0:0:0:0:1, a link-local address, which is never"
                    + " dialled"));
    assertThat(address(policy, "anything.example", "203.0.113.9"))
        .isEqualTo(
            new Denial(
                "egress::deny_networks[0]",
                "anything.example is at 203.0.113.9, in the denied network 203.0.113.0/24"));
    assertThat(address(policy, "internal.example", "10.2.0.1"))
        .isEqualTo(
            new Denial(
                "egress::allow[1]",
                "internal.example is at 10.2.0.1, in none of the rule's networks"));
  }

  @ParameterizedTest
  @CsvSource({
    "localhost, '', true",
    "LOCALHOST., '', true",
    "127.0.0.1, '', true",
    "[::1], '', true",
    "::ffff:127.0.0.1, '', true",
    "localhost.evil.example, '', false",
    "vendor.example, '', false",
    "10.0.0.1, '', false",
    "localhost, 127.0.0.1, true",
    "localhost, 10.0.0.1, false",
    "localhost, 198.51.100.1, false",
    "vendor.example, 127.0.0.1, false",
  })
  void check_noEgressSection_onlyLoopback(String host, String address, boolean allowed) {
    EgressPolicy policy = policy("receivers: {}");

    Denial denial =
        address.isEmpty() ? policy.checkHost(https(host, 443)) : address(policy, host, address);

    assertThat(denial == null).isEqualTo(allowed);
  }

  @Test
  void checkHost_noEgressSection_saysHowToAllowIt() {
    assertThat(policy("").checkHost(https("vendor.example", 443)))
        .isEqualTo(
            new Denial(
                "egress (not written: loopback only)",
                "vendor.example is not loopback, and without an egress section nothing else is"
                    + " allowed; allow it by egress: { allow: [ { host: vendor.example } ] }"));
  }

  @Test
  void check_emptyEgressSection_deniesEverything() {
    assertThat(policy("egress: {}").checkHost(https("localhost", 443)))
        .isEqualTo(
            new Denial("egress::allow", "localhost port 443 matches no rule of egress::allow"));
  }

  @Test
  void checkExporter_ruleWithRegions_takesOnlyThoseRegions() {
    EgressPolicy policy =
        policy(
            "egress: { allow: [ { host: a.example, regions: [us, eu] }, { host: b.example } ] }");

    assertThat(policy.checkExporter("e", "a.example", 443, "eu")).isNull();
    assertThat(policy.checkExporter("n", "a.example", 443, null))
        .isEqualTo(
            new Denial(
                "egress::allow[0]",
                "no region is configured for the exporter (expected one of eu, us)"));
    assertThat(policy.checkExporter("a", "a.example", 443, "asia"))
        .isEqualTo(
            new Denial(
                "egress::allow[0]",
                "region asia is configured for the exporter (expected one of eu, us)"));
    assertThat(policy.checkExporter("a", "b.example", 443, "asia")).isNull();
    assertThat(policy.checkHost(inRegion("e", "a.example"))).isNull();
    assertThat(policy.checkHost(inRegion("a", "a.example"))).isNotNull();
  }

  @Test
  void check_shadow_allowsButCountsAndAudits() {
    List<PolicyDecision> denials = new ArrayList<>();
    EgressPolicy policy =
        policy(
                "egress: { mode: shadow, allow: [ { host: a.example } ], deny_networks:"
                    + " [203.0.113.0/24] }")
            .withListener(denials::add);

    assertThat(policy.checkHost(https("b.example", 443))).isNull();
    assertThat(address(policy, "a.example", "203.0.113.1")).isNull();
    assertThat(address(policy, "a.example", "169.254.169.254")).isNull();
    assertThat(address(policy, "a.example", "198.51.100.1")).isNull();

    assertThat(policy.counters().all())
        .containsExactly(
            new RuleCount("egress::allow[0]", 1, 0, 0),
            new RuleCount("egress::deny_networks[0]", 0, 0, 1),
            new RuleCount("egress::allow", 0, 0, 1),
            new RuleCount("egress (built in)", 0, 0, 1));
    assertThat(denials).hasSize(3).noneMatch(PolicyDecision::enforced);
  }

  @Test
  void check_enforce_countsByRuleAndAuditsDenials() {
    List<PolicyDecision> denials = new ArrayList<>();
    EgressPolicy policy =
        policy("egress: { allow: [ { host: a.example } ] }").withListener(denials::add);
    InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");

    policy.checkHost(https("a.example", 443));
    address(policy, "a.example", "198.51.100.1");
    address(policy, "a.example", "198.51.100.2");
    policy.checkAddress(https("a.example", 443), loopback);
    policy.checkHost(https("user:pw@a.example", 443));

    assertThat(policy.counters().all())
        .containsExactly(
            new RuleCount("egress::allow[0]", 2, 1, 0),
            new RuleCount("egress::allow", 0, 0, 0),
            new RuleCount("egress (built in)", 0, 1, 0));
    assertThat(denials)
        .containsExactly(
            new PolicyDecision(
                PolicyDecision.Stage.ADDRESS,
                "x",
                "a.example",
                443,
                loopback,
                "egress::allow[0]",
                "a.example is at 127.0.0.1, a private address, and the rule lists no networks that"
                    + " hold it",
                true),
            new PolicyDecision(
                PolicyDecision.Stage.HOST,
                "x",
                "",
                443,
                null,
                "egress (built in)",
                "a host with user information (expected a host alone)",
                true));
  }

  @Test
  void read_badSection_reportsAllOfIt() {
    Configuration configuration =
        parse(
            """
            egress:
              mode: audit
              allow:
                - { ports: [443] }
                - { host: "https://a.example", ports: [0, https] }
                - { host: "a b*" }
                - { host: 0x7f.1, networks: [10.0.0.0/33, 10.0.0.1/8, ten, "fd00::/8"] }
                - { host: a.example, port: 443 }
              deny_networks: [1.2.3.4]
            """);

    EgressPolicy.read(configuration.root());
    configuration.reportUnknownKeys();

    assertThat(configuration.problems().all())
        .extracting(Object::toString)
        .containsExactlyInAnyOrder(
            "egress::mode: found \"audit\" (expected enforce | shadow)",
            "egress::allow[0]::host: missing (expected text)",
            "egress::allow[1]::host: not an IP address (expected one such as 192.0.2.1)",
            "egress::allow[1]::ports[0]: 0 is out of range (expected from 1 to 65535)",
            "egress::allow[1]::ports[1]: found \"https\" (expected a whole number)",
            "egress::allow[2]::host: not a host (expected a name, an address, or a pattern such as"
                + " *.vendor.example)",
            "egress::allow[3]::host: a number that is not a dotted decimal address (expected one"
                + " such as 192.0.2.1)",
            "egress::allow[3]::networks[0]: \"10.0.0.0/33\": prefix 33 is too long (expected at"
                + " most 32)",
            "egress::allow[3]::networks[1]: \"10.0.0.1/8\": bits are set behind the prefix"
                + " (expected the first address of the network)",
            "egress::allow[3]::networks[2]: \"ten\": not a network (expected one such as"
                + " 10.0.0.0/8)",
            "egress::allow[4]::port: unknown key; did you mean \"ports\"?",
            "egress::deny_networks[0]: \"1.2.3.4\": not a network (expected one such as"
                + " 10.0.0.0/8)");
  }

  private static Denial address(EgressPolicy policy, String host, String address) {
    return policy.checkAddress(https(host, 443), InetAddress.ofLiteral(address));
  }

  private static EgressPolicy policy(String yaml) {
    Configuration configuration = parse(yaml);
    EgressPolicy policy = EgressPolicy.read(configuration.root());
    assertThat(configuration.problems().all()).isEmpty();
    return policy;
  }

  private static Configuration parse(String yaml) {
    return ConfigurationLoader.parse("test.yaml", yaml, Map.of());
  }
}
