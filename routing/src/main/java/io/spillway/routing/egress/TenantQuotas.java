package io.spillway.routing.egress;

import io.spillway.routing.egress.Quota.Use;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The daily quotas of a route's tenants. A tenant has one from its first byte on; senders may be
 * free to make up names, so beyond {@link #MAX_TENANTS} that used something today all others share
 * one. Safe on any thread; looking one up and counting take no lock.
 */
final class TenantQuotas {
  static final int MAX_TENANTS = 256;

  /** What is shown for what has no tenant. No tenant has a space in it. */
  private static final String NONE = "no tenant";

  private static final String OTHERS = "other tenants";

  private final String prefix;
  private final InstantSource clock;
  private final Map<String, Use> earlier = new HashMap<>();
  private final Map<String, Quota> quotas = new ConcurrentHashMap<>();
  private final Consumer<Quota> made;
  private volatile TenantQuotaSettings settings;

  /**
   * @param owner {@code routes::NAME}
   * @param before what was used by quota names; what is of these quotas is taken out
   * @param made told of each quota that there is
   */
  TenantQuotas(
      String owner,
      TenantQuotaSettings settings,
      InstantSource clock,
      Map<String, Use> before,
      Consumer<Quota> made) {
    this.prefix = owner + "::tenants::";
    this.settings = settings;
    this.clock = clock;
    this.made = made;
    for (Iterator<Map.Entry<String, Use>> i = before.entrySet().iterator(); i.hasNext(); ) {
      Map.Entry<String, Use> known = i.next();
      if (known.getKey().startsWith(prefix)) {
        earlier.put(known.getKey().substring(prefix.length()), known.getValue());
        i.remove();
      }
    }
    List.copyOf(earlier.keySet()).forEach(this::quota);
    settings.named().keySet().forEach(this::quota);
  }

  void settings(TenantQuotaSettings next) {
    settings = next;
    next.named().keySet().forEach(this::quota);
    quotas.forEach((key, quota) -> quota.settings(next.of(tenant(key))));
  }

  void add(String tenant, long bytes) {
    if (settings.bounds(tenant)) {
      quota(key(tenant)).add(bytes);
    }
  }

  /** The quota that bounds a tenant; null if nothing does, or nothing was sent yet. */
  @Nullable Quota of(String tenant) {
    if (!settings.bounds(tenant)) {
      return null;
    }
    Quota own = quotas.get(key(tenant));
    return own == null && quotas.size() >= MAX_TENANTS ? quotas.get(OTHERS) : own;
  }

  /** Those that count something. */
  List<Quota> all() {
    TenantQuotaSettings now = settings;
    return quotas.entrySet().stream()
        .filter(entry -> now.bounds(tenant(entry.getKey())))
        .map(Map.Entry::getValue)
        .toList();
  }

  private Quota quota(String key) {
    Quota known = quotas.get(key);
    return known == null ? make(key) : known;
  }

  private synchronized Quota make(String wanted) {
    if (quotas.size() >= MAX_TENANTS) {
      quotas.entrySet().removeIf(entry -> isDispensable(entry.getKey(), entry.getValue()));
    }
    boolean room = quotas.size() < MAX_TENANTS || settings.named().containsKey(wanted);
    String key = room ? wanted : OTHERS;
    Quota known = quotas.get(key);
    if (known != null) {
      return known;
    }
    Quota quota = new Quota(prefix + key, settings.of(tenant(key)), clock);
    Use before = earlier.remove(key);
    if (before != null) {
      quota.restore(before);
    }
    quotas.put(key, quota);
    made.accept(quota);
    return quota;
  }

  private boolean isDispensable(String key, Quota quota) {
    return quota.used() == 0 && !settings.named().containsKey(key);
  }

  private static String key(String tenant) {
    return tenant.isEmpty() ? NONE : tenant;
  }

  private static String tenant(String key) {
    return key.equals(NONE) ? "" : key;
  }
}
