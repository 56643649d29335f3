package io.spillway.relay.audit;

import io.spillway.routing.policy.PolicyDecision;
import io.spillway.routing.policy.PolicyDecision.Verdict;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** What the lines of the audit look like. */
final class AuditLines {
  /** A decision, when it was made first. */
  String decision(Instant when, PolicyDecision decision) {
    return write(body(when, decision));
  }

  /**
   * The same decision again.
   *
   * @param last when it was made last
   * @param times how often since it was last written
   */
  String repeated(Instant last, PolicyDecision decision, long times) {
    Map<String, Object> body = body(last, decision);
    body.put("repeated", times);
    return write(body);
  }

  /** Decisions that could not be written. */
  String leftOut(Instant when, long decisions) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("time", when.toString());
    body.put("stage", "audit");
    body.put("left_out", decisions);
    return write(body);
  }

  private static Map<String, Object> body(Instant when, PolicyDecision decision) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("time", when.toString());
    body.put("stage", decision.stage().label());
    body.put("verdict", decision.verdict().label());
    body.put("enforced", decision.verdict() == Verdict.DENIED);
    body.put("exporter", decision.exporter());
    body.put("scheme", decision.scheme().label());
    body.put("host", decision.host());
    body.put("port", decision.port());
    body.put("address", decision.address() == null ? null : decision.address().getHostAddress());
    body.put("rule", decision.rule());
    body.put("reason", decision.reason());
    return body;
  }

  /** Not a field: the mapper is slow to make, and most relays never write a line at their start. */
  private String write(Map<String, Object> body) {
    return JsonMapper.shared().writeValueAsString(body);
  }
}
