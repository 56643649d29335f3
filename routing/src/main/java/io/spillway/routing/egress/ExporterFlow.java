package io.spillway.routing.egress;

import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What all lanes together may send to one exporter. Lives as long as the process, whatever its
 * settings become. Safe on any thread.
 */
final class ExporterFlow {
  private final BandwidthCap cap = new BandwidthCap();
  private final LongSupplier nanos;
  private volatile int maxConcurrency = FlowSettings.DEFAULT.maxConcurrency();
  private volatile @Nullable Quota quota;

  /**
   * @param nanos monotonic nanoseconds, never negative
   */
  ExporterFlow(LongSupplier nanos) {
    this.nanos = nanos;
  }

  void apply(FlowSettings settings, @Nullable Quota quota) {
    maxConcurrency = settings.maxConcurrency();
    cap.rate(settings.maxBytesPerSecond());
    this.quota = quota;
  }

  int maxConcurrency() {
    return maxConcurrency;
  }

  /** Null if there is none. */
  @Nullable Quota quota() {
    return quota;
  }

  /** As {@link BandwidthCap#charge}; counts for the quota too. */
  long charge(long bytes) {
    Quota mine = quota;
    if (mine != null) {
      mine.add(bytes);
    }
    return cap.charge(bytes, nanos.getAsLong());
  }
}
