package io.spillway.routing.egress;

import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import io.spillway.routing.DailyWindow;
import io.spillway.routing.DrainSettings;
import io.spillway.routing.DrainSettings.Order;
import java.time.Duration;
import java.time.InstantSource;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The blocks of a lane in the order that its route wants, and its backlog at the pace that it
 * allows.
 *
 * <p>A block that waited for longer than {@link #LIVE_WITHIN} shows that the reader is behind. With
 * {@code drain: live_first}, what is unread then is set aside as backlog, so that the next block is
 * one that comes in now. Backlog is handed out while no live block waits.
 *
 * <p>{@link #next} belongs to one thread; the rest is safe on any.
 */
final class LaneFeed {
  static final Duration LIVE_WITHIN = Duration.ofSeconds(30);

  /** How long live blocks are waited for, while backlog waits for its pace or for room. */
  private static final Duration BESIDE_BACKLOG = Duration.ofMillis(10);

  /** How soon backlog that could not be read is tried again: its disk or its key may be missing. */
  static final Duration UNREADABLE_PAUSE = Duration.ofSeconds(1);

  /** How long the pace is waited for in one go, as nothing wakes whoever does. */
  private static final Duration PACE_STEP = Duration.ofMillis(250);

  private static final Logger log = LoggerFactory.getLogger(LaneFeed.class);

  private final Lane lane;
  private final InstantSource clock;
  private final LongSupplier nanoClock;
  private final ZoneId zone;
  private volatile DrainSettings settings;
  private volatile boolean roomForBacklog = true;

  /** Whether there may be backlog that was not handed out. */
  private boolean backlogLeft = true;

  /** No more backlog before this time. */
  private long paceNanos;

  /** Backlog could not be read, and is not tried again before this time. */
  private long readableNanos;

  /**
   * @param zone of the drain window
   */
  LaneFeed(
      Lane lane, DrainSettings settings, InstantSource clock, LongSupplier nanoClock, ZoneId zone) {
    this.lane = lane;
    this.settings = settings;
    this.clock = clock;
    this.nanoClock = nanoClock;
    this.zone = zone;
    this.paceNanos = nanoClock.getAsLong();
    this.readableNanos = paceNanos;
  }

  /**
   * A block, and whether it may wait for others.
   *
   * @param backlog whether blocks that are not go before it
   */
  record Fed(Block block, boolean backlog) {}

  void settings(DrainSettings settings) {
    this.settings = settings;
  }

  /** Says whether backlog may be handed out; some room is kept for live blocks. */
  void roomForBacklog(boolean room) {
    roomForBacklog = room;
  }

  /** The next block; null if there is none within {@code timeout}, or earlier. */
  @Nullable Fed next(Duration timeout) throws InterruptedException {
    DrainSettings now = settings;
    return now.order() == Order.LIVE_FIRST ? liveFirst(now, timeout) : oldestFirst(now, timeout);
  }

  private @Nullable Fed liveFirst(DrainSettings now, Duration timeout) throws InterruptedException {
    Block block = lane.poll(Duration.ZERO);
    if (block != null) {
      return live(block, now);
    }
    Duration wait = timeout;
    if (backlogLeft && isOpen(now.window())) {
      if (!roomForBacklog || paceLeft() > 0) {
        wait = shorter(timeout, BESIDE_BACKLOG);
      } else if (readableNanos - nanoClock.getAsLong() <= 0) {
        Block backlog = lane.pollBacklog();
        if (backlog != null) {
          pace(backlog, now);
          return new Fed(backlog, true);
        }
        backlogLeft = lane.hasBacklog();
        if (backlogLeft) {
          readableNanos = nanoClock.getAsLong() + UNREADABLE_PAUSE.toNanos();
        }
      }
      wait = backlogLeft ? shorter(wait, UNREADABLE_PAUSE) : wait;
    }
    block = lane.poll(wait);
    return block == null ? null : live(block, now);
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  private Fed live(Block block, DrainSettings now) {
    if (isOld(block)) {
      pace(block, now);
      if (lane.setAside()) {
        backlogLeft = true;
        log.debug("egress {}: behind; what waits is backlog now", lane.id());
      }
    }
    return new Fed(block, false);
  }

  private @Nullable Fed oldestFirst(DrainSettings now, Duration timeout)
      throws InterruptedException {
    long left = paceLeft();
    if (left > 0) {
      LockSupport.parkNanos(Math.min(left, PACE_STEP.toNanos()));
      return null;
    }
    Block block = lane.pollBacklog();
    if (block == null) {
      block = lane.poll(timeout);
    }
    if (block != null && isOld(block)) {
      pace(block, now);
    }
    return block == null ? null : new Fed(block, false);
  }

  private boolean isOld(Block block) {
    return block.lastAccepted().isBefore(clock.instant().minus(LIVE_WITHIN));
  }

  private boolean isOpen(@Nullable DailyWindow window) {
    return window == null || window.contains(LocalTime.ofInstant(clock.instant(), zone));
  }

  private long paceLeft() {
    return paceNanos - nanoClock.getAsLong();
  }

  private void pace(Block block, DrainSettings now) {
    long rate = now.bytesPerSecond();
    if (rate > 0) {
      long time = (long) (block.payload().length() * 1e9 / rate);
      paceNanos = Math.max(paceNanos, nanoClock.getAsLong()) + time;
    }
  }
}
