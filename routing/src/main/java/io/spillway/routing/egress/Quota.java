package io.spillway.routing.egress;

import io.spillway.routing.egress.QuotaSettings.Action;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What of a daily quota is used. Days are those of UTC. Soft: what was in flight when it was used
 * up still arrives, and counts. Safe on any thread; counting takes no lock.
 */
public final class Quota {
  private static final Logger log = LoggerFactory.getLogger(Quota.class);
  private static final long DAY_MILLIS = Duration.ofDays(1).toMillis();
  private static final int WARN_PERCENT = 80;

  private final String name;
  private final InstantSource clock;
  private final AtomicLong used = new AtomicLong();
  private volatile QuotaSettings settings;
  private volatile long day;

  /** A day and what was used on it; days are counted from 1970. */
  public record Use(long day, long bytes) {}

  Quota(String name, QuotaSettings settings, InstantSource clock) {
    this.name = name;
    this.settings = settings;
    this.clock = clock;
    this.day = today();
  }

  /** Whose it is: {@code exporters::ID} or {@code routes::NAME}. */
  public String name() {
    return name;
  }

  public QuotaSettings settings() {
    return settings;
  }

  void settings(QuotaSettings next) {
    settings = next;
  }

  /** Bytes used today. */
  public long used() {
    turnPage();
    return used.get();
  }

  public Use use() {
    return new Use(day, used());
  }

  /** Takes up the count of an earlier process, if it is of today. */
  void restore(Use before) {
    turnPage();
    if (before.day == day) {
      used.addAndGet(before.bytes);
    }
  }

  public boolean isUsedUp() {
    return used() >= settings.bytesPerDay();
  }

  boolean demands(Action action) {
    return settings.action() == action && isUsedUp();
  }

  /** Until the quota is fresh again. */
  Duration untilTomorrow() {
    return Duration.ofMillis(DAY_MILLIS - Math.floorMod(clock.millis(), DAY_MILLIS));
  }

  /** Counts bytes; fewer than none to take back what was counted too much. */
  void add(long bytes) {
    turnPage();
    long after = used.addAndGet(bytes);
    long limit = settings.bytesPerDay();
    if (after >= limit && after - bytes < limit) {
      log.warn(
          "{}::quota: {} bytes sent today, the quota of {} is used up. Until 00:00 UTC: {}.",
          name,
          after,
          limit,
          consequence());
    } else if (percent(after, limit) >= WARN_PERCENT
        && percent(after - bytes, limit) < WARN_PERCENT) {
      log.warn("{}::quota: {} of {} bytes are used today.", name, after, limit);
    }
  }

  private static double percent(long bytes, long limit) {
    return 100.0 * bytes / limit;
  }

  private String consequence() {
    return switch (settings.action()) {
      case NEXT_EXPORTER -> "the next exporter takes over; with none left data stays on disk";
      case REFUSE -> "new data is refused";
      case SAMPLE -> settings.percentage() + " % of new traces are kept";
    };
  }

  private long today() {
    return Math.floorDiv(clock.millis(), DAY_MILLIS);
  }

  private void turnPage() {
    if (today() != day) {
      synchronized (this) {
        long today = today();
        if (today != day) {
          used.set(0);
          day = today;
        }
      }
    }
  }
}
