package io.spillway.relay;

import io.spillway.otlp.stage.DialPolicy;
import io.spillway.routing.policy.EgressPolicy;
import io.spillway.routing.policy.PolicyCounters;
import io.spillway.routing.policy.PolicyDecision;
import java.net.InetAddress;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The egress policy in force: every dial asks the newest one, also by an exporter that was made
 * before a reload.
 */
final class CurrentPolicy implements DialPolicy {

  private final Consumer<PolicyDecision> audit;
  private volatile EgressPolicy policy;

  /**
   * @param audit told of every decision that is counted; must not block
   */
  CurrentPolicy(EgressPolicy policy, Consumer<PolicyDecision> audit) {
    this.audit = audit;
    this.policy = policy.withListener(audit);
  }

  /** Puts another policy into force, which goes on counting where this one stands. */
  void set(EgressPolicy next) {
    policy = next.withListener(audit).continuing(policy);
  }

  PolicyCounters counters() {
    return policy.counters();
  }

  /** Counts and tells what was found when a configuration was read. */
  void record(List<PolicyDecision> reviewed) {
    reviewed.forEach(policy::record);
  }

  @Override
  public @Nullable Denial checkHost(Target target) {
    return policy.checkHost(target);
  }

  @Override
  public @Nullable Denial checkAddress(Target target, InetAddress address) {
    return policy.checkAddress(target, address);
  }

  @Override
  public @Nullable Denial checkDial(Target target, InetAddress address) {
    return policy.checkDial(target, address);
  }

  @Override
  public void redirectRefused(Target target, String location) {
    policy.redirectRefused(target, location);
  }
}
