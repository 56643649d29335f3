package io.spillway.routing.egress;

import org.jspecify.annotations.Nullable;

/**
 * How much may go to one exporter.
 *
 * @param maxConcurrency attempts of one lane in flight at most
 * @param maxBytesPerSecond of all lanes together; 0 for no bound
 * @param quota null if there is none
 */
public record FlowSettings(
    int maxConcurrency, long maxBytesPerSecond, @Nullable QuotaSettings quota) {
  static final FlowSettings DEFAULT = new FlowSettings(ConcurrencyLimit.DEFAULT_MAX, 0, null);
}
