package io.spillway.routing.egress;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.routing.egress.EgressStatus.ExporterStatus;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends an empty request to exporters that had nothing to do for a while, and tells the lanes that
 * use them what became of it. So an expired key is known before data depends on it, and an outage
 * that is over too.
 *
 * <p>One probe serves all lanes that send the same signal to the same exporter: signals may have
 * endpoints of their own, routes do not. An exporter is probed when none of these lanes made an
 * attempt at it for its interval; not while the sink asked to be left alone, nor where it is barred
 * in every lane. After a failure it is asked again soon, until that is no accident any more.
 *
 * <p>One thread looks; answers come on any. Exporters belong to whoever made them.
 */
public final class IdleProber implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(IdleProber.class);

  /** Between two looks at least, and at most: what lanes are asked is not announced. */
  private static final Duration LOOK = Duration.ofMillis(500);

  private static final Duration LONGEST_LOOK = Duration.ofSeconds(2);

  /** How soon an exporter that failed a probe gets the next one, if its interval is longer. */
  static final Duration AGAIN = Duration.ofSeconds(4);

  /** The part of a wait that is taken off or put on at most, so that not all relays ask at once. */
  private static final double JITTER = 0.1;

  private final InstantSource clock;
  private final RandomGenerator random;
  private final Listener listener;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final AtomicBoolean started = new AtomicBoolean();
  private final Thread thread =
      Thread.ofPlatform().daemon().name("idle probes").unstarted(this::run);

  /** Guarded by this. */
  private Map<Key, Probe> probes = new LinkedHashMap<>();

  /**
   * An exporter to probe.
   *
   * @param interval without an attempt; positive
   * @param lanes all lanes that send this signal to it
   */
  public record Target(
      Exporter exporter, Duration interval, Signal signal, List<? extends ProbedLane> lanes) {
    public Target {
      lanes = List.copyOf(lanes);
    }
  }

  /** Hears of each probe; on any thread, and must not block. */
  @FunctionalInterface
  public interface Listener {
    void probed(String exporter, Signal signal, Outcome outcome);
  }

  private record Key(String exporter, Signal signal) {}

  private static final class Probe {
    private Target target;
    private Instant last;
    private boolean inFlight;
    private int failures;
    private double stretch;

    Probe(Target target, Instant last, double stretch) {
      this.target = target;
      this.last = last;
      this.stretch = stretch;
    }
  }

  /**
   * @param random for jitter
   */
  public IdleProber(InstantSource clock, RandomGenerator random, Listener listener) {
    this.clock = clock;
    this.random = random;
    this.listener = listener;
  }

  /** Starts looking. Safe to call twice. */
  public void start() {
    if (closing.getCount() > 0 && started.compareAndSet(false, true)) {
      thread.start();
    }
  }

  /** What to probe from now on, instead of what it was. */
  public synchronized void targets(List<Target> targets) {
    Map<Key, Probe> next = new LinkedHashMap<>();
    for (Target target : targets) {
      Key key = new Key(target.exporter().id(), target.signal());
      Probe probe = probes.get(key);
      if (probe == null) {
        probe = new Probe(target, clock.instant(), stretch());
      }
      probe.target = target;
      next.put(key, probe);
    }
    probes = next;
  }

  private void run() {
    try {
      Duration pause = LOOK;
      while (!closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
        pause = look();
      }
    } catch (InterruptedException e) {
      log.debug("idle probes: interrupted, which ends them", e);
    }
  }

  /**
   * Begins the probes that are due.
   *
   * @return how long it may take until the next look
   */
  synchronized Duration look() {
    Instant now = clock.instant();
    Duration pause = LONGEST_LOOK;
    for (Probe probe : probes.values()) {
      Instant due = probe.inFlight ? null : due(probe);
      if (due != null && !now.isBefore(due)) {
        probe.inFlight = true;
        probe.last = now;
        probe.stretch = stretch();
        due = now.plus(wait(probe));
        send(probe);
      }
      if (due != null && due.isBefore(now.plus(pause))) {
        pause = Duration.between(now, due);
      }
    }
    return pause.compareTo(LOOK) < 0 ? LOOK : pause;
  }

  /** When an exporter is to be probed if nothing else happens; null if it must not be now. */
  private static @Nullable Instant due(Probe probe) {
    String id = probe.target.exporter().id();
    Instant last = probe.last;
    boolean wanted = false;
    for (ProbedLane lane : probe.target.lanes()) {
      ExporterStatus status = find(lane.status(), id);
      if (status == null) {
        continue;
      }
      if (status.attemptsInFlight() > 0 || status.leftAloneUntil() != null) {
        return null;
      }
      wanted |= status.bars().isEmpty();
      Instant attempt = status.lastAttempt();
      last = attempt != null && attempt.isAfter(last) ? attempt : last;
    }
    return wanted ? last.plusNanos((long) (wait(probe).toNanos() * probe.stretch)) : null;
  }

  private static @Nullable ExporterStatus find(EgressStatus status, String exporter) {
    for (ExporterStatus found : status.exporters()) {
      if (found.id().equals(exporter)) {
        return found;
      }
    }
    return null;
  }

  private static Duration wait(Probe probe) {
    Duration interval = probe.target.interval();
    boolean soon = probe.failures > 0 && probe.failures < Failover.IDLE_FAILURES_TO_OPEN;
    return soon && interval.compareTo(AGAIN) > 0 ? AGAIN : interval;
  }

  private void send(Probe probe) {
    Target target = probe.target;
    CompletableFuture<Outcome> answer;
    try {
      answer = target.exporter().export(empty(target.signal(), target.exporter()));
    } catch (RuntimeException e) {
      answer = CompletableFuture.failedFuture(e);
    }
    var _ =
        answer.whenComplete(
            (outcome, failure) ->
                answered(
                    probe,
                    target,
                    outcome != null
                        ? outcome
                        : new Outcome.SinkDown(
                            ErrorClass.LOCAL, "the exporter failed: " + failure)));
  }

  /** An empty message is a valid request of every signal. */
  private static ExportRequest empty(Signal signal, Exporter exporter) {
    try (BlockCompressor compressor = new BlockCompressor()) {
      Slice payload = compressor.compress(exporter.codec(), Slice.EMPTY);
      return new ExportRequest(signal, exporter.codec(), payload, 0, 0);
    }
  }

  private void answered(Probe probe, Target target, Outcome outcome) {
    boolean works =
        switch (outcome) {
          case Outcome.Delivered _, Outcome.BadData _, Outcome.TooLarge _ -> true;
          case Outcome.Retry _, Outcome.SinkDown _ -> false;
        };
    synchronized (this) {
      probe.inFlight = false;
      probe.failures = works ? 0 : probe.failures + 1;
    }
    if (closing.getCount() > 0) {
      target.lanes().forEach(lane -> lane.probed(target.exporter().id(), outcome));
      listener.probed(target.exporter().id(), target.signal(), outcome);
    }
  }

  private double stretch() {
    return 1 + JITTER * (2 * random.nextDouble() - 1);
  }

  /** Stops looking; answers that are on their way are ignored. Safe unstarted and twice. */
  @Override
  public void close() {
    closing.countDown();
  }
}
