package io.spillway.routing.policy;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * Decisions by rule since the policy was read. There are as many counters as rules, and the rules
 * do not change. Safe on any thread.
 */
public final class PolicyCounters {
  private final Map<String, Counter> byRule;

  PolicyCounters(Collection<String> rules) {
    Map<String, Counter> counters = new LinkedHashMap<>();
    rules.forEach(rule -> counters.put(rule, new Counter()));
    byRule = Collections.unmodifiableMap(counters);
  }

  /** One entry for every rule, in the order of the configuration. */
  public List<RuleCount> all() {
    return byRule.entrySet().stream().map(entry -> entry.getValue().read(entry.getKey())).toList();
  }

  void allowed(String rule) {
    counter(rule).allowed.increment();
  }

  void denied(String rule, boolean enforced) {
    Counter counter = counter(rule);
    (enforced ? counter.denied : counter.shadowDenied).increment();
  }

  private Counter counter(String rule) {
    Counter counter = byRule.get(rule);
    if (counter == null) {
      throw new IllegalArgumentException("no such rule: " + rule);
    }
    return counter;
  }

  /**
   * @param rule in words of the configuration
   * @param allowed dials let through
   * @param denied denials at any stage
   * @param shadowDenied what {@code mode: shadow} let through and enforcement would deny
   */
  public record RuleCount(String rule, long allowed, long denied, long shadowDenied) {}

  private static final class Counter {
    private final LongAdder allowed = new LongAdder();
    private final LongAdder denied = new LongAdder();
    private final LongAdder shadowDenied = new LongAdder();

    RuleCount read(String rule) {
      return new RuleCount(rule, allowed.sum(), denied.sum(), shadowDenied.sum());
    }
  }
}
