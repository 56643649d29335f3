package io.spillway.routing.policy;

import io.spillway.otlp.stage.DialPolicy.Caller;
import io.spillway.otlp.stage.DialPolicy.Scheme;
import io.spillway.otlp.stage.DialPolicy.Target;
import io.spillway.routing.policy.PolicyCounters.Rule;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Applies the rules of an {@code egress} section. Immutable; remembers nothing. */
final class Judge {
  static final String NO_RULE = "egress::allow";
  static final String LOOPBACK_ONLY = "egress (not written: loopback only)";
  static final String BUILT_IN = "egress (built in)";
  static final String REDIRECT = "egress (redirects are not followed)";
  static final String PLAINTEXT = "dangerously_allow_plaintext";
  static final String DENY_NETWORKS = "egress::deny_networks";

  private final EgressConfig config;

  Judge(EgressConfig config) {
    this.config = config;
  }

  /** Every rule that {@link #judge} may name. */
  List<Rule> rules() {
    List<Rule> rules = new ArrayList<>();
    if (!config.written()) {
      rules.add(Rule.builtIn(LOOPBACK_ONLY));
    }
    config.allow().forEach(rule -> rules.add(new Rule(rule.name(), rule.about(), rule.content())));
    for (int i = 0; i < config.denyNetworks().size(); i++) {
      String network = config.denyNetworks().get(i).toString();
      rules.add(new Rule(denyRule(i), network, "deny " + network));
    }
    rules.add(Rule.builtIn(NO_RULE));
    rules.add(Rule.builtIn(BUILT_IN));
    rules.add(Rule.builtIn(PLAINTEXT));
    rules.add(Rule.builtIn(REDIRECT));
    return rules;
  }

  private static String denyRule(int index) {
    return DENY_NETWORKS + "[" + index + "]";
  }

  /**
   * @param host the target's, in its one form
   * @param dialled null before the name is resolved
   */
  Judgement judge(Target target, HostName host, @Nullable InetAddress dialled) {
    // A literal host is its own address, whoever asks.
    InetAddress address = dialled == null ? host.address() : Addresses.unwrap(dialled);
    Judgement never = address == null ? null : judgeAddress(host, address);
    if (never != null) {
      return never;
    }
    Judgement judgement =
        config.written() ? judgeByRules(target, host, address) : judgeLoopback(host, address);
    return judgement.isAllowed() && isDangerous(target, host, address)
        ? plaintext(host, address, target.port())
        : judgement;
  }

  private @Nullable Judgement judgeAddress(HostName host, InetAddress address) {
    if (host.address() != null && !host.address().equals(address)) {
      return Judgement.denied(
          BUILT_IN, host.text() + " is an address, and not " + address.getHostAddress());
    }
    String kind = Addresses.forbiddenKind(address);
    if (kind != null) {
      return Judgement.denied(
          BUILT_IN, at(host, address) + "a " + kind + " address, which is never dialled");
    }
    for (int i = 0; i < config.denyNetworks().size(); i++) {
      Network network = config.denyNetworks().get(i);
      if (network.contains(address)) {
        return Judgement.denied(
            denyRule(i), at(host, address) + "in the denied network " + network);
      }
    }
    return null;
  }

  private static Judgement judgeLoopback(HostName host, @Nullable InetAddress address) {
    if (host.isLoopback() && (address == null || Addresses.isLoopback(address))) {
      return Judgement.allowed(LOOPBACK_ONLY);
    }
    return Judgement.denied(
        LOOPBACK_ONLY,
        (address == null ? host.text() + " is " : at(host, address))
            + "not loopback, and without an egress section nothing else is allowed; allow it by"
            + " egress: { allow: [ { host: "
            + host.text()
            + " } ] }");
  }

  private Judgement judgeByRules(Target target, HostName host, @Nullable InetAddress address) {
    Judgement denied = Judgement.denied(NO_RULE, noRule(target, host));
    for (AllowRule rule : config.allow()) {
      if (rule.matches(host, target.port(), target.scheme())) {
        Judgement judgement = judgeByRule(rule, target.caller(), host, address);
        if (judgement.isAllowed()) {
          return judgement;
        }
        denied = judgement;
      }
    }
    return denied;
  }

  private static String noRule(Target target, HostName host) {
    return "%s port %d by %s matches no rule of egress::allow"
        .formatted(host.text(), target.port(), target.scheme().label());
  }

  private static Judgement judgeByRule(
      AllowRule rule, Caller caller, HostName host, @Nullable InetAddress address) {
    String region = caller.region();
    if (!rule.takesRegion(region)) {
      return Judgement.denied(
          rule.name(),
          (region == null ? "no region" : "region " + region)
              + " is configured for the exporter (expected one of "
              + String.join(", ", rule.regions().stream().sorted().toList())
              + ")");
    }
    if (address == null || rule.permits(address)) {
      return Judgement.allowed(rule.name());
    }
    return Judgement.denied(
        rule.name(),
        at(host, address)
            + (rule.networks().isEmpty()
                ? "a private address, and the rule lists no networks that hold it"
                : "in none of the rule's networks"));
  }

  private static boolean isDangerous(Target target, HostName host, @Nullable InetAddress address) {
    boolean local = address == null ? host.isLoopback() : Addresses.isLoopback(address);
    return target.scheme() == Scheme.HTTP && !target.caller().plaintextAllowed() && !local;
  }

  private static Judgement plaintext(HostName host, @Nullable InetAddress address, int port) {
    String where = address == null ? host.text() + " is " : at(host, address);
    return Judgement.denied(
        PLAINTEXT,
        where
            + "not loopback, and what goes to port "
            + port
            + " is not encrypted (expected https://, or dangerously_allow_plaintext: true on the"
            + " exporter)");
  }

  private static String at(HostName host, InetAddress address) {
    return Objects.equals(address, host.address())
        ? host.text() + " is "
        : host.text() + " is at " + address.getHostAddress() + ", ";
  }
}
