package io.spillway.relay.audit;

import io.spillway.routing.policy.PolicyDecision;
import io.spillway.routing.policy.PolicyDecision.Stage;
import io.spillway.routing.policy.PolicyDecision.Verdict;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes down what the egress policy denied, and what was dialled for the first time, and logs the
 * denials. A decision that is repeated is written once, and then once in {@link #WINDOW} with the
 * number of repetitions.
 *
 * <p>Taking a decision never waits: it goes into a bounded queue, and a thread of its own writes.
 * What does not fit, or cannot be written, is counted; the count is written as a line once that is
 * possible. The counters of the policy are exact in any case.
 */
public final class EgressAudit implements Consumer<PolicyDecision>, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EgressAudit.class);

  static final Duration WINDOW = Duration.ofMinutes(1);
  static final int MAX_WAITING = 1024;

  /** Distinct denials whose repetitions are counted at a time; beyond it all are written early. */
  static final int MAX_DISTINCT = 1024;

  /** Distinct dials that are remembered; beyond it they are forgotten, and written again. */
  static final int MAX_DIALLED = 4096;

  private static final Duration COMPLAIN_EVERY = Duration.ofSeconds(10);
  private static final long TICK_MILLIS = 1000;

  /** The first line waits for the classes that write it, which takes a busy machine a while. */
  private static final long CLOSE_MILLIS = 10_000;

  private final InstantSource clock;
  private final BlockingQueue<Entry> waiting = new ArrayBlockingQueue<>(MAX_WAITING);
  private final Set<PolicyDecision> dialled = ConcurrentHashMap.newKeySet();
  private final LongAdder leftOut = new LongAdder();
  private final AuditLines lines = new AuditLines();
  private final Thread thread =
      Thread.ofPlatform().daemon().name("egress audit").unstarted(this::run);
  private volatile @Nullable AuditFile file;
  private volatile boolean closed;

  // Of the writing thread.
  private final Map<PolicyDecision, Repetition> repetitions = new LinkedHashMap<>();
  private long leftOutWritten;
  private @Nullable Instant complained;
  private long failures;

  /** A decision; without one, only a reason to look. */
  record Entry(Instant when, @Nullable PolicyDecision decision) {}

  /** Repetitions that are not written yet. */
  private static final class Repetition {
    private final Instant since;
    private Instant last;
    private long times;

    Repetition(Instant since) {
      this.since = since;
      this.last = since;
    }
  }

  /** A line, and how many decisions it stands for. */
  private record Line(String text, long decisions) {}

  EgressAudit(AuditConfig config, InstantSource clock) {
    this.clock = clock;
    apply(config);
  }

  /** An audit whose thread runs. Nothing is written before the first decision. */
  public static EgressAudit start(AuditConfig config, InstantSource clock) {
    EgressAudit audit = new EgressAudit(config, clock);
    audit.thread.start();
    return audit;
  }

  /** Writes to another file from now on, or to none. */
  public void apply(AuditConfig config) {
    file = config.enabled() ? new AuditFile(config) : null;
  }

  /** Decisions so far that may not be in the file. */
  public long leftOut() {
    return leftOut.sum();
  }

  @Override
  public void accept(PolicyDecision decision) {
    if (decision.verdict() == Verdict.ALLOWED && !isFirst(decision)) {
      return;
    }
    if (!waiting.offer(new Entry(clock.instant(), decision))) {
      leftOut.increment();
    }
  }

  private boolean isFirst(PolicyDecision dial) {
    if (dialled.size() >= MAX_DIALLED) {
      dialled.clear();
    }
    return dialled.add(dial);
  }

  private void run() {
    try {
      while (!closed) {
        Entry first =
            hasMoreToWrite() ? waiting.poll(TICK_MILLIS, TimeUnit.MILLISECONDS) : waiting.take();
        pass(first, false);
      }
    } catch (InterruptedException e) {
      log.debug("egress audit: interrupted", e);
    }
    pass(null, true);
  }

  /** Without another decision. */
  private boolean hasMoreToWrite() {
    return !repetitions.isEmpty() || leftOut.sum() != leftOutWritten;
  }

  /**
   * Writes what waits, and repetitions whose window is over.
   *
   * @param first taken from the queue already; may be null
   * @param all whether to write repetitions before their window is over
   */
  void pass(@Nullable Entry first, boolean all) {
    List<Line> due = new ArrayList<>();
    if (first != null) {
      take(first, due);
    }
    for (int i = waiting.size(); i > 0; i--) {
      Entry next = waiting.poll();
      if (next != null) {
        take(next, due);
      }
    }
    writeRepetitions(all || repetitions.size() >= MAX_DISTINCT, due);
    write(due);
  }

  private void take(Entry entry, List<Line> due) {
    PolicyDecision decision = entry.decision();
    if (decision == null) {
      return;
    }
    Repetition known = repetitions.get(decision);
    if (known != null) {
      known.times++;
      known.last = entry.when();
      return;
    }
    due.add(new Line(lines.decision(entry.when(), decision), 1));
    if (decision.verdict() != Verdict.ALLOWED) {
      repetitions.put(decision, new Repetition(entry.when()));
      warn(decision);
    }
  }

  private void writeRepetitions(boolean all, List<Line> due) {
    Instant now = clock.instant();
    var each = repetitions.entrySet().iterator();
    while (each.hasNext()) {
      var entry = each.next();
      Repetition repetition = entry.getValue();
      if (all || !now.isBefore(repetition.since.plus(WINDOW))) {
        each.remove();
        if (repetition.times > 0) {
          due.add(
              new Line(
                  lines.repeated(repetition.last, entry.getKey(), repetition.times),
                  repetition.times));
        }
      }
    }
  }

  private void write(List<Line> due) {
    AuditFile to = file;
    long missing = leftOut.sum();
    if (to == null) {
      leftOutWritten = missing; // nobody asked for a file
      return;
    }
    if (due.isEmpty() && missing == leftOutWritten) {
      return;
    }
    List<String> text = new ArrayList<>();
    if (missing > leftOutWritten) {
      text.add(lines.leftOut(clock.instant(), missing - leftOutWritten));
    }
    due.forEach(line -> text.add(line.text()));
    try {
      to.append(text);
      leftOutWritten = missing;
    } catch (IOException e) {
      leftOut.add(due.stream().mapToLong(Line::decisions).sum());
      complain(to, e);
    }
  }

  private void complain(AuditFile to, IOException e) {
    failures++;
    Instant now = clock.instant();
    Instant before = complained;
    if (before == null || !now.isBefore(before.plus(COMPLAIN_EVERY))) {
      complained = now;
      log.error(
          "egress::audit::file: cannot write to {}: {} ({} times since the last such line)."
              + " Decisions are enforced and counted all the same; {} are not in the file. Make"
              + " room, or choose another file.",
          to.path(),
          e.toString(),
          failures,
          leftOut.sum());
      failures = 0;
    }
  }

  /** What the configuration is refused for is reported as its problem. */
  private static void warn(PolicyDecision decision) {
    if (decision.stage() == Stage.CONFIG && decision.verdict() == Verdict.DENIED) {
      return;
    }
    log.warn(
        "egress {}: exporter={} scheme={} host={} port={} address={} rule=\"{}\" reason=\"{}\"",
        decision.verdict() == Verdict.DENIED ? "denied" : "would be denied",
        decision.exporter(),
        decision.scheme().label(),
        decision.host(),
        decision.port(),
        decision.address() == null ? "unresolved" : decision.address().getHostAddress(),
        decision.rule(),
        decision.reason());
  }

  /** Writes what waits, and waits for that a little. Safe to call twice, and unstarted. */
  @Override
  public void close() {
    closed = true;
    boolean woken = waiting.offer(new Entry(clock.instant(), null));
    log.trace("egress audit: closing, asleep: {}", woken);
    try {
      thread.join(CLOSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
