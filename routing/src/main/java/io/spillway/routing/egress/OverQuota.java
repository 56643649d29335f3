package io.spillway.routing.egress;

import java.time.Duration;

/** What a quota that is used up asks of the gate. */
public sealed interface OverQuota {

  /** New data is to be refused. */
  record Refuse(Duration retryAfter, String reason) implements OverQuota {}

  /** Traces are to be sampled. */
  record Sample(double percentage) implements OverQuota {}
}
