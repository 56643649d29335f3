package io.spillway.routing.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.stage.DialPolicy.Caller;
import io.spillway.otlp.stage.DialPolicy.Denial;
import io.spillway.otlp.stage.DialPolicy.Scheme;
import io.spillway.otlp.stage.DialPolicy.Target;
import io.spillway.routing.policy.PolicyCounters.RuleCount;
import io.spillway.routing.policy.PolicyDecision.Stage;
import io.spillway.routing.policy.PolicyDecision.Verdict;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EgressPolicyTest {
  private static final Caller CLOSED = new Caller("otlp_http/a", null, false);
  private static final Caller OPEN = new Caller("otlp_http/a", null, true);

  private static final String VENDOR =
      """
      egress:
        allow:
          - { host: "*.Vendor.example.", ports: [443] }
          - { host: internal.example, networks: [10.1.0.0/16, "fd00::/8"] }
          - { host: 192.168.7.7, ports: [4317, 443] }
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
    "ingest.vendor.example, 0, false",
    "ingest.vendor.example, 65536, false",
    "ingest.vendor.example, -1, false",
    "ingest.vendor.exampl\u0435, 443, false",
    "ingest.v\u0435ndor.example, 443, false",
    "\uff49ngest.vendor\uff0eexample, 443, true",
    "xn--vendor.example, 443, false",
    "vendor.example.evil.example, 443, false",
    "xvendor.example, 443, false",
    "vendor-example, 443, false",
    "internal.example, 1, true",
    "xn--bcher-kva.example, 443, true",
    "BÜCHER.example, 443, true",
    "192.168.7.7, 4317, true",
    "192.168.7.7, 444, false",
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
        "017700000001 | a number that is not a dotted decimal address (expected one such as"
            + " 192.0.2.1)",
        "0xA9FEA9FE | a number that is not a dotted decimal address (expected one such as"
            + " 192.0.2.1)",
        "evil.example.0x7f | a number that is not a dotted decimal address (expected one such as"
            + " 192.0.2.1)",
        "1.2.3.4.5 | a number that is not a dotted decimal address (expected one such as"
            + " 192.0.2.1)",
        "ingest.vendor.example%00.evil.example | not a host (expected a name or an address)",
        "evil.example?.vendor.example | not a host (expected a name or an address)",
        "evil.example\\.vendor.example | not a host (expected a name or an address)",
        ".vendor.example | not a host (expected a name or an address)",
        "*.vendor.example | not a host (expected a name or an address)",
        "-.vendor.example | not a host (expected a name or an address)",
        "[::1]:80 | not an IP address (expected one such as 192.0.2.1)",
        "[::1 | not an IP address (expected one such as 192.0.2.1)",
        "ingest.vendor.example:443 | not an IP address (expected one such as 192.0.2.1)",
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
    "ingest.vendor.example, ::ffff:0:10.0.0.1, false",
    "ingest.vendor.example, ::ffff:0:198.51.100.1, true",
    "ingest.vendor.example, 64:ff9b:1::a00:1, false",
    "ingest.vendor.example, 2001:0:a00:1::1, false",
    "ingest.vendor.example, ::2, false",
    "ingest.vendor.example, 203.0.113.9, false",
    "ingest.vendor.example, ::ffff:203.0.113.9, false",
    "internal.example, 10.1.255.1, true",
    "internal.example, 10.2.0.1, false",
    "internal.example, 198.51.100.1, false",
    "internal.example, fd00::1, true",
    // A host that is an address is that address, whatever a resolver says of it.
    "192.168.7.7, 192.168.7.7, true",
    "192.168.7.7., 192.168.7.7, true",
    "::ffff:192.168.7.7, 192.168.7.7, true",
    "192.168.7.7, ::ffff:192.168.7.7, true",
    "192.168.7.7, 198.51.100.1, false",
    "192.168.7.7., 198.51.100.1, false",
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
    "anything.example, 168.63.129.16, false",
    "anything.example, 192.0.0.192, false",
    "anything.example, 64:ff9b::a9fe:a9fe, false",
    "anything.example, 2002:a9fe:a9fe::, false",
    "anything.example, ::169.254.169.254, false",
    "anything.example, ::ffff:0:a9fe:a9fe, false",
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

  @ParameterizedTest
  @ValueSource(ints = {254, 1 << 16})
  void checkHost_longerThanAName_isDenied(int length) {
    String suffix = ".vendor.example";
    String host = "a".repeat(length - suffix.length()) + suffix;

    assertThat(policy(VENDOR).checkHost(https(host, 443)))
        .isEqualTo(new Denial("egress (built in)", "not a host (expected a name or an address)"));
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
            new Denial(
                "egress::allow",
                "other.example port 443 by https matches no rule of egress::allow"));
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
            new Denial(
                "egress::allow", "localhost port 443 by https matches no rule of egress::allow"));
  }

  @Test
  void checkHost_ruleWithRegions_takesOnlyThoseRegions() {
    EgressPolicy policy =
        policy(
            "egress: { allow: [ { host: a.example, regions: [us, eu] }, { host: b.example } ] }");

    assertThat(policy.checkHost(inRegion("eu", "a.example"))).isNull();
    assertThat(policy.checkHost(inRegion(null, "a.example")))
        .isEqualTo(
            new Denial(
                "egress::allow[0]",
                "no region is configured for the exporter (expected one of eu, us)"));
    assertThat(policy.checkHost(inRegion("asia", "a.example")))
        .isEqualTo(
            new Denial(
                "egress::allow[0]",
                "region asia is configured for the exporter (expected one of eu, us)"));
    assertThat(policy.checkHost(inRegion("asia", "b.example"))).isNull();
  }

  @ParameterizedTest
  @CsvSource({
    "a.example, HTTPS, true",
    "a.example, HTTP, false",
    "a.example, PROXY, false",
    "b.example, HTTP, true",
    "b.example, HTTPS, false",
    "proxy.example, PROXY, true",
    "proxy.example, HTTPS, false",
    "any.example, HTTPS, true",
    "any.example, HTTP, true",
    "any.example, PROXY, true",
  })
  void checkHost_ruleWithSchemes_takesOnlyThose(String host, Scheme scheme, boolean allowed) {
    EgressPolicy policy =
        policy(
            """
            egress:
              allow:
                - { host: a.example, schemes: [https] }
                - { host: b.example, schemes: http }
                - { host: proxy.example, schemes: [proxy] }
                - { host: any.example }
            """);

    Denial denial = policy.checkHost(new Target(OPEN, scheme, host, 443));

    assertThat(denial)
        .isEqualTo(
            allowed
                ? null
                : new Denial(
                    "egress::allow",
                    host + " port 443 by " + scheme.label() + " matches no rule of egress::allow"));
  }

  @Test
  void check_plaintextWithoutPermission_onlyToLoopback() {
    EgressPolicy policy =
        policy(
            "egress: { allow: [ { host: '*', networks: [127.0.0.0/8, 198.51.100.0/24] }, { host:"
                + " localhost, networks: [0.0.0.0/0] } ] }");

    assertThat(policy.checkHost(http(CLOSED, "a.example")))
        .isEqualTo(
            new Denial(
                "dangerously_allow_plaintext",
                "a.example is not loopback, and what goes to port 4318 is not encrypted (expected"
                    + " https://, or dangerously_allow_plaintext: true on the exporter)"));
    assertThat(policy.checkHost(http(CLOSED, "198.51.100.1"))).isNotNull();
    assertThat(policy.checkHost(http(CLOSED, "127.0.0.1"))).isNull();
    assertThat(policy.checkHost(http(CLOSED, "localhost"))).isNull();
    assertThat(policy.checkDial(http(CLOSED, "localhost"), address("127.0.0.1"))).isNull();
    assertThat(policy.checkHost(http(OPEN, "a.example"))).isNull();
    assertThat(policy.checkHost(new Target(CLOSED, Scheme.HTTPS, "a.example", 4318))).isNull();
    assertThat(policy.checkHost(new Target(CLOSED, Scheme.PROXY, "a.example", 4318))).isNull();
  }

  @Test
  void checkDial_loopbackNameThatMoved_isNotDialledInPlaintext() {
    EgressPolicy policy =
        policy("egress: { allow: [ { host: localhost, networks: [0.0.0.0/0] } ] }");

    assertThat(policy.checkHost(http(CLOSED, "localhost"))).isNull();
    assertThat(policy.checkDial(http(CLOSED, "localhost"), address("198.51.100.1")))
        .isEqualTo(
            new Denial(
                "dangerously_allow_plaintext",
                "localhost is at 198.51.100.1, not loopback, and what goes to port 4318 is not"
                    + " encrypted (expected https://, or dangerously_allow_plaintext: true on the"
                    + " exporter)"));
    assertThat(policy.checkDial(http(OPEN, "localhost"), address("198.51.100.1"))).isNull();
  }

  @Test
  void check_shadow_allowsAndCountsEachDialOnce() {
    List<PolicyDecision> decisions = new ArrayList<>();
    EgressPolicy policy =
        policy(
                "egress: { mode: shadow, allow: [ { host: a.example } ], deny_networks:"
                    + " [203.0.113.0/24] }")
            .withListener(decisions::add);

    dial(policy, "b.example", "198.51.100.1");
    dial(policy, "a.example", "203.0.113.1");
    dial(policy, "a.example", "169.254.169.254");
    dial(policy, "a.example", "198.51.100.1");

    assertThat(policy.counters().all())
        .containsExactly(
            new RuleCount("egress::allow[0]", "a.example", 1, 0, 0),
            new RuleCount("egress::deny_networks[0]", "203.0.113.0/24", 0, 0, 1),
            new RuleCount("egress::allow", "", 0, 0, 1),
            new RuleCount("egress (built in)", "", 0, 0, 1),
            new RuleCount("dangerously_allow_plaintext", "", 0, 0, 0),
            new RuleCount("egress (redirects are not followed)", "", 0, 0, 0),
            new RuleCount("egress (configuration)", "", 0, 0, 0));
    assertThat(decisions)
        .extracting(PolicyDecision::verdict)
        .containsExactly(
            Verdict.SHADOW_DENIED, Verdict.SHADOW_DENIED, Verdict.SHADOW_DENIED, Verdict.ALLOWED);
  }

  @Test
  void check_enforce_countsEachDialOnceAndEachDenialWhereItIs() {
    List<PolicyDecision> decisions = new ArrayList<>();
    EgressPolicy policy =
        policy("egress: { allow: [ { host: a.example } ] }").withListener(decisions::add);

    dial(policy, "a.example", "198.51.100.1");
    dial(policy, "a.example", "198.51.100.2");
    dial(policy, "a.example", "127.0.0.1");
    assertThat(policy.checkHost(https("user:pw@a.example", 443))).isNotNull();

    assertThat(policy.counters().all())
        .startsWith(
            new RuleCount("egress::allow[0]", "a.example", 2, 1, 0),
            new RuleCount("egress::allow", "", 0, 0, 0),
            new RuleCount("egress (built in)", "", 0, 1, 0));
    assertThat(decisions)
        .filteredOn(decision -> decision.verdict() != Verdict.ALLOWED)
        .containsExactly(
            new PolicyDecision(
                Stage.ADDRESS,
                Verdict.DENIED,
                "otlp_http/a",
                Scheme.HTTPS,
                "a.example",
                443,
                address("127.0.0.1"),
                "egress::allow[0]",
                "a.example is at 127.0.0.1, a private address, and the rule lists no networks that"
                    + " hold it"),
            new PolicyDecision(
                Stage.HOST,
                Verdict.DENIED,
                "otlp_http/a",
                Scheme.HTTPS,
                "",
                443,
                null,
                "egress (built in)",
                "a host with user information (expected a host alone)"));
  }

  @Test
  void continuing_rulesThatStay_goOnCounting() {
    EgressPolicy before =
        policy(
            "egress: { allow: [ { host: a.example }, { host: b.example } ], deny_networks:"
                + " [203.0.113.0/24] }");
    dial(before, "a.example", "198.51.100.1");
    dial(before, "b.example", "198.51.100.1");
    dial(before, "a.example", "203.0.113.1");
    dial(before, "c.example", "198.51.100.1");

    EgressPolicy after =
        policy(
                "egress: { allow: [ { host: b.example, ports: [443] }, { host: a.example } ],"
                    + " deny_networks: [198.18.0.0/15, 203.0.113.0/24] }")
            .continuing(before);
    dial(after, "a.example", "198.51.100.1");
    dial(before, "a.example", "198.51.100.1"); // on its way while the configuration was reloaded

    assertThat(after.counters().all())
        .startsWith(
            new RuleCount("egress::allow[0]", "b.example", 0, 0, 0), // says something else now
            new RuleCount("egress::allow[1]", "a.example", 3, 0, 0),
            new RuleCount("egress::deny_networks[0]", "198.18.0.0/15", 0, 0, 0),
            new RuleCount("egress::deny_networks[1]", "203.0.113.0/24", 0, 1, 0),
            new RuleCount("egress::allow", "", 0, 1, 0));
  }

  @Test
  void review_countsNothing_recordCountsApartFromDials() {
    List<PolicyDecision> decisions = new ArrayList<>();
    EgressPolicy policy =
        policy("egress: { allow: [ { host: a.example } ] }").withListener(decisions::add);

    assertThat(policy.review(https("a.example", 443))).isNull();
    PolicyDecision denied = policy.review(https("b.example", 443));
    assertThat(decisions).isEmpty();
    policy.record(Objects.requireNonNull(denied));

    assertThat(decisions).containsExactly(denied);
    assertThat(denied.stage()).isEqualTo(Stage.CONFIG);
    assertThat(policy.counters().all())
        .containsExactly(
            new RuleCount("egress::allow[0]", "a.example", 0, 0, 0),
            new RuleCount("egress::allow", "", 0, 0, 0),
            new RuleCount("egress (built in)", "", 0, 0, 0),
            new RuleCount("dangerously_allow_plaintext", "", 0, 0, 0),
            new RuleCount("egress (redirects are not followed)", "", 0, 0, 0),
            new RuleCount("egress (configuration)", "", 0, 1, 0));
  }

  @ParameterizedTest
  @CsvSource({
    "https://Evil.example./v1/traces, HTTPS, evil.example, 443",
    "http://evil.example:8080/, HTTP, evil.example, 8080",
    "//evil.example/x, HTTPS, evil.example, 443",
    "http://169.254.169.254/latest/meta-data, HTTP, 169.254.169.254, 80",
    "http://[::ffff:a9fe:a9fe]/, HTTP, 169.254.169.254, 80",
    "http://user:pw@evil.example/, HTTP, evil.example, 80",
    "/v1/elsewhere, HTTPS, '', 0",
    "'', HTTPS, '', 0",
    "http://0x7f.1/, HTTPS, '', 0",
    "http://a b/, HTTPS, '', 0",
    "gopher://evil.example, HTTPS, evil.example, 443",
  })
  void redirectRefused_anyLocation_isCountedAndToldEvenInShadow(
      String location, Scheme scheme, String host, int port) {
    List<PolicyDecision> decisions = new ArrayList<>();
    EgressPolicy policy =
        policy("egress: { mode: shadow, allow: [ { host: a.example } ] }")
            .withListener(decisions::add);

    policy.redirectRefused(https("a.example", 4318), location);

    assertThat(decisions)
        .containsExactly(
            new PolicyDecision(
                Stage.REDIRECT,
                Verdict.DENIED,
                "otlp_http/a",
                scheme,
                host,
                port,
                null,
                "egress (redirects are not followed)",
                "a.example port 4318 answered with a redirect, which is not followed"));
    assertThat(policy.counters().all())
        .contains(new RuleCount("egress (redirects are not followed)", "", 0, 1, 0));
  }

  @Test
  void redirectRefused_hugeLocation_isNotRead() {
    List<PolicyDecision> decisions = new ArrayList<>();

    policy("")
        .withListener(decisions::add)
        .redirectRefused(https("localhost", 4318), "http://" + "a".repeat(1 << 20));

    assertThat(decisions).singleElement().extracting(PolicyDecision::host).isEqualTo("");
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
                - { host: "192.0.2.*", schemes: [https, ftp] }
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
            "egress::allow[5]::host: a pattern of addresses, which also takes names such as"
                + " 192.0.evil.example (expected host: \"*\" with networks: [192.0.2.0/24])",
            "egress::allow[5]::schemes[1]: found \"ftp\" (expected https | http | proxy)",
            "egress::allow[4]::port: unknown key; did you mean \"ports\"?",
            "egress::deny_networks[0]: \"1.2.3.4\": not a network (expected one such as"
                + " 10.0.0.0/8)");
  }

  private static @Nullable Denial address(EgressPolicy policy, String host, String address) {
    return policy.checkAddress(https(host, 443), address(address));
  }

  /** As an exporter dials: stops at the first denial. */
  private static void dial(EgressPolicy policy, String host, String address) {
    Target target = https(host, 443);
    if (policy.checkHost(target) == null && policy.checkAddress(target, address(address)) == null) {
      policy.checkDial(target, address(address));
    }
  }

  private static InetAddress address(String literal) {
    return InetAddress.ofLiteral(literal);
  }

  private static Target https(String host, int port) {
    return new Target(CLOSED, Scheme.HTTPS, host, port);
  }

  private static Target inRegion(@Nullable String region, String host) {
    return new Target(new Caller("otlp_http/a", region, false), Scheme.HTTPS, host, 443);
  }

  private static Target http(Caller caller, String host) {
    return new Target(caller, Scheme.HTTP, host, 4318);
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
