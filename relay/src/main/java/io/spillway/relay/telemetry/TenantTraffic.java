package io.spillway.relay.telemetry;

import io.spillway.otlp.stage.LaneId;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * What was sent for each tenant since the start. Senders may be free to make up names, so beyond a
 * bound all others are one. Safe on any thread.
 */
public final class TenantTraffic {
  /** What is shown for what has no tenant. */
  static final String NONE = "none";

  /** What is shown for tenants beyond the bound. */
  static final String OTHER = "other";

  private final int maxTenants;
  private final Consumer<Sent> made;
  private final Set<String> named = ConcurrentHashMap.newKeySet();
  private final Map<Key, Sent> sent = new ConcurrentHashMap<>();

  /**
   * @param maxTenants that are shown by name; 0 if requests have no tenants, and nothing is counted
   * @param made told once of each new row
   */
  TenantTraffic(int maxTenants, Consumer<Sent> made) {
    this.maxTenants = maxTenants;
    this.made = made;
  }

  private record Key(LaneId lane, String exporter, String tenant) {}

  /** What was sent of one lane to one exporter for one tenant. */
  public static final class Sent {
    private final Key key;
    private final LongAdder wireBytes = new LongAdder();
    private final LongAdder items = new LongAdder();

    private Sent(Key key) {
      this.key = key;
    }

    public LaneId lane() {
      return key.lane;
    }

    public String exporter() {
      return key.exporter;
    }

    public String tenant() {
      return key.tenant;
    }

    public long wireBytes() {
      return wireBytes.sum();
    }

    /** Items that sinks took. */
    public long items() {
      return items.sum();
    }
  }

  void add(LaneId lane, String exporter, String tenant, long wireBytes, int items) {
    if (maxTenants == 0) {
      return;
    }
    Sent row = sent.computeIfAbsent(new Key(lane, exporter, shown(tenant)), this::make);
    row.wireBytes.add(wireBytes);
    row.items.add(items);
  }

  private Sent make(Key key) {
    Sent row = new Sent(key);
    made.accept(row);
    return row;
  }

  /** All rows, in order. */
  public List<Sent> all() {
    return sent.values().stream()
        .sorted(
            Comparator.comparing(Sent::tenant)
                .thenComparing(row -> row.lane().toString())
                .thenComparing(Sent::exporter))
        .toList();
  }

  private String shown(String tenant) {
    if (tenant.isEmpty()) {
      return NONE;
    }
    if (named.contains(tenant)) {
      return tenant;
    }
    synchronized (named) {
      if (named.size() >= maxTenants) {
        return OTHER;
      }
      named.add(tenant);
      return tenant;
    }
  }
}
