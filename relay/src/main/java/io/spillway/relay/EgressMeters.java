package io.spillway.relay;

import io.spillway.exporters.ExporterConfig;
import io.spillway.relay.audit.EgressAudit;
import io.spillway.relay.telemetry.Meter;
import io.spillway.relay.telemetry.Meters;
import io.spillway.routing.policy.PolicyCounters.RuleCount;
import java.util.Set;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The meters of the egress policy: decisions by rule, who sends unencrypted, and the audit. */
final class EgressMeters {
  private static final Logger log = LoggerFactory.getLogger(EgressMeters.class);

  private final Meters meters;
  private final CurrentPolicy policy;
  private volatile Set<String> plaintext = Set.of();

  EgressMeters(Meters meters, CurrentPolicy policy, EgressAudit audit) {
    this.meters = meters;
    this.policy = policy;
    meters.count(Meter.EGRESS_AUDIT_LEFT_OUT, audit, EgressAudit::leftOut);
  }

  /** Shows the rules and exporters that are in force now; those of before are gone. */
  void register(RelayConfig config) {
    plaintext = config.plaintext();
    meters.forgetEgress();
    for (RuleCount rule : policy.counters().all()) {
      register(rule, "allowed", RuleCount::allowed);
      register(rule, "denied", RuleCount::denied);
      register(rule, "shadow_denied", RuleCount::shadowDenied);
    }
    for (ExporterConfig exporter : config.exporters().values()) {
      if (!exporter.destinations().isEmpty()) {
        register(exporter.id());
      }
    }
  }

  private void register(RuleCount rule, String verdict, ToLongFunction<RuleCount> count) {
    meters.decisions(
        rule.rule(), rule.about(), verdict, this, self -> self.decisions(rule.rule(), count));
  }

  private double decisions(String rule, ToLongFunction<RuleCount> count) {
    return policy.counters().all().stream()
        .filter(each -> each.rule().equals(rule))
        .mapToLong(count)
        .sum();
  }

  private void register(String exporter) {
    meters.plaintext(exporter, this, self -> self.plaintext.contains(exporter) ? 1 : 0);
    if (plaintext.contains(exporter)) {
      log.warn(
          "exporters::{}: sends unencrypted to another machine; everybody on the way can read it",
          exporter);
    }
  }
}
