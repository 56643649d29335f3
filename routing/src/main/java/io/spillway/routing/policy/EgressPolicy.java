package io.spillway.routing.policy;

import io.spillway.config.Section;
import io.spillway.otlp.stage.DialPolicy;
import io.spillway.routing.policy.PolicyDecision.Stage;
import io.spillway.routing.policy.PolicyDecision.Verdict;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The policy of the {@code egress} section. Its rules are immutable; a reload reads a new policy.
 * Safe on any thread.
 *
 * <p>What is not allowed is denied. A destination is allowed if a rule of {@code allow} matches its
 * host, port and scheme. The address it resolves to is looked at again at every dial, so that a
 * name cannot be pointed elsewhere later:
 *
 * <ol>
 *   <li>A host that is an address is that address and no other.
 *   <li>Link-local, metadata, multicast and unspecified addresses are denied always.
 *   <li>So is everything in {@code deny_networks}.
 *   <li>If the matching rule lists {@code networks}, the address must lie in one of them.
 *   <li>Otherwise private and loopback addresses are denied, unless the host of the rule is that
 *       very address, or {@code localhost} for loopback.
 *   <li>Without TLS only loopback is reached, unless the exporter says {@code
 *       dangerously_allow_plaintext: true}.
 * </ol>
 *
 * <p>IPv4 addresses inside IPv6 ones are judged as IPv4. A rule with {@code regions} allows only
 * exporters whose {@code region} is one of them. With no {@code egress} section, loopback is all
 * that is allowed. {@code mode: shadow} allows everything, and counts and audits what would be
 * denied; redirects are not followed all the same.
 */
public final class EgressPolicy implements DialPolicy {
  static final String CONFIGURATION = "egress (configuration)";

  private final EgressConfig config;
  private final Judge judge;
  private final PolicyCounters counters;
  private final Consumer<PolicyDecision> listener;

  private EgressPolicy(
      EgressConfig config, PolicyCounters counters, Consumer<PolicyDecision> listener) {
    this.config = config;
    this.judge = new Judge(config);
    this.counters = counters;
    this.listener = listener;
  }

  /** Reads {@code egress}; what is wrong with it is recorded as problems. */
  public static EgressPolicy read(Section root) {
    EgressConfig config = EgressConfig.read(root);
    List<PolicyCounters.Rule> rules = new ArrayList<>(new Judge(config).rules());
    rules.add(PolicyCounters.Rule.builtIn(CONFIGURATION));
    return new EgressPolicy(config, PolicyCounters.of(rules), decision -> {});
  }

  /**
   * The same policy, with the same counters, that also tells {@code listener} of every decision
   * that is counted, on the thread that asked. The listener must not block and not throw.
   */
  public EgressPolicy withListener(Consumer<PolicyDecision> listener) {
    return new EgressPolicy(config, counters, listener);
  }

  /** The same policy, which goes on counting where {@code before} stands for rules that stay. */
  public EgressPolicy continuing(EgressPolicy before) {
    return new EgressPolicy(config, counters.continuing(before.counters), listener);
  }

  public PolicyCounters counters() {
    return counters;
  }

  /** Whether what goes there can be read by everybody between this machine and another. */
  public static boolean isPlaintextElsewhere(Target target) {
    try {
      return target.scheme() == Scheme.HTTP && !HostName.parse(target.host()).isLoopback();
    } catch (IllegalArgumentException e) {
      return false; // never dialled
    }
  }

  /**
   * Checks a destination while the configuration is read. Counts nothing and tells nobody: whoever
   * acts on the configuration hands the decision to {@link #record}.
   *
   * @return the decision if it is against the destination; null if it is allowed
   */
  public @Nullable PolicyDecision review(Target target) {
    PolicyDecision decision = explain(target);
    return decision.verdict() == Verdict.ALLOWED ? null : decision;
  }

  /** As {@link #review}, also if the destination is allowed. */
  public PolicyDecision explain(Target target) {
    return decide(Stage.CONFIG, target, null);
  }

  /**
   * Counts and tells a decision of {@link #review}, also one of a newer configuration that was
   * refused.
   */
  public void record(PolicyDecision reviewed) {
    counters.count(CONFIGURATION, reviewed.verdict());
    listener.accept(reviewed);
  }

  @Override
  public @Nullable Denial checkHost(Target target) {
    return beforeDial(decide(Stage.HOST, target, null));
  }

  @Override
  public @Nullable Denial checkAddress(Target target, InetAddress address) {
    return beforeDial(decide(Stage.ADDRESS, target, address));
  }

  /** What enforcement does not end here is counted when it is dialled. */
  private @Nullable Denial beforeDial(PolicyDecision decision) {
    return decision.verdict() == Verdict.DENIED ? conclude(decision) : null;
  }

  @Override
  public @Nullable Denial checkDial(Target target, InetAddress address) {
    return conclude(decide(Stage.DIAL, target, address));
  }

  @Override
  public void redirectRefused(Target target, String location) {
    RedirectLocation to = RedirectLocation.parse(location, target.scheme());
    conclude(
        new PolicyDecision(
            Stage.REDIRECT,
            Verdict.DENIED,
            target.caller().exporter(),
            to.scheme(),
            to.host(),
            to.port(),
            null,
            Judge.REDIRECT,
            "%s port %d answered with a redirect, which is not followed"
                .formatted(shown(target.host()), target.port())));
  }

  private static String shown(String host) {
    try {
      return HostName.parse(host).text();
    } catch (IllegalArgumentException e) {
      return "the sink";
    }
  }

  private @Nullable Denial conclude(PolicyDecision decision) {
    counters.count(decision.rule(), decision.verdict());
    listener.accept(decision);
    return decision.verdict() == Verdict.DENIED
        ? new Denial(decision.rule(), decision.reason())
        : null;
  }

  private PolicyDecision decide(Stage stage, Target target, @Nullable InetAddress address) {
    String shown = "";
    Judgement judgement;
    try {
      HostName name = HostName.parse(target.host());
      shown = name.text();
      judgement = judge.judge(target, name, address);
    } catch (IllegalArgumentException e) {
      judgement = Judgement.denied(Judge.BUILT_IN, Objects.toString(e.getMessage()));
    }
    Denial denial = judgement.denial();
    return new PolicyDecision(
        stage,
        verdict(denial),
        target.caller().exporter(),
        target.scheme(),
        shown,
        target.port(),
        address,
        judgement.rule(),
        denial == null ? "" : denial.reason());
  }

  private Verdict verdict(@Nullable Denial denial) {
    if (denial == null) {
      return Verdict.ALLOWED;
    }
    return config.mode() == EgressConfig.Mode.ENFORCE ? Verdict.DENIED : Verdict.SHADOW_DENIED;
  }
}
