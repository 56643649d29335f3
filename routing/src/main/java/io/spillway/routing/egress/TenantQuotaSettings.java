package io.spillway.routing.egress;

import io.spillway.routing.egress.QuotaSettings.Action;
import java.util.Map;

/**
 * How many bytes each tenant of a route may have sent on one day.
 *
 * @param bytesPerDay of each tenant that is not named, and of what has no tenant; 0 for no bound
 * @param named bytes by tenant
 * @param action {@link Action#REFUSE} or {@link Action#SAMPLE}
 * @param percentage as in {@link QuotaSettings}
 */
public record TenantQuotaSettings(
    long bytesPerDay, Map<String, Long> named, Action action, double percentage) {
  public TenantQuotaSettings {
    named = Map.copyOf(named);
    if (action == Action.NEXT_EXPORTER) {
      throw new IllegalArgumentException("per_tenant: next_exporter is for whole lanes");
    }
  }

  /** What a tenant may; a limit of {@link Long#MAX_VALUE} if there is none. */
  QuotaSettings of(String tenant) {
    long limit = named.getOrDefault(tenant, bytesPerDay);
    return new QuotaSettings(limit == 0 ? Long.MAX_VALUE : limit, action, percentage);
  }

  boolean bounds(String tenant) {
    return bytesPerDay > 0 || named.containsKey(tenant);
  }
}
