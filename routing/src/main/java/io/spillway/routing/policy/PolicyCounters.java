package io.spillway.routing.policy;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * Decisions by rule. There are as many counters as rules. A reload takes the counters of rules that
 * stay along: what a rule says makes it the same, not its place in the list. Safe on any thread.
 *
 * <p>Every dial counts once: as {@code allowed} or {@code shadow_denied} if it was made, else as
 * {@code denied} where it was stopped: at the host, at each address that was left out, or in the
 * moment of connecting.
 */
public final class PolicyCounters {
  private final List<Counter> counters;
  private final Map<String, Counter> byRule = new HashMap<>();

  private PolicyCounters(List<Counter> counters) {
    this.counters = counters;
    counters.forEach(counter -> byRule.put(counter.rule.name(), counter));
  }

  static PolicyCounters of(List<Rule> rules) {
    return new PolicyCounters(rules.stream().map(rule -> new Counter(rule, new Counts())).toList());
  }

  /** These counters; those of rules that were there before go on where they stood. */
  PolicyCounters continuing(PolicyCounters before) {
    Map<String, Deque<Counts>> counts = new HashMap<>();
    for (Counter counter : before.counters) {
      counts.computeIfAbsent(counter.rule.content(), c -> new ArrayDeque<>()).add(counter.counts);
    }
    List<Counter> continued = new ArrayList<>();
    for (Counter counter : counters) {
      Deque<Counts> same = counts.getOrDefault(counter.rule.content(), new ArrayDeque<>());
      Counts earlier = same.poll();
      continued.add(earlier == null ? counter : new Counter(counter.rule, earlier));
    }
    return new PolicyCounters(continued);
  }

  /** One entry for every rule, in the order of the configuration. */
  public List<RuleCount> all() {
    return counters.stream().map(Counter::read).toList();
  }

  void count(String rule, PolicyDecision.Verdict verdict) {
    Counter counter = byRule.get(rule);
    if (counter == null) {
      throw new IllegalArgumentException("no such rule: " + rule);
    }
    LongAdder adder =
        switch (verdict) {
          case ALLOWED -> counter.counts.allowed;
          case DENIED -> counter.counts.denied;
          case SHADOW_DENIED -> counter.counts.shadowDenied;
        };
    adder.increment();
  }

  /**
   * @param rule in words of the configuration
   * @param about the host or network that the rule speaks of; empty for what is built in
   * @param allowed dials let through
   * @param denied denials at any stage
   * @param shadowDenied dials that {@code mode: shadow} let through and enforcement would stop
   */
  public record RuleCount(
      String rule, String about, long allowed, long denied, long shadowDenied) {}

  /**
   * A rule as it is counted.
   *
   * @param name its place in the configuration
   * @param about the host or network that it speaks of
   * @param content all that it says
   */
  record Rule(String name, String about, String content) {
    static Rule builtIn(String name) {
      return new Rule(name, "", name);
    }
  }

  private record Counts(LongAdder allowed, LongAdder denied, LongAdder shadowDenied) {
    Counts() {
      this(new LongAdder(), new LongAdder(), new LongAdder());
    }
  }

  private record Counter(Rule rule, Counts counts) {
    RuleCount read() {
      return new RuleCount(
          rule.name(),
          rule.about(),
          counts.allowed.sum(),
          counts.denied.sum(),
          counts.shadowDenied.sum());
    }
  }
}
