package io.spillway.routing.egress;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DeadLetter;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.Settlement;
import io.spillway.routing.egress.EgressStatus.ExporterStatus;
import io.spillway.routing.egress.Requests.UnreadableException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends the blocks of one lane and settles them, driven by calls from one thread: {@link #arrived},
 * {@link #finished} and {@link #step}. Never blocks. Times are monotonic nanoseconds that are never
 * negative.
 *
 * <p>Every item of a block that arrived is in exactly one place until it is settled: in a piece
 * that is {@code waiting}, in a piece of an attempt {@code inFlight}, or accounted for in its
 * {@link Held} block. Each method moves items between these and forgets none.
 */
final class Dispatcher implements AutoCloseable {
  static final int MAX_WINDOW_BLOCKS = 64;
  static final long MAX_WINDOW_BYTES = 16L << 20;

  /**
   * No attempt begins while those in flight carry this much payload, however many more the sinks
   * would take: besides the window, this and one request are the memory of a lane.
   */
  static final long MAX_IN_FLIGHT_BYTES = 16L << 20;

  /** What backlog leaves of the window. */
  static final int LIVE_WINDOW_BLOCKS = 8;

  static final long LIVE_WINDOW_BYTES = 2L << 20;

  /** Pieces below this size, uncompressed, are merged with their neighbours. */
  static final int MERGE_BELOW_BYTES = 128 << 10;

  /** Suspicious failures at one exporter after which a piece is treated as bad data. */
  static final int POISON_AFTER_FAILURES = 10;

  /** Pieces that go before an older one because they failed less often; then it has its turn. */
  static final int MAX_PASSED_OVER = 3;

  /** A piece under this much suspicion is not merged, to not cast it on its neighbours. */
  private static final int ALONE_AFTER_FAILURES = 2;

  private static final Logger log = LoggerFactory.getLogger(Dispatcher.class);

  private final Lane lane;
  private final LaneId id;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final EgressListener listener;
  private final BiConsumer<Attempt, Outcome> answers;
  private final Failover failover;
  private final Requests requests = new Requests();

  private final Set<Held> window = new HashSet<>();
  private final TreeSet<Piece> waiting = new TreeSet<>(Piece.ORDER);
  private final List<Attempt> inFlight = new ArrayList<>();
  private long inFlightBytes;

  /** By exporter; those of exporters that are gone stay, with what they learned. */
  private final Map<String, Valve> valves = new ConcurrentHashMap<>();

  private final Set<Breaker> overQuota = new HashSet<>();
  private volatile LaneFlow flow;

  private final LogPace dropPace = new LogPace();
  private final LogPace rejectPace = new LogPace();
  private final LogPace messagePace = new LogPace();
  private final LogPace outagePace = new LogPace();
  private final LogPace operatorPace = new LogPace();
  private final LogPace recoveryPace = new LogPace();
  private final LogPace settlePace = new LogPace();

  /** The time of the call that is being handled. */
  private long now;

  /**
   * @param past what it begins with
   * @param answers told the outcome of each attempt, on any thread; hands it to {@link #finished}
   */
  Dispatcher(
      Lane lane,
      EgressSettings settings,
      EgressPast past,
      InstantSource clock,
      RandomGenerator random,
      EgressListener listener,
      BiConsumer<Attempt, Outcome> answers,
      long now) {
    this.lane = lane;
    this.id = lane.id();
    this.clock = clock;
    this.random = random;
    this.listener = listener;
    this.answers = answers;
    this.now = now;
    this.flow = settings.flow();
    this.failover =
        new Failover(settings.with(OperatorOrders.NONE), clock, random, this::moved, now);
    failover.restore(past, now);
    failover.retarget(settings, now); // What it tells of orders needs it to be there.
    for (Breaker breaker : failover.order()) {
      if (breaker.bars.containsKey(BarCause.QUOTA)) {
        overQuota.add(breaker);
      }
      if (breaker.state != BreakerState.CLOSED) {
        log.warn(
            "egress {}: {} is {} since {}, as before the restart: {}",
            id,
            breaker.id,
            breaker.state.label(),
            breaker.since,
            breaker.reason);
      }
    }
  }

  /** For the next process. */
  EgressPast past() {
    return failover.past();
  }

  /** Grows whenever {@link #past} has to be kept anew. */
  long changes() {
    return failover.changes();
  }

  /** Takes new settings from the next attempt on. Attempts in flight are left to finish. */
  void retarget(EgressSettings settings, long now) {
    this.now = now;
    flow = settings.flow();
    valves.values().forEach(valve -> valve.retarget(flow));
    failover.retarget(settings, now);
  }

  /** What an empty request, sent while the exporter was idle, came to. */
  void probed(String exporter, Outcome outcome, long now) {
    this.now = now;
    switch (outcome) {
      case Outcome.Delivered _ -> failover.idleAnswered(exporter, true, now);
      case Outcome.TooLarge _, Outcome.BadData _ -> failover.idleAnswered(exporter, false, now);
      case Outcome.Retry(Duration after, ErrorClass error, String reason) ->
          failover.idleFailed(exporter, error, reason, after, now);
      case Outcome.SinkDown(ErrorClass error, String reason) ->
          failover.idleFailed(exporter, error, reason, null, now);
    }
  }

  /** Whether another block may be read from the lane, besides {@code coming} ones. */
  boolean hasRoom(int coming) {
    return window.size() + coming < MAX_WINDOW_BLOCKS && windowBytes() < MAX_WINDOW_BYTES;
  }

  /** Whether one of them may be backlog: it leaves some room for what comes in live. */
  boolean hasRoomForBacklog(int coming) {
    return window.size() + coming < MAX_WINDOW_BLOCKS - LIVE_WINDOW_BLOCKS
        && windowBytes() < MAX_WINDOW_BYTES - LIVE_WINDOW_BYTES;
  }

  private long windowBytes() {
    long bytes = 0;
    for (Held held : window) {
      bytes += held.bytes();
    }
    return bytes;
  }

  /**
   * Takes a block from the lane; from now on it is settled here or comes again after a restart.
   *
   * @param backlog whether it is sent when nothing else waits
   */
  void arrived(Block block, boolean backlog, long now) {
    this.now = now;
    Held held = new Held(block, backlog);
    if (block.items() == 0) {
      settle(held);
      return;
    }
    window.add(held);
    waiting.add(Piece.whole(held));
  }

  /** An attempt has ended. Ignored if it was abandoned before. */
  void finished(Attempt attempt, Outcome outcome, long now) {
    this.now = now;
    if (!inFlight.remove(attempt)) {
      return;
    }
    ended(attempt, outcome);
    Ticket ticket = attempt.ticket();
    switch (outcome) {
      case Outcome.Delivered delivered -> {
        failover.delivered(ticket, now);
        delivered(attempt, delivered);
      }
      case Outcome.TooLarge(String reason) -> {
        boolean verdict = isVerdict(ticket);
        failover.answered(ticket, now);
        tooLarge(attempt, verdict, reason);
      }
      case Outcome.BadData(String reason) -> {
        boolean verdict = isVerdict(ticket);
        failover.answered(ticket, now);
        badData(attempt, verdict, reason);
      }
      case Outcome.Retry(Duration after, ErrorClass error, String reason) ->
          failed(attempt, error, reason, after);
      case Outcome.SinkDown(ErrorClass error, String reason) ->
          failed(attempt, error, reason, null);
    }
  }

  /** Does what is due: fails over, abandons, and begins attempts while there is room for them. */
  void step(long now) {
    this.now = now;
    applyQuotas();
    failover.tick(now);
    while (abandonOne()) {
      // Each one may change which exporter is active, and so which others to abandon.
    }
    forgetGivenUp();
    while (inFlightBytes < MAX_IN_FLIGHT_BYTES && beginAttempt()) {
      // Each round begins one attempt.
    }
  }

  private void applyQuotas() {
    overQuota.retainAll(failover.order());
    for (Breaker breaker : failover.order()) {
      Quota usedUp = flow.bars(breaker.id);
      if (usedUp != null && overQuota.add(breaker)) {
        String reason =
            "%s::quota of %d bytes a day is used up"
                .formatted(usedUp.name(), usedUp.settings().bytesPerDay());
        failover.bar(breaker.id, BarCause.QUOTA, reason, now);
      } else if (usedUp == null && overQuota.remove(breaker)) {
        failover.unbar(breaker.id, BarCause.QUOTA, now);
      }
    }
  }

  private Valve valve(Breaker breaker) {
    return valves.computeIfAbsent(breaker.id, id -> new Valve(id, flow));
  }

  /** Attempts that this lane may have in flight at an exporter now. Safe on any thread. */
  int concurrencyLimit(String exporter) {
    Valve valve = valves.get(exporter);
    return valve == null
        ? Math.min(ConcurrencyLimit.INITIAL, flow.maxConcurrency(exporter))
        : valve.limit();
  }

  /** What the lane gave up meanwhile is counted there and not sent any more. */
  private void forgetGivenUp() {
    long below = lane.givenUpBelow();
    if (below > 0) {
      waiting.removeIf(piece -> piece.held.block.firstSequence() < below);
      window.removeIf(held -> held.block.firstSequence() < below);
    }
  }

  /** When {@link #step} has something to do by itself; {@link Breaker#NEVER} if not. */
  long nextStep(long now) {
    long next = failover.nextChange(now);
    for (Piece piece : waiting) {
      if (piece.notBefore > now) {
        next = Math.min(next, piece.notBefore);
      }
    }
    for (Breaker breaker : failover.order()) {
      if (!waiting.isEmpty() && valve(breaker).opensAt() > now) {
        next = Math.min(next, valve(breaker).opensAt());
      }
      Quota usedUp = flow.bars(breaker.id);
      if (usedUp != null) {
        next = Math.min(next, now + usedUp.untilTomorrow().toNanos());
      }
    }
    return next;
  }

  int attemptsInFlight() {
    return inFlight.size();
  }

  /** Gives up what is in flight. The blocks stay in the lane. */
  void abandonAll(long now) {
    this.now = now;
    for (Attempt attempt : List.copyOf(inFlight)) {
      abandon(attempt, "no answer before the deadline of shutdown");
    }
  }

  EgressStatus status(long now) {
    List<Breaker> actives = failover.actives();
    return new EgressStatus(
        id,
        actives.isEmpty() ? null : actives.getFirst().id,
        window.size(),
        failover.order().stream()
            .map(breaker -> status(breaker, actives.contains(breaker), now))
            .toList(),
        failover.transitions(),
        failover.pin(),
        later(failover.waitingUntil(), now));
  }

  private ExporterStatus status(Breaker breaker, boolean active, long now) {
    return new ExporterStatus(
        breaker.id,
        breaker.level,
        active,
        breaker.state,
        breaker.since,
        breaker.reason,
        breaker.lastError,
        breaker.inFlight.size(),
        breaker.lastAttempt,
        later(failover.nextAttempt(breaker), now),
        later(breaker.askedUntil, now),
        List.copyOf(breaker.bars.values()));
  }

  /** Null for what is past, and for what does not come. */
  private @Nullable Instant later(long nanos, long now) {
    return nanos == Breaker.NEVER || nanos <= now ? null : clock.instant().plusNanos(nanos - now);
  }

  /** Frees native memory. Safe to call twice. */
  @Override
  public void close() {
    requests.close();
  }

  // Sending.

  private boolean beginAttempt() {
    for (Breaker breaker : failover.ready(now)) {
      if (!valve(breaker).isOpen(breaker.inFlight.size(), now)) {
        continue;
      }
      List<Piece> pieces = choose(breaker);
      if (!pieces.isEmpty()) {
        send(breaker, pieces);
        return true;
      }
    }
    return false;
  }

  /**
   * What to send next to this exporter, taken out of {@code waiting}; empty if there is nothing.
   */
  private List<Piece> choose(Breaker breaker) {
    Piece first = next(breaker);
    while (first != null && first.canBeCut() && first.length > breaker.exporter.maxRequestBytes()) {
      int most = breaker.exporter.maxRequestBytes();
      cutToSize(first, most, new Verdict(breaker.id, "larger than its max_request_bytes " + most));
      first = next(breaker);
    }
    if (first == null) {
      return List.of();
    }
    boolean probe = breaker.state != BreakerState.CLOSED;
    List<Piece> pieces = probe ? List.of(first) : withNeighbours(first, breaker);
    for (Piece piece : pieces) {
      waiting.remove(piece);
      piece.passedOver = 0;
    }
    return pieces;
  }

  /**
   * The piece that failed least often at this exporter, the oldest of several: so that one which
   * always fails does not keep the others from showing that the sink works. Of new pieces there may
   * be no end, so the oldest has its turn all the same: until it is settled the lane's cursor
   * stands before it, and frees no disk.
   */
  private @Nullable Piece next(Breaker breaker) {
    boolean spareProbed = breaker.state != BreakerState.CLOSED && failover.othersWork(breaker);
    Piece oldest = null;
    Piece best = null;
    int fewest = Integer.MAX_VALUE;
    for (Piece piece : waiting) {
      if (piece.notBefore > now || (spareProbed && piece.probed)) {
        continue;
      }
      oldest = oldest == null ? piece : oldest;
      int failures = piece.failuresAt(breaker.id);
      if (failures < fewest) {
        best = piece;
        fewest = failures;
      }
      if (failures == 0) {
        break;
      }
    }
    boolean turn = oldest != null && oldest != best && oldest.passedOver++ >= MAX_PASSED_OVER;
    return turn ? oldest : best;
  }

  private List<Piece> withNeighbours(Piece first, Breaker breaker) {
    List<Piece> pieces = new ArrayList<>();
    pieces.add(first);
    if (!mergeable(first, breaker)) {
      return pieces;
    }
    int limit = Math.min(first.mergeLimit, breaker.exporter.maxRequestBytes());
    long length = first.length;
    for (Piece piece : waiting.tailSet(first, false)) {
      limit = Math.min(limit, piece.mergeLimit);
      length += piece.length;
      if (!mergeable(piece, breaker) || length > limit) {
        break;
      }
      pieces.add(piece);
    }
    return pieces;
  }

  private boolean mergeable(Piece piece, Breaker breaker) {
    return !piece.alone
        && piece.length < MERGE_BELOW_BYTES
        && piece.notBefore <= now
        && piece.suspicionAt(breaker.id) < ALONE_AFTER_FAILURES;
  }

  /** Begins one attempt, unless a piece turns out to be unreadable: then the others wait on. */
  private void send(Breaker breaker, List<Piece> pieces) {
    Exporter exporter = breaker.exporter;
    ExportRequest request;
    try {
      request = requests.of(pieces, exporter);
    } catch (UnreadableException e) {
      waiting.addAll(pieces);
      waiting.remove(e.piece());
      dropUnreadable(e.piece(), e.getMessage());
      return;
    } catch (RuntimeException | Error e) {
      waiting.addAll(pieces);
      throw e;
    }
    pieces.forEach(piece -> piece.sentIn(request.payload()));
    Attempt attempt =
        new Attempt(
            failover.begin(breaker, now),
            pieces,
            request.payload().length(),
            request.uncompressedLength(),
            request.items(),
            request.wireBytes(),
            export(exporter, request));
    inFlight.add(attempt);
    inFlightBytes += attempt.payloadBytes();
    valve(breaker).begin(breaker.inFlight.size(), attempt.payloadBytes(), now);
    var _ = attempt.answer().whenComplete((outcome, failure) -> answer(attempt, outcome, failure));
  }

  private static CompletableFuture<Outcome> export(Exporter exporter, ExportRequest request) {
    try {
      return exporter.export(request);
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private void answer(Attempt attempt, @Nullable Outcome outcome, @Nullable Throwable failure) {
    answers.accept(
        attempt,
        outcome != null
            ? outcome
            : new Outcome.SinkDown(ErrorClass.LOCAL, "the exporter failed: " + failure));
  }

  private boolean abandonOne() {
    for (Attempt attempt : inFlight) {
      if (failover.abandons(attempt.ticket(), now)
          && abandon(attempt, "no answer when the lane went on to another exporter")) {
        return true;
      }
    }
    return false;
  }

  /**
   * Cancels an attempt and takes it for a timeout. False if its answer is on the way already: then
   * it is left to {@link #finished}.
   */
  private boolean abandon(Attempt attempt, String reason) {
    if (!attempt.answer().cancel(true)) {
      return false;
    }
    inFlight.remove(attempt);
    ended(attempt, new Outcome.SinkDown(ErrorClass.TIMEOUT, reason));
    failed(attempt, ErrorClass.TIMEOUT, reason, null);
    return true;
  }

  private void ended(Attempt attempt, Outcome outcome) {
    inFlightBytes -= attempt.payloadBytes();
    long wireBytes = attempt.wireBytes().end();
    valve(attempt.ticket().breaker).end(attempt, outcome, wireBytes, now);
    Duration elapsed = Duration.ofNanos(now - attempt.ticket().startedNanos);
    listener.attempt(
        id,
        attempt.exporter(),
        outcome,
        elapsed,
        attempt.payloadBytes(),
        wireBytes,
        attempt.items());
    TenantShares.divide(
        attempt,
        outcome,
        wireBytes,
        (tenant, bytes, items) -> {
          flow.sent(tenant, bytes);
          listener.sent(id, attempt.exporter(), tenant, bytes, items);
        });
  }

  // Outcomes. Each of these finds a place for every piece of the attempt.

  /** Rejected items are attributed to the merged blocks in order: the sink does not say whose. */
  private void delivered(Attempt attempt, Outcome.Delivered delivered) {
    String exporter = attempt.exporter();
    int rejected = Math.clamp(delivered.rejected(), 0, attempt.items());
    logMessage(exporter, rejected, attempt.items(), delivered.message());
    for (Piece piece : attempt.pieces()) {
      int ofPiece = Math.min(rejected, piece.items);
      rejected -= ofPiece;
      if (piece.maybeTaken && piece.held.firstRedelivery()) {
        countRedelivery(piece.held.block);
      }
      boolean all = piece.held.account(new Settlement.Rejected(exporter, ofPiece));
      if (ofPiece < piece.items) {
        all = piece.held.account(new Settlement.Delivered(exporter, piece.items - ofPiece));
      }
      if (all) {
        settle(piece.held);
      }
    }
  }

  private void countRedelivery(Block block) {
    try {
      lane.redelivered(block);
    } catch (RuntimeException e) {
      settlePace.admit(
          now,
          more ->
              log.warn(
                  "egress {}: a redelivery of block {} was not counted.{}",
                  id,
                  block.index(),
                  more,
                  e));
    }
  }

  private void failed(Attempt attempt, ErrorClass error, String reason, @Nullable Duration after) {
    Ticket ticket = attempt.ticket();
    failover.failed(ticket, error, reason, after, now);
    boolean suspicious = error == ErrorClass.SERVER;
    for (Piece piece : attempt.pieces()) {
      piece.maybeTaken |= mayHaveBeenTaken(error);
      piece.probed |= ticket.probe;
      if (suspicious) {
        var _ = piece.compressAnew();
      }
      Strikes strikes = piece.strikesAt(ticket.breaker.id);
      int before = strikes.suspicion();
      strikes.add(ticket.breaker, suspicious);
      if (strikes.suspicion() >= POISON_AFTER_FAILURES) {
        condemn(
            piece,
            attempt.pieces().size() == 1,
            new Verdict(
                attempt.exporter(),
                POISON_AFTER_FAILURES + " failures while others passed, last: " + reason));
        continue;
      }
      if (strikes.suspicion() > Math.max(before, 1)) {
        Backoff backoff = Backoff.of(ticket.breaker.exporter.retry());
        piece.notBefore = now + backoff.pauseNanos(strikes.suspicion(), random);
      }
      waiting.add(piece);
    }
  }

  /** Whether a request that ended like this may have reached the sink's store all the same. */
  private static boolean mayHaveBeenTaken(ErrorClass error) {
    return switch (error) {
      case RESET, TIMEOUT, SERVER -> true;
      case PROTOCOL -> true;
      case DNS, CONNECT, TLS, THROTTLED, AUTH, NOT_FOUND, POLICY, LOCAL, BAD_DATA, TOO_LARGE ->
          false;
    };
  }

  /**
   * Whether what this exporter says of a request is final. One that is only being tried out while
   * another works is not believed: the other one is asked.
   */
  private boolean isVerdict(Ticket ticket) {
    return !ticket.probe || !failover.othersWork(ticket.breaker);
  }

  private void retryElsewhere(Attempt attempt) {
    for (Piece piece : attempt.pieces()) {
      piece.probed = true;
      waiting.add(piece);
    }
  }

  private void tooLarge(Attempt attempt, boolean verdict, String reason) {
    if (!verdict) {
      retryElsewhere(attempt);
      return;
    }
    int half = Math.max(1, attempt.uncompressedLength() / 2);
    if (attempt.pieces().size() > 1) {
      for (Piece piece : attempt.pieces()) {
        piece.mergeLimit = Math.min(piece.mergeLimit, half);
        waiting.add(piece);
      }
      return;
    }
    cutToSize(attempt.pieces().getFirst(), half, new Verdict(attempt.exporter(), reason));
  }

  private void badData(Attempt attempt, boolean verdict, String reason) {
    if (!verdict) {
      retryElsewhere(attempt);
      return;
    }
    for (Piece piece : attempt.pieces()) {
      condemn(piece, attempt.pieces().size() == 1, new Verdict(attempt.exporter(), reason));
    }
  }

  /**
   * Takes a request apart that holds bad data (conformance W-50): its original requests go out one
   * by one, and one that was alone already is dropped, if it was not its sender's gzip.
   */
  private void condemn(Piece piece, boolean wasAlone, Verdict verdict) {
    if (piece.requests() == 1 && wasAlone && piece.compressAnew()) {
      waiting.add(piece);
    } else if (piece.requests() == 1 && wasAlone) {
      bury(piece, DropReason.BAD_DATA, verdict);
    } else if (piece.requests() == 1) {
      piece.isolate();
      waiting.add(piece);
    } else {
      replace(piece, () -> Cutter.toRequests(piece));
    }
  }

  private void cutToSize(Piece piece, int limit, Verdict verdict) {
    waiting.remove(piece);
    if (!replace(piece, () -> Cutter.toSize(piece, limit))) {
      bury(piece, DropReason.TOO_LARGE, verdict);
    }
  }

  private interface Cut {
    List<Piece> pieces() throws MalformedRequestException;
  }

  /** Puts parts in place of a piece, or drops it as unreadable. False if there are no parts. */
  private boolean replace(Piece piece, Cut cut) {
    try {
      List<Piece> parts = cut.pieces();
      waiting.addAll(parts);
      return !parts.isEmpty();
    } catch (MalformedRequestException e) {
      dropUnreadable(piece, e.getMessage());
      return true;
    }
  }

  // Accounting.

  /** Gives up what no sink will take; a copy goes to the lane's dead letters first. */
  private void bury(Piece piece, DropReason drop, Verdict verdict) {
    Slice request;
    try {
      request = piece.bytes();
    } catch (MalformedRequestException e) {
      dropUnreadable(piece, e.getMessage());
      return;
    }
    boolean kept =
        lane.keep(
            new DeadLetter(
                verdict.exporter(), drop, verdict.words(), request, piece.items, tenant(piece)));
    drop(
        piece,
        drop,
        verdict.text(),
        kept ? "They are kept: spillway buffer dead-letters " + id : "They are lost for this lane");
  }

  private static String tenant(Piece piece) {
    return piece.requests() == 1 ? piece.tenant(piece.firstRequest()) : "";
  }

  private void dropUnreadable(Piece piece, @Nullable String why) {
    drop(piece, DropReason.CORRUPT, "unreadable: " + why, "They are lost for this lane");
  }

  private void drop(Piece piece, DropReason drop, String reason, String fate) {
    dropPace.admit(
        now,
        more ->
            log.error(
                "egress {}: {} {} given up as {}: {}. {}, and counted in the ledger.{}",
                id,
                piece.items,
                id.signal().itemName() + "(s)",
                drop.label(),
                reason,
                fate,
                more));
    listener.dropped(id, drop, piece.items, reason);
    if (piece.held.account(new Settlement.Dropped(drop, piece.items))) {
      settle(piece.held);
    }
  }

  private void settle(Held held) {
    window.remove(held);
    Block block = held.block;
    Settlement settlement = held.settlement();
    try {
      lane.settle(block, settlement);
    } catch (RuntimeException e) {
      settlePace.admit(
          now,
          more ->
              log.error(
                  "egress {}: block {} could not be settled ({}). It will be sent again after a"
                      + " restart.{}",
                  id,
                  block.index(),
                  settlement,
                  more,
                  e));
      return;
    }
    if (block.firstSequence() < lane.givenUpBelow()) {
      return;
    }
    Duration endToEnd = Duration.between(block.firstAccepted(), clock.instant());
    listener.settled(id, block, settlement, endToEnd.isNegative() ? Duration.ZERO : endToEnd);
  }

  private void logMessage(String exporter, int rejected, int items, String message) {
    if (rejected > 0) {
      rejectPace.admit(
          now,
          more ->
              log.error(
                  "egress {}: {} took a request but rejected {} of {} {}s: {}. They are counted as"
                      + " rejected and not sent again.{}",
                  id,
                  exporter,
                  rejected,
                  items,
                  id.signal().itemName(),
                  message.isEmpty() ? "it did not say why" : message,
                  more));
    } else if (!message.isEmpty()) {
      messagePace.admit(
          now, more -> log.warn("egress {}: {} warns: {}.{}", id, exporter, message, more));
    }
  }

  private void moved(Transition transition, boolean needsOperator) {
    Breaker active = failover.active();
    String next =
        active == null
            ? "No exporter is in service: data stays on disk, and they are tried in turn."
            : "Sending to " + active.id + ".";
    LogPace pace =
        needsOperator ? operatorPace : transition.to() == Standing.OPEN ? outagePace : recoveryPace;
    pace.admit(
        now,
        more -> {
          String line =
              "egress %s: %s is %s (was %s): %s. %s%s"
                  .formatted(
                      id,
                      transition.exporter(),
                      transition.to().label(),
                      transition.from().label(),
                      transition.reason(),
                      next,
                      more);
          if (needsOperator) {
            log.error(line);
          } else if (transition.to() == Standing.OPEN) {
            log.warn(line);
          } else {
            log.info(line);
          }
        });
    listener.transition(id, transition);
  }
}
