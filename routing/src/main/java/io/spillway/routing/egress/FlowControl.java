package io.spillway.routing.egress;

import io.spillway.routing.egress.Quota.Use;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The bounds that lanes share: bandwidth caps and quotas. What is used stays known over reloads.
 * Safe on any thread; {@link #apply} by one at a time.
 */
public final class FlowControl {
  private final InstantSource clock;
  private final LongSupplier nanos;
  private final Map<String, ExporterFlow> exporters = new ConcurrentHashMap<>();
  private final Map<String, Use> earlier;
  private volatile Map<String, Quota> quotas = Map.of();
  private volatile Map<String, TenantQuotas> tenants = Map.of();
  private volatile Consumer<Quota> made = _ -> {};

  /**
   * @param clock whose days are counted
   * @param nanoClock monotonic nanoseconds
   * @param earlier what was used of quotas before, by their names
   */
  public FlowControl(InstantSource clock, LongSupplier nanoClock, Map<String, Use> earlier) {
    this.clock = clock;
    long origin = nanoClock.getAsLong();
    this.nanos = () -> nanoClock.getAsLong() - origin;
    this.earlier = new HashMap<>(earlier);
  }

  /** Puts settings into force, for lanes that are open too. */
  public void apply(FlowConfig config) {
    Map<String, Quota> next = new HashMap<>();
    config.routes().forEach((route, settings) -> quota(next, routeName(route), settings));
    config
        .exporters()
        .forEach(
            (id, settings) ->
                flow(id).apply(settings, quota(next, "exporters::" + id, settings.quota())));
    quotas = Map.copyOf(next);
    quotas.values().forEach(made);
    Map<String, TenantQuotas> ofTenants = new HashMap<>();
    config
        .tenants()
        .forEach((route, settings) -> ofTenants.put(route, tenantQuotas(route, settings)));
    tenants = Map.copyOf(ofTenants);
  }

  private TenantQuotas tenantQuotas(String route, TenantQuotaSettings settings) {
    TenantQuotas known = tenants.get(route);
    if (known == null) {
      return new TenantQuotas(
          routeName(route), settings, clock, earlier, quota -> made.accept(quota));
    }
    known.settings(settings);
    return known;
  }

  /** Takes who is told of each quota in force, with the next {@link #apply} on. */
  public void onQuota(Consumer<Quota> action) {
    made = action;
  }

  /** For the lanes of a route, after {@link #apply}. */
  public LaneFlow lane(String route, List<String> exporterIds) {
    Map<String, ExporterFlow> flows = new HashMap<>();
    exporterIds.forEach(id -> flows.put(id, flow(id)));
    return new LaneFlow(
        flows, exporterIds.getFirst(), quotas.get(routeName(route)), tenants.get(route));
  }

  /** The quotas in force, by name. */
  public List<Quota> quotas() {
    List<Quota> all = new ArrayList<>(quotas.values());
    tenants.values().forEach(ofRoute -> all.addAll(ofRoute.all()));
    all.sort((a, b) -> a.name().compareTo(b.name()));
    return all;
  }

  private ExporterFlow flow(String id) {
    return exporters.computeIfAbsent(id, _ -> new ExporterFlow(nanos));
  }

  private @Nullable Quota quota(
      Map<String, Quota> next, String name, @Nullable QuotaSettings settings) {
    if (settings == null) {
      return null;
    }
    Quota quota = quotas.get(name);
    if (quota == null) {
      quota = new Quota(name, settings, clock);
      Use before = earlier.remove(name);
      if (before != null) {
        quota.restore(before);
      }
    }
    quota.settings(settings);
    next.put(name, quota);
    return quota;
  }

  private static String routeName(String route) {
    return "routes::" + route;
  }
}
