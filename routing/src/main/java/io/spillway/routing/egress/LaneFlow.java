package io.spillway.routing.egress;

import io.spillway.routing.egress.QuotaSettings.Action;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a lane shares with others: the exporters of its route, and the route's quota. Safe on any
 * thread.
 */
public final class LaneFlow {
  /** No bounds. */
  public static final LaneFlow UNLIMITED = new LaneFlow(Map.of(), "", null, null);

  /** Senders ask again at least this often, so that a raised quota is soon noticed. */
  private static final Duration MAX_RETRY_AFTER = Duration.ofMinutes(1);

  private final Map<String, ExporterFlow> exporters;
  private final String first;
  private final @Nullable Quota route;
  private final @Nullable TenantQuotas tenants;

  /**
   * @param first the route's first exporter
   * @param route the route's quota; null if it has none
   * @param tenants the quotas of the route's tenants; null if they have none
   */
  LaneFlow(
      Map<String, ExporterFlow> exporters,
      String first,
      @Nullable Quota route,
      @Nullable TenantQuotas tenants) {
    this.exporters = Map.copyOf(exporters);
    this.first = first;
    this.route = route;
    this.tenants = tenants;
  }

  int maxConcurrency(String exporter) {
    ExporterFlow flow = exporters.get(exporter);
    return flow == null ? FlowSettings.DEFAULT.maxConcurrency() : flow.maxConcurrency();
  }

  /** Counts bytes that are sent now; see {@link BandwidthCap#charge}. */
  long charge(String exporter, long bytes) {
    if (route != null) {
      route.add(bytes);
    }
    ExporterFlow flow = exporters.get(exporter);
    return flow == null ? 0 : flow.charge(bytes);
  }

  /** Counts bytes that were sent for a tenant. */
  void sent(String tenant, long bytes) {
    if (tenants != null) {
      tenants.add(tenant, bytes);
    }
  }

  /**
   * The quota for which an exporter may not be used now; null if there is none. The quota of a
   * route bars the route's first exporter.
   */
  @Nullable Quota bars(String exporter) {
    Quota own = quota(exporter);
    if (own != null && own.demands(Action.NEXT_EXPORTER)) {
      return own;
    }
    return exporter.equals(first) && route != null && route.demands(Action.NEXT_EXPORTER)
        ? route
        : null;
  }

  /**
   * What the gate is to do with new data.
   *
   * @param active the exporter that gets the lane's data now; null if none does
   * @param tenant whose data it is; empty if it has none
   */
  public @Nullable OverQuota overQuota(@Nullable String active, String tenant) {
    OverQuota ofTenant = tenants == null ? null : overQuota(tenants.of(tenant));
    OverQuota ofRest = overQuota(active);
    return ofTenant == null || ofRest instanceof OverQuota.Refuse ? ofRest : ofTenant;
  }

  private @Nullable OverQuota overQuota(@Nullable String active) {
    OverQuota ofRoute = overQuota(route);
    return ofRoute != null || active == null ? ofRoute : overQuota(quota(active));
  }

  private @Nullable Quota quota(String exporter) {
    ExporterFlow flow = exporters.get(exporter);
    return flow == null ? null : flow.quota();
  }

  private static @Nullable OverQuota overQuota(@Nullable Quota quota) {
    if (quota == null || !quota.isUsedUp()) {
      return null;
    }
    return switch (quota.settings().action()) {
      case NEXT_EXPORTER -> null;
      case REFUSE -> {
        Duration left = quota.untilTomorrow();
        yield new OverQuota.Refuse(
            left.compareTo(MAX_RETRY_AFTER) < 0 ? left : MAX_RETRY_AFTER,
            "resource exhausted: %s::quota of %d bytes a day is used up until 00:00 UTC"
                .formatted(quota.name(), quota.settings().bytesPerDay()));
      }
      case SAMPLE -> new OverQuota.Sample(quota.settings().percentage());
    };
  }
}
