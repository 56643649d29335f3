package io.spillway.buffer;

import io.spillway.buffer.AppendMark.Mark;
import io.spillway.buffer.BufferConfig.Durability;
import io.spillway.buffer.BufferConfig.WhenFull;
import io.spillway.buffer.BufferDirectory.Trouble;
import io.spillway.buffer.HandOver.Pending;
import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DeadLetter;
import io.spillway.otlp.stage.DeadLetterStatus;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.LaneLedger;
import io.spillway.otlp.stage.LaneStatus;
import io.spillway.otlp.stage.Settlement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lane on disk.
 *
 * <p>Threads: the writer owns appending, opening, recycling and evicting; whoever polls owns the
 * reader, under {@link #reading}; settling goes to the {@link LaneAccount}. The writer takes {@link
 * #reading} too before it swaps the queue or moves the reader. Locks are taken in the order {@code
 * reading}, queue, account.
 *
 * <p>A queue that fails in any way but a full disk is closed and opened again by the writer after a
 * pause; until then appends are refused, and nothing else of the process notices. The books stay in
 * memory over that, and are written again to whatever file is at the path then.
 *
 * <p>If the disk takes no writes but can be read, the lane is <i>suspended</i>: it refuses appends,
 * and its queue stays open until everything is read or reading fails too. Then it lets go of all
 * its files, so that the file system can be unmounted, and waits for the {@link BufferDirectory}.
 */
