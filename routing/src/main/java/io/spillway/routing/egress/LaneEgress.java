package io.spillway.routing.egress;

import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Outcome;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends one lane's blocks to the exporters of its route, with failover, and settles them.
 *
 * <pre>
 *   lane ──poll──▶ feeder thread ──┐
 *                     ▲            ├─▶ one queue ─▶ dispatch thread ─▶ Dispatcher ─▶ exporters
 *              demand └────────────│──────────────────────┘                             │
 *                                  └──────────── outcomes ◀─────────────────────────────┘
 * </pre>
 *
 * Blocks and outcomes reach the dispatch thread through one queue, so it can sleep until either
 * comes or a deadline does, and everything it decides is single-threaded. The feeder reads only as
 * many blocks as were asked for, so the queue is bounded by {@link #MAX_READ_AHEAD} blocks and the
 * attempts in flight.
 *
 * <p>Neither thread is ever interrupted, as that would close the files a lane reads from. Exporters
 * belong to whoever made them. Safe on any thread.
 */
public final class LaneEgress implements ProbedLane, AutoCloseable {
  /** Blocks asked of the lane and not yet taken over; the window may be exceeded by these. */
  static final int MAX_READ_AHEAD = 4;

  private static final Duration DEFAULT_DEADLINE = Duration.ofSeconds(10);

  /** What is shown is at most this old, and drain windows open at most so late. */
  private static final Duration MAX_IDLE = Duration.ofSeconds(5);

  /** How long {@link #close} waits beyond its deadline for threads to leave the lane. */
  private static final Duration LEAVE = Duration.ofMillis(750);

  private static final Duration RESTART_PAUSE = Duration.ofSeconds(1);
  private static final Logger log = LoggerFactory.getLogger(LaneEgress.class);

  private final LaneId id;
  private final Lane lane;
  private final EgressMemory memory;
  private final LongSupplier nanoClock;
  private final long originNanos;
  private final Dispatcher dispatcher;
  private final LaneFeed feed;
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final Semaphore demand = new Semaphore(0);
  private final CountDownLatch closing = new CountDownLatch(1);
  private final AtomicBoolean started = new AtomicBoolean();
  private final Thread dispatchThread;
  private final Thread feederThread;

  /** Blocks asked for that have not arrived; used by the dispatch thread alone. */
  private int coming;

  /** Changes of the dispatcher that the memory has; used by the dispatch thread alone. */
  private long kept;

  private volatile EgressStatus status;
  private volatile long closeByNanos = Breaker.NEVER;

  private sealed interface Event {}

  private record Arrived(LaneFeed.Fed fed) implements Event {}

  private record Finished(Attempt attempt, Outcome outcome) implements Event {}

  private record Retargeted(EgressSettings settings) implements Event {}

  private record Probed(String exporter, Outcome outcome) implements Event {}

  private record Closing() implements Event {}

  /**
   * @param memory what the lane begins with, and where it keeps what it comes to
   * @param clock for what people read: when states changed, how long items took
   * @param nanoClock monotonic nanoseconds, for every decision
   * @param random for jitter; used by the dispatch thread alone
   */
  public LaneEgress(
      Lane lane,
      EgressSettings settings,
      EgressMemory memory,
      InstantSource clock,
      LongSupplier nanoClock,
      RandomGenerator random,
      EgressListener listener) {
    this.id = lane.id();
    this.lane = lane;
    this.memory = memory;
    this.nanoClock = nanoClock;
    this.originNanos = nanoClock.getAsLong();
    this.dispatcher =
        new Dispatcher(
            lane,
            settings,
            memory.recall(id),
            clock,
            random,
            new GuardedListener(listener, nanoClock),
            (attempt, outcome) -> events.add(new Finished(attempt, outcome)),
            0);
    this.feed = new LaneFeed(lane, settings.drain(), clock, nanoClock, ZoneId.systemDefault());
    this.status = dispatcher.status(0);
    this.dispatchThread = daemon("egress " + id, this::dispatch);
    this.feederThread = daemon("egress " + id + " feeder", this::feed);
  }

  private static Thread daemon(String name, Runnable task) {
    return Thread.ofPlatform().daemon().name(name).unstarted(task);
  }

  /** Starts reading and sending. Safe to call twice. */
  public void start() {
    if (closing.getCount() > 0 && started.compareAndSet(false, true)) {
      dispatchThread.start();
      feederThread.start();
    }
  }

  /**
   * Takes new settings: new exporters from the next attempt on. Exporters that stay, by id, keep
   * their state; one that is given as a new object is tried soon. Attempts in flight at the old
   * ones are left to finish, so those should be closed with a deadline.
   */
  public void retarget(EgressSettings settings) {
    feed.settings(settings.drain());
    lane.wake();
    events.add(new Retargeted(settings));
  }

  @Override
  public void probed(String exporter, Outcome outcome) {
    if (!isClosing()) {
      events.add(new Probed(exporter, outcome));
    }
  }

  /** What it is doing, as of the last thing that happened. */
  @Override
  public EgressStatus status() {
    return status;
  }

  /** Attempts that the lane may have in flight at an exporter now. */
  public int concurrencyLimit(String exporter) {
    return dispatcher.concurrencyLimit(exporter);
  }

  /** As {@link #close(Duration)} with 10 s. */
  @Override
  public void close() {
    close(DEFAULT_DEADLINE);
  }

  /**
   * Stops reading and sending, lets attempts in flight finish within {@code deadline}, settles what
   * finished, and abandons the rest: it stays in the lane. When this returns the lane is not used
   * any more. Safe unstarted and twice.
   */
  public void close(Duration deadline) {
    synchronized (closing) {
      if (closing.getCount() > 0) {
        closeByNanos = now() + Backoff.nanos(deadline);
        closing.countDown();
        demand.release();
        lane.wake();
        events.add(new Closing());
      }
    }
    if (started.compareAndSet(false, true)) {
      dispatcher.close();
    }
    if (dispatchThread.getState() == Thread.State.NEW) {
      return;
    }
    join(dispatchThread, deadline);
    join(feederThread, Duration.ZERO);
  }

  private void join(Thread thread, Duration deadline) {
    try {
      if (!thread.join(Duration.ofNanos(Backoff.nanos(deadline)).plus(LEAVE))) {
        log.warn("egress {}: thread \"{}\" did not end in time", id, thread.getName());
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private long now() {
    return nanoClock.getAsLong() - originNanos;
  }

  // The dispatch thread.

  private void dispatch() {
    try (dispatcher) {
      while (!drained()) {
        try {
          turn();
        } catch (RuntimeException | Error e) {
          log.error(
              "egress {}: unexpected failure. Going on in {}; nothing is lost: what was not settled"
                  + " stays on disk.",
              id,
              RESTART_PAUSE,
              e);
          pause();
        }
      }
      dispatcher.abandonAll(now());
      status = dispatcher.status(now());
    }
  }

  /** Waits for something to do, and does it. */
  private void turn() {
    askForMore();
    Event event = await();
    while (event != null) {
      handle(event);
      event = events.poll();
    }
    if (!isClosing()) {
      dispatcher.step(now());
    }
    status = dispatcher.status(now());
    keepChanges();
  }

  /** Not after the end: what is abandoned at shutdown says nothing about a sink. */
  private void keepChanges() {
    long changes = dispatcher.changes();
    if (changes != kept) {
      memory.keep(id, dispatcher.past());
      kept = changes;
    }
  }

  private void handle(Event event) {
    switch (event) {
      case Arrived(LaneFeed.Fed(Block block, boolean backlog)) -> {
        coming--;
        dispatcher.arrived(block, backlog, now());
      }
      case Finished(Attempt attempt, Outcome outcome) ->
          dispatcher.finished(attempt, outcome, now());
      case Retargeted(EgressSettings settings) -> dispatcher.retarget(settings, now());
      case Probed(String exporter, Outcome outcome) -> dispatcher.probed(exporter, outcome, now());
      case Closing() -> log.debug("egress {}: closing", id);
    }
  }

  private @Nullable Event await() {
    long now = now();
    long until = isClosing() ? closeByNanos : dispatcher.nextStep(now);
    long wait = Math.clamp(until - now, 0, MAX_IDLE.toNanos());
    try {
      return events.poll(wait, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted, which nobody may do", e);
    }
  }

  private void askForMore() {
    feed.roomForBacklog(dispatcher.hasRoomForBacklog(coming));
    while (!isClosing() && coming < MAX_READ_AHEAD && dispatcher.hasRoom(coming)) {
      coming++;
      demand.release();
    }
  }

  private boolean drained() {
    return isClosing() && (dispatcher.attemptsInFlight() == 0 || now() >= closeByNanos);
  }

  private boolean isClosing() {
    return closing.getCount() == 0;
  }

  /** Returns early when closing. */
  private void pause() {
    try {
      boolean closed = closing.await(RESTART_PAUSE.toMillis(), TimeUnit.MILLISECONDS);
      log.debug("egress {}: {}", id, closed ? "closing" : "going on");
    } catch (InterruptedException e) {
      log.debug("egress {}: interrupted, going on", id, e);
    }
  }

  // The feeder thread.

  private void feed() {
    while (!isClosing()) {
      demand.acquireUninterruptibly();
      try {
        read();
      } catch (InterruptedException e) {
        log.warn("egress {}: the feeder was interrupted. It goes on.", id, e);
        demand.release();
      } catch (RuntimeException | Error e) {
        log.error(
            "egress {}: the lane cannot be read. Trying again in {}; its data stays on disk.",
            id,
            RESTART_PAUSE,
            e);
        demand.release();
        pause();
      }
    }
  }

  private void read() throws InterruptedException {
    while (!isClosing()) {
      LaneFeed.Fed fed = feed.next(MAX_IDLE);
      if (fed != null) {
        events.add(new Arrived(fed));
        return;
      }
    }
  }
}
