package io.spillway.routing.policy;

import io.spillway.otlp.stage.DialPolicy.Denial;
import org.jspecify.annotations.Nullable;

/** The rule that decided about a destination, and why if it is against. */
record Judgement(String rule, @Nullable Denial denial) {

  static Judgement allowed(String rule) {
    return new Judgement(rule, null);
  }

  static Judgement denied(String rule, String reason) {
    return new Judgement(rule, new Denial(rule, reason));
  }

  boolean isAllowed() {
    return denial == null;
  }
}
