package io.spillway.relay;

import io.spillway.routing.policy.PolicyDecision;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes each denial of the egress policy to the log. An attempt makes at most one, and backoff
 * bounds the attempts.
 */
final class EgressAudit {

  private static final Logger log = LoggerFactory.getLogger(EgressAudit.class);

  private EgressAudit() {}

  static void write(PolicyDecision decision) {
    if (decision.verdict() == PolicyDecision.Verdict.ALLOWED) {
      return;
    }
    log.warn(
        "egress {}: exporter={} host={} port={} address={} rule=\"{}\" reason=\"{}\"",
        decision.verdict() == PolicyDecision.Verdict.DENIED ? "denied" : "would be denied",
        decision.exporter(),
        decision.host(),
        decision.port(),
        decision.address() == null ? "unresolved" : decision.address().getHostAddress(),
        decision.rule(),
        decision.reason());
  }
}
