package io.spillway.routing.policy;

import io.spillway.config.Section;
import io.spillway.otlp.stage.DialPolicy;
import io.spillway.routing.policy.PolicyDecision.Stage;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The policy of the {@code egress} section. Its rules are immutable; a reload reads a new policy.
 * Safe on any thread.
 *
 * <p>What is not allowed is denied. A destination is allowed if a rule of {@code allow} matches its
 * host and port. The address it resolves to is looked at again at every dial, so that a name cannot
 * be pointed elsewhere later:
 *
 * <ol>
 *   <li>Link-local, metadata, multicast and unspecified addresses are denied always.
 *   <li>So is everything in {@code deny_networks}.
 *   <li>If the matching rule lists {@code networks}, the address must lie in one of them.
 *   <li>Otherwise private and loopback addresses are denied, unless the host of the rule is that
 *       very address, or {@code localhost} for loopback.
 * </ol>
 *
 * <p>IPv4 addresses inside IPv6 ones are judged as IPv4. A rule with {@code regions} allows only
 * exporters whose {@code region} is one of them. With no {@code egress} section, loopback is all
 * that is allowed. {@code mode: shadow} allows everything, and counts and audits what would be
 * denied.
 */
public final class EgressPolicy implements DialPolicy {
  static final String NO_RULE = "egress::allow";
  static final String LOOPBACK_ONLY = "egress (not written: loopback only)";
  static final String BUILT_IN = "egress (built in)";
  static final String DENY_NETWORKS = "egress::deny_networks";

  private final EgressConfig config;
  private final PolicyCounters counters;
  private final Consumer<PolicyDecision> listener;

  /** By exporter, as validated; bounded by the exporters of one configuration. */
  private final Map<String, Region> regions;

  private EgressPolicy(
      EgressConfig config,
      PolicyCounters counters,
      Map<String, Region> regions,
      Consumer<PolicyDecision> listener) {
    this.config = config;
    this.counters = counters;
    this.regions = regions;
    this.listener = listener;
  }

  /** Reads {@code egress}; what is wrong with it is recorded as problems. */
  public static EgressPolicy read(Section root) {
    EgressConfig config = EgressConfig.read(root);
    return new EgressPolicy(
        config, new PolicyCounters(rules(config)), new ConcurrentHashMap<>(), denial -> {});
  }

  private static List<String> rules(EgressConfig config) {
    List<String> rules = new ArrayList<>();
    if (!config.written()) {
      rules.add(LOOPBACK_ONLY);
    }
    config.allow().forEach(rule -> rules.add(rule.name()));
    for (int i = 0; i < config.denyNetworks().size(); i++) {
      rules.add(denyRule(i));
    }
    rules.add(NO_RULE);
    rules.add(BUILT_IN);
    return rules;
  }

  private static String denyRule(int index) {
    return DENY_NETWORKS + "[" + index + "]";
  }

  /**
   * The same policy, with the same counters, that also tells {@code listener} of every denial, on
   * the thread that asked. The listener must not block and not throw.
   */
  public EgressPolicy withListener(Consumer<PolicyDecision> listener) {
    return new EgressPolicy(config, counters, regions, listener);
  }

  public PolicyCounters counters() {
    return counters;
  }

  /**
   * Checks the destination of an exporter while the configuration is read, and remembers the region
   * for the checks at dial.
   *
   * @param region as configured; null if the exporter has none
   * @return why the exporter may not have this destination, or null if it may
   */
  public @Nullable Denial checkExporter(
      String exporter, String host, int port, @Nullable String region) {
    regions.put(exporter, new Region(region));
    return check(Stage.CONFIG, exporter, host, null, port);
  }

  @Override
  public @Nullable Denial checkHost(String exporter, String host, int port) {
    return check(Stage.HOST, exporter, host, null, port);
  }

  @Override
  public @Nullable Denial checkAddress(
      String exporter, String host, InetAddress address, int port) {
    return check(Stage.ADDRESS, exporter, host, address, port);
  }