final class DiskLane implements Lane, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DiskLane.class);

  /** Uncompressed bytes of a group that shares one force to the device. */
  private static final int MAX_GROUP_BYTES = 4 * HandOver.MAX_BLOCK_BYTES;

  /** A group is forced after this long, however much still comes in. */
  private static final long MAX_GROUP_NANOS = 20_000_000L;

  /** A drained lane holds on to up to this much disk for the next append. */
  private static final long SPARE_BYTES = 4L * 1024 * 1024;

  /** A segment is left after this part of {@code max_age}, so that it can be given up in time. */
  private static final int SEGMENTS_PER_MAX_AGE = 8;

  private static final long IDLE_NANOS = 1_000_000_000L;
  private static final int IDLE_ROUNDS_BEFORE_RECYCLING = 5;

  /** How often the writer of a lane that has nothing to do looks whether that is still so. */
  private static final long REST_NANOS = 5_000_000_000L;

  private static final Duration MIN_REOPEN = Duration.ofSeconds(1);
  private static final Duration MAX_REOPEN = Duration.ofSeconds(30);

  /** How often the writer looks whether its files are still there. */
  private static final long LOOK_NANOS = 1_000_000_000L;

  private static final long STUCK_NANOS = 50_000_000L;
  private static final Duration RETRY_HAND_OVER = Duration.ofSeconds(1);

  /** Deleted files return their space some milliseconds later; waited for in these steps. */
  private static final long SPACE_RETURN_STEP_NANOS = 10_000_000L;

  private static final int MAX_SPACE_RETURN_STEPS = 30;

  private final LaneId id;
  private final long segmentBytes;
  private final DiskBudget.Share budget;
  private final BufferDirectory home;
  private final InstantSource clock;
  private final SegmentFiles files;
  private final LaneAccount account;
  private final HandOver handOver;
  private final BlockBuilder builder;
  private final AtomicLong recentBytes;
  private final LaneRecovery recovery;
  private final LogLimit logLimit;
  private final Thread writer;
  private final Object reading = new Object();
  private final AtomicReference<@Nullable CompletableFuture<Long>> dropping =
      new AtomicReference<>();
  private volatile Codec codec;
  private volatile GzipPassthrough passthrough = GzipPassthrough.OFF;
  private volatile LaneSettings settings;

  /** Null while the lane cannot be opened; written by the writer under {@link #reading}. */
  private volatile @Nullable SegmentQueue queue;

  private volatile String failure = "not open yet";
  private volatile long reopenAtNanos;
  private volatile @Nullable String full;
  private volatile boolean suspended;

  // The writer's.
  private volatile @Nullable AppendMark mark;
  private long lookAtNanos = System.nanoTime();
  private @Nullable SlotFile checkpoint;
  private boolean hasCheckpoint;
  private Duration reopenPause = MIN_REOPEN;
  private long lastTick = System.nanoTime();
  private long newestAccepted;
  private int segment = -1;
  private long segmentSince;
  private long drainedSince = Long.MAX_VALUE;

  /** How far the lane was settled when segments were deleted last; written under reading. */
  private volatile long deletedAtMark = -1;

  /** Settled segments that stay for a while. */
  private final KeptSegments kept;

  private final BlockReader live;
  private final BlockReader backlog;
  private final DeadLetterBox letters;

  DiskLane(
      LaneId id,
      Path directory,
      Codec codec,
      LaneSettings settings,
      long segmentBytes,
      DiskBudget budget,
      Quarantine quarantine,
      @Nullable BlockCipher cipher,
      DeadLetterBox letters,
      BufferDirectory home,
      AtomicLong recentBytes,
      InstantSource clock) {
    this.recentBytes = recentBytes;
    this.id = id;
    this.letters = letters;
    this.codec = codec;
    this.settings = settings;
    this.segmentBytes = segmentBytes;
    this.budget = budget.share(settings.maxBytes());
    this.home = home;
    this.clock = clock;
    this.newestAccepted = clock.millis();
    this.handOver = new HandOver(id.signal());
    this.kept = new KeptSegments();
    this.files = new SegmentFiles(id, directory, quarantine, budget.space());
    this.account = new LaneAccount(id, clock);
    this.logLimit = new LogLimit(clock);
    this.builder = new BlockBuilder(id, cipher, clock);
    this.recovery = new LaneRecovery(id, files, account);
    this.live = reader(Side.LIVE, quarantine, cipher);
    this.backlog = reader(Side.BACKLOG, quarantine, cipher);
    tryOpen();
    this.writer = Thread.ofPlatform().daemon().name("lane " + id).unstarted(this::writeUntilClosed);
  }

  private BlockReader reader(Side side, Quarantine quarantine, @Nullable BlockCipher cipher) {
    return new BlockReader(
        id,
        side,
        account,
        quarantine,
        cipher,
        clock,
        () -> settings.maxAge(),
        () -> suspended || !home.isSound());
  }

  void start() {
    writer.start();
  }

  @Override
  public LaneId id() {
    return id;
  }

  @Override
  public void codec(Codec codec) {
    this.codec = codec;
  }

  @Override
  public void gzipPassthrough(GzipPassthrough passthrough) {
    this.passthrough = passthrough;
  }

  void settings(LaneSettings settings) {
    this.settings = settings;
    budget.limit(settings.maxBytes());
  }

  /** Has the writer look after its files now. */
  void lookAround() {
    handOver.wake();
  }

  @Override
  public int maxAppendBytes() {
    return handOver.maxAppendBytes();
  }

  /** With room for the header, and for what encryption and codecs add to what cannot shrink. */
  private int maxRecordBytes() {
    return 2 * handOver.maxAppendBytes();
  }

  // ---- appending, any thread

  @Override
  public void append(
      RequestBytes request, int items, int sampledOut, String tenant, AppendCallback callback) {
    if (request.length() > maxAppendBytes() || items < 0 || sampledOut < 0) {
      throw new IllegalArgumentException(
          "lane " + id + ": append of " + request.length() + " bytes, " + items + " items");
    }
    boolean passesGzip = codec == Codec.GZIP && passthrough != GzipPassthrough.OFF;
    Pending append =
        new Pending(
            passesGzip ? request : request.withoutGzip(),
            items,
            sampledOut,
            tenant,
            clock.millis(),
            callback);
    if (!handOver.offer(append)) {
      callback.refused(
          refusal(RETRY_HAND_OVER, String.valueOf(handOver.refusal(request.length()))));
    }
  }

  @Override
  public @Nullable Refusal refusal(long bytes) {
    String waiting = handOver.refusal(bytes);
    if (waiting != null) {
      return refusal(RETRY_HAND_OVER, waiting);
    }
    SegmentQueue q = queue;
    if (q == null || suspended) {
      long left = reopenAtNanos - System.nanoTime();
      return left <= 0 ? null : refusal(atLeastASecond(left), failure);
    }
    // An append can make room by itself: see makeRoom.
    if (settings.whenFull() == WhenFull.DROP_OLDEST || isRecyclable(q) || kept.isHolding()) {
      return null;
    }
    long missing = q.missingBytes(Math.min(bytes, maxAppendBytes()));
    String noSpace = missing == 0 ? null : budget.refusal(missing);
    return noSpace == null ? null : refusal(retryWhenFull(), noSpace);
  }

  private Refusal refusal(Duration retryAfter, String reason) {
    return new Refusal(retryAfter, "buffer " + id + ": " + reason);
  }

  private Duration retryWhenFull() {
    return account.drainRate().timeFor(segmentBytes, System.nanoTime());
  }

  private static Duration atLeastASecond(long nanos) {
    Duration duration = Duration.ofNanos(nanos);
    return duration.compareTo(MIN_REOPEN) < 0 ? MIN_REOPEN : duration;
  }

  // ---- the writer thread

  /** An error that a disk caused a while ago can surface anywhere; the writer outlives it. */
  @SuppressWarnings("CatchThrowable")
  private void writeUntilClosed() {
    for (boolean ended = false; !ended; ) {
      try {
        write();
        ended = true;
      } catch (Throwable e) {
        fail(e);
      }
    }
  }

  private void write() {
    int idleRounds = 0;
    for (List<Pending> block = handOver.take(IDLE_NANOS);
        block != null;
        block = handOver.take(canRest(idleRounds) ? REST_NANOS : IDLE_NANOS)) {
      lookAfterFiles();
      if (block.isEmpty()) {
        idle(++idleRounds);
      } else {
        idleRounds = 0;
        writeGroup(block);
      }
      if (System.nanoTime() - lastTick >= IDLE_NANOS) {
        tick();
        lastTick = System.nanoTime();
      }
    }
  }

  /** Whether time alone brings nothing about here: what else happens wakes the writer. */
  private boolean canRest(int idleRounds) {
    SegmentQueue q = queue;
    return idleRounds > IDLE_ROUNDS_BEFORE_RECYCLING
        && q != null
        && !suspended
        && dropping.get() == null
        && account.isDrained()
        && account.unsyncedBytes() == 0
        && !kept.isHolding()
        && q.reservedBytes() <= SPARE_BYTES;
  }

  /** Blocks up to the next force to the device; without {@code durability: power}, one block. */
  private void writeGroup(List<Pending> first) {
    boolean power = settings.durability() == Durability.POWER;
    long started = System.nanoTime();
    List<Pending> written = new ArrayList<>();
    long bytes = 0;
    for (List<Pending> block = first; !block.isEmpty(); block = handOver.takeNow()) {
      Refusal refusal = tryWrite(block);
      full = refusal == null ? null : refusal.reason();
      if (refusal != null) {
        refuse(block, refusal);
        break;
      }
      written.addAll(block);
      bytes += BlockBuilder.bytesOf(block);
      if (!power || bytes >= MAX_GROUP_BYTES || System.nanoTime() - started >= MAX_GROUP_NANOS) {
        break;
      }
    }
    Refusal notForced = power ? tryForce() : null;
    if (notForced != null) {
      refuse(written, notForced);
      return;
    }
    for (Pending append : written) {
      call(() -> append.callback().appended());
    }
  }

  private void refuse(List<Pending> appends, Refusal refusal) {
    for (Pending append : appends) {
      call(() -> append.callback().refused(refusal));
    }
  }

  private void call(Runnable callback) {
    try {
      callback.run();
    } catch (RuntimeException e) {
      log.error("buffer {}: a caller's callback failed", id, e);
    }
  }

  /** Null when the block is in the queue and counted. */
  @SuppressWarnings("CatchThrowable") // whatever breaks one lane must not break the process
  private @Nullable Refusal tryWrite(List<Pending> block) {
    if (isWaiting()) {
      return refusal(atLeastASecond(reopenAtNanos - System.nanoTime()), failure);
    }
    try {
      append(block);
      return null;
    } catch (DiskFullException e) {
      if (home.check() == null) {
        return refusal(retryWhenFull(), String.valueOf(e.getMessage()));
      }
      fail(e); // a disk that takes no writes at all is not full
      return refusal(reopenPause, failure);
    } catch (Throwable e) {
      fail(e);
      return refusal(reopenPause, failure);
    }
  }

  private @Nullable Refusal tryForce() {
    SegmentQueue q = queue;
    if (q == null) { // closed by the failure of a later block of the group
      return refusal(reopenPause, failure);
    }
    try {
      force(q);
      return null;
    } catch (IOException e) {
      fail(e);
      return refusal(reopenPause, failure);
    }
  }

  private void force(SegmentQueue q) throws IOException {
    Totals end = account.appended();
    q.force();
    account.synced(end);
  }

  private void append(List<Pending> block) throws IOException {
    if (queue == null) {
      reopen();
    }
    BlockBuilder.Built built = builder.build(block, codec, passthrough, account.appended());
    BlockHeader header = built.header();
    appendMakingRoom(header.encode(), built.payload());
    Totals end = header.end();
    SegmentQueue q = queue;
    if (built.isKeepable() && q != null) {
      q.remember(header, built.payload());
    }
    if (mark != null && q != null) {
      try {
        mark.write(new Mark(q.writtenCycle(), q.position(), end));
      } catch (IOException e) {
        if (home.check() != null) { // what is only in memory now would never reach the disk
          throw e;
        }
        warn("cannot write the append mark; the segments alone tell how much was stored", e);
      }
    }
    newestAccepted = header.lastAccepted();
    if (q != null && segment != q.writtenCycle()) {
      segment = q.writtenCycle();
      segmentSince = header.firstAccepted();
    }
    account.published(end);
  }

  // ---- room on disk, the writer thread

  private void appendMakingRoom(byte[] header, Slice payload) throws IOException {
    while (true) {
      SegmentQueue q = queue;
      if (q == null) {
        throw new IOException(failure);
      }
      if (q.position() > SPARE_BYTES && account.isDrained()) {
        q.roll(); // what lies before this append is settled: its segment goes as soon as this has
      }
      try {
        q.append(header, payload);
        return;
      } catch (DiskFullException e) {
        if (!makeRoom(q, header.length + payload.length())) {
          throw e;
        }
      }
    }
  }

  /** Each call that returns true has deleted a segment, so the calls end. */
  private boolean makeRoom(SegmentQueue q, int bytes) throws IOException {
    if (releaseKept(q)) {
      log.debug("buffer {}: segments kept after delivery make room", id);
    } else if (isRecyclable(q)) {
      recycle(q);
    } else if (settings.whenFull() == WhenFull.REFUSE || q.cycles().isEmpty()) {
      return false;
    } else {
      giveUp(q, behindOldest(q), DropReason.EVICTED);
    }
    awaitSpace(bytes);
    return true;
  }

  private boolean isRecyclable(SegmentQueue q) {
    return q.reservedBytes() > SPARE_BYTES / 4 && account.isDrained() && !q.cycles().isEmpty();
  }

  /** Deletes all segments of a drained lane, which only works while no queue has them open. */
  private void recycle(SegmentQueue q) throws IOException {
    synchronized (reading) {
      if (!account.isDrained()) {
        return;
      }
      int next = Math.max(q.writtenCycle(), files.newestNumber()) + 1;
      account.restartAt(q.firstIndexOf(next));
      closeQueue(q);
      recovery.deleteSettled(files.cycles());
      openQueue();
    }
  }

  /** Where a segment begins, by the first block in it. */
  private record Boundary(int cycle, BlockHeader first) {}

  /** The boundary behind the oldest segment that is not settled; null if no block follows it. */
  private @Nullable Boundary behindOldest(SegmentQueue q) throws IOException {
    synchronized (reading) { // or a segment may go while it is looked at
      int cursor = q.cycleOf(account.cursorIndex());
      List<Integer> later = q.cycles().stream().filter(cycle -> cycle >= cursor).skip(1).toList();
      for (int cycle : later) {
        BlockHeader first = SegmentScan.first(files.segment(cycle));
        if (first != null) {
          return new Boundary(cycle, first);
        }
      }
      return null;
    }
  }

  /** Gives up what is unsettled before a boundary, or everything if there is none. */
  private void giveUp(SegmentQueue q, @Nullable Boundary boundary, DropReason reason)
      throws IOException {
    if (boundary == null) {
      giveUpAll(q, reason);
      return;
    }
    synchronized (reading) {
      account.giveUp(boundary.first.start(), q.firstIndexOf(boundary.cycle), reason);
      live.reposition();
      backlog.reposition();
      q.deleteBefore(boundary.cycle);
    }
  }

  private void giveUpAll(SegmentQueue q, DropReason reason) throws IOException {
    synchronized (reading) {
      int next = Math.max(q.writtenCycle(), files.newestNumber()) + 1;
      account.giveUp(account.appended(), q.firstIndexOf(next), reason);
      closeQueue(q);
      recovery.deleteSettled(files.cycles());
      openQueue();
    }
  }

  /** Deletes settled segments that would have stayed for a while; false if there were none. */
  private boolean releaseKept(SegmentQueue q) throws IOException {
    synchronized (reading) {
      kept.clear();
      int segments = q.cycles().size();
      account.force();
      q.delete(account.settled(q.cycles()));
      return q.cycles().size() < segments;
    }
  }

  private void awaitSpace(int bytes) {
    for (int i = 0; i < MAX_SPACE_RETURN_STEPS; i++) {
      SegmentQueue q = queue;
      if (q == null || budget.refusal(q.missingBytes(bytes)) == null) {
        return;
      }
      LockSupport.parkNanos(SPACE_RETURN_STEP_NANOS);
    }
  }

  @SuppressWarnings("CatchThrowable") // as in tryWrite
  private void idle(int rounds) {
    try {
      drainedSince = account.isDrained() ? Math.min(drainedSince, clock.millis()) : Long.MAX_VALUE;
      SegmentQueue q = queue;
      if (isWaiting()) {
        return;
      }
      if (q == null) {
        reopen();
      } else if (rounds >= IDLE_ROUNDS_BEFORE_RECYCLING
          && q.reservedBytes() > SPARE_BYTES
          && isRecyclable(q)
          && clock.millis() - settings.keepDelivered().toMillis() >= drainedSince) {
        recycle(q);
      }
    } catch (DiskFullException e) {
      full = e.getMessage();
    } catch (Throwable e) {
      fail(e);
    }
  }

  /** What time alone brings about, about once a second. */
  @SuppressWarnings("CatchThrowable") // as in tryWrite
  private void tick() {
    SegmentQueue q = queue;
    CompletableFuture<Long> drop = dropping.getAndSet(null);
    if (q == null || suspended) {
      if (drop != null) {
        drop.completeExceptionally(new IOException(failure));
      }
      return;
    }
    try {
      if (drop != null) {
        drop.complete(dropAll(q));
      } else if (!account.isDrained()) {
        expire(q);
      }
      q = Objects.requireNonNull(queue);
      makeRoomForOthers(q);
      q = Objects.requireNonNull(queue);
      if (settings.durability() == Durability.POWER && account.unsyncedBytes() > 0) {
        force(q);
      }
    } catch (Throwable e) {
      if (drop != null) {
        drop.completeExceptionally(e);
      }
      fail(e);
    }
  }

  private void makeRoomForOthers(SegmentQueue q) throws IOException {
    if (!budget.isPressed()) {
      synchronized (reading) {
        deleteSettled(q);
      }
    } else if (!releaseKept(q) && q.reservedBytes() > SPARE_BYTES && isRecyclable(q)) {
      recycle(q);
    }
  }

  /** Gives up whole segments that are too old, whether or not anybody reads them. */
  private void expire(SegmentQueue q) throws IOException {
    Duration maxAge = settings.maxAge();
    long limit = clock.instant().minus(maxAge).toEpochMilli();
    if (segmentSince < clock.millis() - maxAge.toMillis() / SEGMENTS_PER_MAX_AGE) {
      q.roll();
    }
    for (SegmentQueue at = q; at != null && isOldestBefore(limit); at = queue) {
      Boundary boundary = behindOldest(at);
      long newest = boundary == null ? newestAccepted : boundary.first.firstAccepted();
      if (newest >= limit) {
        return;
      }
      giveUp(at, boundary, DropReason.EXPIRED);
    }
  }

  private boolean isOldestBefore(long millis) {
    Instant oldest = account.isDrained() ? null : oldest();
    return oldest != null && oldest.toEpochMilli() < millis;
  }

  // ---- giving up on request

  /**
   * Gives up everything that is stored and not settled, as an operator wishes. Done within about a
   * second, on the writer's thread.
   *
   * @return how many items
   */
  CompletableFuture<Long> drop() {
    CompletableFuture<Long> mine = new CompletableFuture<>();
    CompletableFuture<Long> before = dropping.compareAndExchange(null, mine);
    handOver.wake();
    return before == null ? mine : before;
  }

  private long dropAll(SegmentQueue q) throws IOException {
    long before = account.ledger().dropped().getOrDefault(DropReason.OPERATOR.label(), 0L);
    if (!account.isDrained()) {
      giveUpAll(q, DropReason.OPERATOR);
    }
    return account.ledger().dropped().getOrDefault(DropReason.OPERATOR.label(), 0L) - before;
  }

  // ---- opening and failing, the writer thread (and the constructor)

  private void tryOpen() {
    try {
      synchronized (reading) {
        openQueue();
      }
    } catch (IOException | RuntimeException | LinkageError | InternalError e) {
      fail(e);
    }
  }

  /** Lets go of files that are not the lane's any more, or that are no use now. */
  private void lookAfterFiles() {
    SegmentQueue q = queue;
    long now = System.nanoTime();
    if (q == null || now - lookAtNanos < 0) {
      return;
    }
    lookAtNanos = now + LOOK_NANOS;
    Trouble trouble = home.trouble();
    if (trouble != null && !suspended) {
      fail(new IOException(trouble.reason()));
    } else if (trouble != null && (trouble.gone() || isStalled() || !account.hasUnread())) {
      letGo();
    } else if (trouble == null && (suspended || isStalled())) {
      letGo();
      reopenAtNanos = now;
    } else if (trouble == null) {
      checkInPlace(q);
    }
  }

  private void checkInPlace(SegmentQueue q) {
    try {
      AppendMark m = mark;
      SlotFile c = checkpoint;
      Path missing = q.missing();
      if (missing != null) {
        throw new IOException(missing + " was deleted under the running relay");
      }
      if (m == null || c == null || !m.isInPlace() || !c.isInPlace()) {
        throw new IOException(
            files.directory() + " was deleted or replaced under the running relay");
      }
    } catch (IOException e) {
      log.error(
          "buffer {}: {}. The lane is opened again; what is gone and was not read yet is counted as"
              + " dropped{reason=\"corrupt\"}.",
          id,
          DiskErrors.text(e));
      fail(e);
    }
  }

  private void letGo() {
    synchronized (reading) {
      SegmentQueue q = queue;
      if (q != null) {
        closeQueue(q);
      }
      closeBooks();
      suspended = false;
      live.calm();
      backlog.calm();
    }
  }

  private void closeBooks() {
    AppendMark m = mark;
    mark = null;
    checkpoint = null;
    account.detach();
    try {
      if (m != null) {
        m.close();
      }
    } catch (IOException e) {
      log.debug("buffer {}: closing the append mark", id, e);
    }
  }

  /** Whether no file of this lane is open. */
  boolean hasLetGo() {
    return queue == null && mark == null;
  }

  /** Whether the lane is open and holds nothing. */
  boolean isKnownEmpty() {
    return queue != null && account.unsettled().items() == 0;
  }

  private boolean isStalled() {
    return live.isStalled() || backlog.isStalled();
  }

  /** Whether nothing may be appended now, nor the queue be opened again. */
  private boolean isWaiting() {
    return suspended || (queue == null && System.nanoTime() - reopenAtNanos < 0);
  }

  private void reopen() throws IOException {
    Trouble trouble = home.trouble();
    if (trouble != null) {
      throw new IOException(trouble.reason());
    }
    synchronized (reading) {
      openQueue();
    }
    full = null;
    reopenPause = MIN_REOPEN;
    log.info("buffer {}: open again", id);
  }

  private void fail(Throwable e) {
    Trouble trouble = home.check();
    boolean wasOpen = queue != null && !suspended;
    if (trouble != null && !trouble.gone() && wasOpen && account.hasUnread() && !isStalled()) {
      suspended = true;
      failure = "the disk takes no writes: " + trouble.reason();
    } else {
      letGo();
      failure = "the lane is closed after a failure: " + DiskErrors.text(e);
    }
    if (wasOpen || trouble != null) {
      reopenPause = MIN_REOPEN;
    } else {
      Duration twice = reopenPause.multipliedBy(2);
      reopenPause = twice.compareTo(MAX_REOPEN) > 0 ? MAX_REOPEN : twice;
    }
    full = failure;
    reopenAtNanos = System.nanoTime() + reopenPause.toNanos();
    warn("failed; refusing appends until it is opened again in " + reopenPause, e);
  }

  private void closeQueue(SegmentQueue q) {
    queue = null;
    try {
      q.close();
    } catch (RuntimeException | Error e) { // a dead disk makes mapped pages fault
      warn("closing the queue failed", e);
    }
  }

  /** Mends the directory, finds out how far the lane got, and opens the queue. */
  private void openQueue() throws IOException {
    Files.createDirectories(files.directory());
    boolean tookUp = mark == null && openBooks();
    files.repair();
    NavigableSet<Integer> cycles = files.cycles();
    Mark found = mark == null ? null : mark.found();
    Totals end = recovery.findEnd(cycles, found);
    if (tookUp) {
      hasCheckpoint = recovery.believesCheckpoint(cycles, end, found);
    }
    if (hasCheckpoint && settings.keepDelivered().isZero()) {
      recovery.deleteSettled(cycles);
    }
    int next = recovery.nextCycle(found);
    SegmentQueue opened =
        SegmentQueue.open(
            files, segmentBytes, maxRecordBytes(), budget, new RecentBlocks(recentBytes), next);
    try {
      if (!hasCheckpoint) {
        recovery.startWithoutCheckpoint(opened);
        hasCheckpoint = true;
      }
    } catch (IOException | RuntimeException | Error e) {
      closeQueue(opened);
      throw e;
    }
    live.opened();
    backlog.opened();
    deletedAtMark = -1;
    kept.clear();
    queue = opened;
  }

  /**
   * Once the lane has books in memory they are the truth, and the file is a copy of them.
   *
   * @return whether the books of an earlier process were taken up
   */
  private boolean openBooks() throws IOException {
    boolean inMemory = hasCheckpoint;
    AppendMark opened = AppendMark.open(files.directory().resolve("appended"));
    try {
      SlotFile slots =
          SlotFile.open(files.directory().resolve("checkpoint"), LaneAccount.CHECKPOINT_BYTES);
      if (hasCheckpoint) {
        account.reattach(slots);
      } else {
        hasCheckpoint = account.load(slots);
      }
      checkpoint = slots;
      mark = opened;
      return hasCheckpoint && !inMemory;
    } finally {
      if (mark == null) {
        opened.close();
      }
    }
  }

  private void warn(String what, Throwable e) {
    long suppressed = logLimit.permit();
    if (suppressed >= 0) {
      log.warn("buffer {}: {} ({} more suppressed)", id, what, suppressed, e);
    }
  }

  // ---- reading

  @Override
  public @Nullable Block poll(Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    for (long left = timeout.toNanos(); ; left = deadline - System.nanoTime()) {
      if (!account.awaitUnread(left)) {
        return null;
      }
      Block block = readNext(live);
      if (block != null || left <= 0) {
        return block;
      }
      account.awaitChange(Math.min(left, STUCK_NANOS));
    }
  }

  @Override
  public @Nullable Block pollBacklog() {
    return account.isWindowFull() ? null : readNext(backlog);
  }

  @Override
  public void wake() {
    account.wake();
  }

  @Override
  public boolean hasBacklog() {
    return account.stretch(Side.BACKLOG) != null;
  }

  @Override
  public boolean setAside() {
    synchronized (reading) {
      SegmentQueue q = queue;
      if (q == null) {
        return false;
      }
      long from = q.indexAfter(q.written()); // before the books are looked at
      return account.split(from, () -> q.indexAfter(q.written()));
    }
  }

  /** The next block to hand out; null if what is unread cannot be read now. */
  private @Nullable Block readNext(BlockReader reader) {
    synchronized (reading) {
      SegmentQueue q = queue;
      if (q == null) {
        return null;
      }
      Block block = reader.next(q);
      if (isSettledSegmentLeft()) { // blocks may have been passed on the way
        deleteSettled(q);
      }
      return block;
    }
  }

  // ---- settling

  @Override
  public void settle(Block block, Settlement settlement) {
    account.settle(block, settlement);
    if (isSettledSegmentLeft()) {
      synchronized (reading) {
        SegmentQueue q = queue;
        if (q != null) {
          deleteSettled(q);
        }
      }
    }
  }

  @Override
  public long givenUpBelow() {
    return account.givenUpBelow();
  }

  @Override
  public void redelivered(Block block) {
    account.redelivered(block.items());
  }

  /** Segments that are kept for a while are looked after by the writer. */
  private boolean isSettledSegmentLeft() {
    return account.settledMark() != deletedAtMark && settings.keepDelivered().isZero();
  }

  /** The checkpoint is forced first: items whose segment is gone must never look lost. */
  private void deleteSettled(SegmentQueue q) {
    long mark = account.settledMark();
    List<Integer> due =
        kept.due(account.settled(q.cycles()), clock.millis(), settings.keepDelivered());
    try {
      if (!due.isEmpty()) {
        account.force();
        q.delete(due);
      }
      deletedAtMark = mark;
    } catch (IOException e) {
      warn("cannot delete settled segments; trying again with the next block", e);
    }
  }

  // ---- showing

  @Override
  public LaneStatus status() {
    Totals unsettled = account.unsettled();
    Totals backlogged = account.backlog();
    SegmentQueue q = queue;
    Refusal refusal = refusal(1);
    return new LaneStatus(
        unsettled.items(),
        unsettled.blocks(),
        unsettled.bytes(),
        q == null ? 0 : q.reservedBytes(),
        unsettled.items() == 0 ? null : oldest(),
        refusal != null ? refusal.reason() : full,
        account.unsyncedBytes(),
        account.lastSync(),
        live.held() == null ? backlog.held() : live.held(),
        backlogged.items(),
        backlogged.bytes());
  }

  /** Of the oldest block in flight; if the backlog has none, of the next one to be read there. */
  private @Nullable Instant oldest() {
    Instant inFlight = account.oldestInFlight();
    if (inFlight != null) {
      return inFlight;
    }
    synchronized (reading) {
      SegmentQueue q = queue;
      BlockHeader next = q == null ? null : peek(q);
      return next == null ? null : Instant.ofEpochMilli(next.firstAccepted());
    }
  }

  private @Nullable BlockHeader peek(SegmentQueue q) {
    try {
      BlockHeader next = backlog.peek(q);
      return next == null ? live.peek(q) : next;
    } catch (IOException e) {
      return null;
    }
  }

  @Override
  public LaneLedger ledger() {
    return account.ledger();
  }

  // ---- dead letters

  @Override
  public boolean keep(DeadLetter letter) {
    return letters.keep(letter);
  }

  @Override
  public DeadLetterStatus deadLetters() {
    return letters.status();
  }

  void lookAfterLetters() {
    letters.lookAfter();
  }

  /** Writes the checkpoint through to the device. */
  void checkpoint() {
    account.force();
  }

  /** Writes what was handed over, for at most {@code timeout}, and closes the lane. */
  void close(Duration timeout) {
    handOver.close();
    try {
      if (writer.getState() != Thread.State.NEW && !writer.join(timeout)) {
        warn("closing while a write is still going on", new IOException("writer is busy"));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    synchronized (reading) {
      SegmentQueue q = queue;
      if (q != null) {
        forceLast(q);
        closeQueue(q);
      }
    }
    account.close();
    closeBooks();
    builder.close();
  }

  private void forceLast(SegmentQueue q) {
    try {
      force(q);
    } catch (IOException e) {
      warn("cannot write the last segment through to the device", e);
    }
  }

  @Override
  public void close() {
    close(Duration.ofSeconds(5));
  }
}
