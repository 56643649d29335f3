package io.spillway.routing.egress;

import io.spillway.config.Section;
import io.spillway.otlp.stage.Sender;
import io.spillway.routing.egress.QuotaSettings.Action;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code exporters} and {@code routes} say about flow control.
 *
 * @param exporters by component id
 * @param routes quotas by the route's name; routes without one are missing
 * @param tenants quotas of tenants by the route's name; routes without any are missing
 */
public record FlowConfig(
    Map<String, FlowSettings> exporters,
    Map<String, QuotaSettings> routes,
    Map<String, TenantQuotaSettings> tenants) {
  private static final long MIN_BYTES_PER_SECOND = 1 << 10;
  private static final long MIN_BYTES_PER_DAY = 1 << 20;
  private static final long MOST_BYTES = 1L << 60;
  private static final Set<String> NO_NETWORK = Set.of("file", "debug");

  public FlowConfig {
    exporters = Map.copyOf(exporters);
    routes = Map.copyOf(routes);
    tenants = Map.copyOf(tenants);
  }

  /** Without quotas of tenants. */
  public FlowConfig(Map<String, FlowSettings> exporters, Map<String, QuotaSettings> routes) {
    this(exporters, routes, Map.of());
  }

  /** Reads the keys of flow control; what is wrong with them is recorded there. */
  public static FlowConfig read(Section root) {
    Map<String, FlowSettings> exporters = new LinkedHashMap<>();
    root.children("exporters")
        .forEach((id, section) -> exporters.put(id, readExporter(id, section)));
    Map<String, QuotaSettings> routes = new LinkedHashMap<>();
    Map<String, TenantQuotaSettings> tenants = new LinkedHashMap<>();
    for (Section route : root.sections("routes")) {
      TenantQuotaSettings ofTenants = readTenants(route);
      if (ofTenants != null) {
        tenants.put(route.string("name", ""), ofTenants);
      }
      boolean onlyTenants = ofTenants != null && !route.section("quota").has("per_day");
      QuotaSettings quota = onlyTenants ? null : readQuota(route);
      if (quota != null) {
        routes.put(route.string("name", ""), quota);
      }
    }
    return new FlowConfig(exporters, routes, tenants);
  }

  private static FlowSettings readExporter(String id, Section exporter) {
    for (String key : List.of("max_bytes_per_second", "quota")) {
      if (exporter.has(key) && NO_NETWORK.contains(id.split("/", 2)[0])) {
        exporter.problem(key, "counts bytes on the network (expected an exporter that uses it)");
      }
    }
    FlowSettings defaults = FlowSettings.DEFAULT;
    return new FlowSettings(
        exporter.integer("max_concurrency", defaults.maxConcurrency(), 1, ConcurrencyLimit.MOST),
        exporter.has("max_bytes_per_second")
            ? exporter.bytes(
                "max_bytes_per_second", MIN_BYTES_PER_SECOND, MIN_BYTES_PER_SECOND, MOST_BYTES)
            : defaults.maxBytesPerSecond(),
        readQuota(exporter));
  }

  private static @Nullable QuotaSettings readQuota(Section owner) {
    if (!owner.has("quota")) {
      return null;
    }
    Section quota = owner.section("quota");
    if (!quota.has("per_day")) {
      quota.problem("per_day", "missing (expected bytes on the wire, such as 100GiB)");
    }
    Action action = quota.choice("action", Action.class, Action.NEXT_EXPORTER);
    return new QuotaSettings(
        quota.bytes("per_day", MIN_BYTES_PER_DAY, MIN_BYTES_PER_DAY, MOST_BYTES),
        action,
        percentage(quota, action));
  }

  private static double percentage(Section quota, Action action) {
    double percentage = quota.decimal("percentage", 10, 0, 100);
    if (percentage == 0) {
      quota.problem(
          "percentage", "0 keeps nothing (expected above 0, up to 100; or action: refuse)");
    }
    if (action != Action.SAMPLE && quota.has("percentage")) {
      quota.problem("percentage", "is for action: sample alone (expected no percentage)");
    }
    return percentage;
  }

  /** Null if the route's quota says nothing of tenants. */
  private static @Nullable TenantQuotaSettings readTenants(Section route) {
    if (!route.has("quota") || !route.section("quota").has("per_tenant")) {
      return null;
    }
    Section section = route.section("quota").section("per_tenant");
    if (!section.has("per_day") && !section.has("tenants")) {
      section.problem("", "bounds nobody (expected per_day, tenants or both)");
    }
    Action action = section.choice("action", Action.class, Action.REFUSE);
    if (action == Action.NEXT_EXPORTER) {
      section.problem(
          "action",
          "next_exporter concerns all data of a lane (expected refuse or sample for one tenant)");
      action = Action.REFUSE;
    }
    Section names = section.section("tenants");
    Map<String, Long> named = new LinkedHashMap<>();
    for (String tenant : names.keys()) {
      String flaw = Sender.flaw(tenant);
      if (flaw != null) {
        names.problem(tenant, "is no tenant: " + flaw);
      }
      named.put(tenant, names.bytes(tenant, MIN_BYTES_PER_DAY, MIN_BYTES_PER_DAY, MOST_BYTES));
    }
    if (named.size() >= TenantQuotas.MAX_TENANTS) {
      section.problem(
          "tenants",
          named.size() + " tenants (expected fewer than " + TenantQuotas.MAX_TENANTS + ")");
    }
    long perDay =
        section.has("per_day")
            ? section.bytes("per_day", MIN_BYTES_PER_DAY, MIN_BYTES_PER_DAY, MOST_BYTES)
            : 0;
    return new TenantQuotaSettings(perDay, named, action, percentage(section, action));
  }
}