  private @Nullable Denial check(
      Stage stage, String exporter, String host, @Nullable InetAddress address, int port) {
    String shown = "";
    Verdict verdict;
    try {
      HostName name = HostName.parse(host);
      shown = name.text();
      verdict = judge(exporter, name, address, port);
    } catch (IllegalArgumentException e) {
      verdict = Verdict.denied(BUILT_IN, Objects.toString(e.getMessage()));
    }
    Denial denial = verdict.denial();
    if (denial == null) {
      if (stage == Stage.ADDRESS) {
        counters.allowed(verdict.rule());
      }
      return null;
    }
    boolean enforced = config.mode() == EgressConfig.Mode.ENFORCE;
    counters.denied(denial.rule(), enforced);
    listener.accept(
        new PolicyDecision(
            stage, exporter, shown, port, address, denial.rule(), denial.reason(), enforced));
    return enforced ? denial : null;
  }

  /**
   * @param dialled null before the name is resolved
   */
  private Verdict judge(String exporter, HostName host, @Nullable InetAddress dialled, int port) {
    // A literal host is its own address, whoever asks.
    InetAddress unwrapped = dialled == null ? host.address() : Addresses.unwrap(dialled);
    Verdict never = unwrapped == null ? null : judgeAddress(host, unwrapped);
    if (never != null) {
      return never;
    }
    return config.written()
        ? judgeByRules(exporter, host, unwrapped, port)
        : judgeLoopback(host, unwrapped);
  }

  private @Nullable Verdict judgeAddress(HostName host, InetAddress address) {
    String kind = Addresses.forbiddenKind(address);
    if (kind != null) {
      return Verdict.denied(
          BUILT_IN, at(host, address) + "a " + kind + " address, which is never dialled");
    }
    for (int i = 0; i < config.denyNetworks().size(); i++) {
      Network network = config.denyNetworks().get(i);
      if (network.contains(address)) {
        return Verdict.denied(denyRule(i), at(host, address) + "in the denied network " + network);
      }
    }
    return null;
  }

  private static Verdict judgeLoopback(HostName host, @Nullable InetAddress address) {
    boolean named = host.text().equals("localhost");
    boolean literal = host.address() != null && Addresses.isLoopback(host.address());
    if ((named || literal) && (address == null || Addresses.isLoopback(address))) {
      return Verdict.allowed(LOOPBACK_ONLY);
    }
    return Verdict.denied(
        LOOPBACK_ONLY,
        (address == null ? host.text() + " is " : at(host, address))
            + "not loopback, and without an egress section nothing else is allowed; allow it by"
            + " egress: { allow: [ { host: "
            + host.text()
            + " } ] }");
  }

  private Verdict judgeByRules(
      String exporter, HostName host, @Nullable InetAddress address, int port) {
    Verdict denied =
        Verdict.denied(
            NO_RULE, host.text() + " port " + port + " matches no rule of egress::allow");
    for (AllowRule rule : config.allow()) {
      if (rule.matches(host, port)) {
        Verdict verdict = judgeByRule(rule, exporter, host, address);
        if (verdict.denial() == null) {
          return verdict;
        }
        denied = verdict;
      }
    }
    return denied;
  }

  private Verdict judgeByRule(
      AllowRule rule, String exporter, HostName host, @Nullable InetAddress address) {
    Region region = regions.get(exporter);
    if (region != null && !rule.takesRegion(region.name())) {
      return Verdict.denied(
          rule.name(),
          (region.name() == null ? "no region" : "region " + region.name())
              + " is configured for the exporter (expected one of "
              + String.join(", ", rule.regions().stream().sorted().toList())
              + ")");
    }
    if (address == null || rule.permits(address)) {
      return Verdict.allowed(rule.name());
    }
    return Verdict.denied(
        rule.name(),
        at(host, address)
            + (rule.networks().isEmpty()
                ? "a private address, and the rule lists no networks that hold it"
                : "in none of the rule's networks"));
  }

  private static String at(HostName host, InetAddress address) {
    return address.equals(host.address())
        ? host.text() + " is "
        : host.text() + " is at " + address.getHostAddress() + ", ";
  }

  private record Region(@Nullable String name) {}

  /** A decision, the rule that made it, and why if it is against. */
  private record Verdict(String rule, @Nullable Denial denial) {
    static Verdict allowed(String rule) {
      return new Verdict(rule, null);
    }

    static Verdict denied(String rule, String reason) {
      return new Verdict(rule, new Denial(rule, reason));
    }
  }
}
