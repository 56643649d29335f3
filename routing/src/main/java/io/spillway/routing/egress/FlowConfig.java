package io.spillway.routing.egress;

import io.spillway.config.Section;
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
 */
public record FlowConfig(Map<String, FlowSettings> exporters, Map<String, QuotaSettings> routes) {
  private static final long MIN_BYTES_PER_SECOND = 1 << 10;
  private static final long MIN_BYTES_PER_DAY = 1 << 20;
  private static final long MOST_BYTES = 1L << 60;
  private static final Set<String> NO_NETWORK = Set.of("file", "debug");

  public FlowConfig {
    exporters = Map.copyOf(exporters);
    routes = Map.copyOf(routes);
  }

  /** Reads the keys of flow control; what is wrong with them is recorded there. */
  public static FlowConfig read(Section root) {
    Map<String, FlowSettings> exporters = new LinkedHashMap<>();
    root.children("exporters")
        .forEach((id, section) -> exporters.put(id, readExporter(id, section)));
    Map<String, QuotaSettings> routes = new LinkedHashMap<>();
    for (Section route : root.sections("routes")) {
      QuotaSettings quota = readQuota(route);
      if (quota != null) {
        routes.put(route.string("name", ""), quota);
      }
    }
    return new FlowConfig(exporters, routes);
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
    double percentage = quota.decimal("percentage", 10, 0, 100);
    if (percentage == 0) {
      quota.problem(
          "percentage", "0 keeps nothing (expected above 0, up to 100; or action: refuse)");
    }
    if (action != Action.SAMPLE && quota.has("percentage")) {
      quota.problem("percentage", "is for action: sample alone (expected no percentage)");
    }
    return new QuotaSettings(
        quota.bytes("per_day", MIN_BYTES_PER_DAY, MIN_BYTES_PER_DAY, MOST_BYTES),
        action,
        percentage);
  }
}
