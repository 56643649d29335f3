package io.spillway.routing.egress;

import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DeadLetter;
import io.spillway.otlp.stage.DeadLetterStatus;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.LaneLedger;
import io.spillway.otlp.stage.LaneStatus;
import io.spillway.otlp.stage.Settlement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** A lane in memory that is as strict about settling as the real one. */
final class FakeLane implements Lane {
  private static final int STEP_MILLIS = 10;
  static final LaneId ID = new LaneId("payments", Signal.LOGS);

  final Map<Long, Settlement> settled = new ConcurrentHashMap<>();
  final List<Long> redelivered = new CopyOnWriteArrayList<>();
  final LinkedBlockingQueue<Block> stored = new LinkedBlockingQueue<>();
  final LinkedBlockingQueue<Block> backlog = new LinkedBlockingQueue<>();
  private final Semaphore wakes = new Semaphore(0);
  volatile RuntimeException pollFailure;
  volatile boolean backlogUnreadable;
  volatile long givenUpBelow;
  final List<DeadLetter> letters = new CopyOnWriteArrayList<>();
  volatile boolean keepsLetters = true;

  @Override
  public LaneId id() {
    return ID;
  }

  @Override
  public Block poll(Duration timeout) throws InterruptedException {
    RuntimeException failure = pollFailure;
    if (failure != null) {
      pollFailure = null;
      throw failure;
    }
    Block block = stored.poll();
    for (long end = System.nanoTime() + timeout.toNanos();
        block == null && System.nanoTime() < end && !wakes.tryAcquire(); ) {
      block = stored.poll(STEP_MILLIS, TimeUnit.MILLISECONDS);
    }
    return block;
  }

  @Override
  public void wake() {
    wakes.release();
  }

  @Override
  public boolean setAside() {
    return stored.drainTo(backlog) > 0;
  }

  @Override
  public Block pollBacklog() {
    return backlogUnreadable ? null : backlog.poll();
  }

  @Override
  public boolean hasBacklog() {
    return !backlog.isEmpty();
  }

  @Override
  public void settle(Block block, Settlement settlement) {
    if (settlement.items() != block.items()) {
      throw new IllegalArgumentException(settlement + " is not of " + block.items() + " items");
    }
    if (settled.putIfAbsent(block.index(), settlement) != null) {
      throw new IllegalArgumentException("block " + block.index() + " is settled already");
    }
  }

  @Override
  public void redelivered(Block block) {
    redelivered.add(block.index());
  }

  @Override
  public long givenUpBelow() {
    return givenUpBelow;
  }

  @Override
  public void codec(Codec codec) {}

  @Override
  public void gzipPassthrough(GzipPassthrough passthrough) {}

  @Override
  public Refusal refusal(long bytes) {
    throw new UnsupportedOperationException("not used by the egress");
  }

  @Override
  public void append(
      RequestBytes request, int items, int sampledOut, String tenant, AppendCallback callback) {
    throw new UnsupportedOperationException("not used by the egress");
  }

  @Override
  public int maxAppendBytes() {
    throw new UnsupportedOperationException("not used by the egress");
  }

  @Override
  public boolean keep(DeadLetter letter) {
    letters.add(letter);
    return keepsLetters;
  }

  @Override
  public DeadLetterStatus deadLetters() {
    throw new UnsupportedOperationException("not used by the egress");
  }

  @Override
  public LaneStatus status() {
    throw new UnsupportedOperationException("not used by the egress");
  }

  @Override
  public LaneLedger ledger() {
    throw new UnsupportedOperationException("not used by the egress");
  }
}
