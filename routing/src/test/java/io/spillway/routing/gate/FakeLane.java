package io.spillway.routing.gate;

import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Slice;
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
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A lane in memory that keeps what is appended and says what it is told to say. */
final class FakeLane implements Lane {
  record Append(
      Slice request,
      @Nullable Slice gzip,
      int items,
      int sampledOut,
      String tenant,
      AppendCallback callback) {}

  enum Mode {
    STORE,
    HOLD,
    REFUSE,
    THROW,
    STORE_AND_THROW
  }

  final List<Append> appends = new CopyOnWriteArrayList<>();
  private final LaneId id;
  volatile Mode mode = Mode.STORE;
  volatile Refusal full;
  volatile Refusal refusal = new Refusal(Duration.ofSeconds(1), "full");
  volatile int maxAppendBytes = 1 << 20;

  FakeLane(LaneId id) {
    this.id = id;
  }

  @Override
  public LaneId id() {
    return id;
  }

  @Override
  public Refusal refusal(long bytes) {
    return full;
  }

  @Override
  public void append(
      RequestBytes request, int items, int sampledOut, String tenant, AppendCallback callback) {
    if (request.length() > maxAppendBytes) {
      throw new AssertionError(request.length() + " bytes (expected at most " + maxAppendBytes);
    }
    appends.add(new Append(request.plain(), request.gzip(), items, sampledOut, tenant, callback));
    switch (mode) {
      case STORE -> callback.appended();
      case HOLD -> {}
      case REFUSE -> callback.refused(refusal);
      case THROW -> throw new IllegalStateException("thrown on purpose");
      case STORE_AND_THROW -> {
        callback.appended();
        throw new IllegalStateException("thrown on purpose");
      }
    }
  }

  @Override
  public int maxAppendBytes() {
    return maxAppendBytes;
  }

  @Override
  public void codec(Codec codec) {
    throw new AssertionError("the gate does not choose codecs");
  }

  @Override
  public void gzipPassthrough(GzipPassthrough passthrough) {
    throw new AssertionError("the gate does not choose codecs");
  }

  @Override
  public Block poll(Duration timeout) {
    throw new AssertionError("the gate does not read");
  }

  @Override
  public boolean hasBacklog() {
    throw new UnsupportedOperationException("not used by the gate");
  }

  @Override
  public void wake() {
    throw new UnsupportedOperationException("not used by the gate");
  }

  @Override
  public boolean setAside() {
    throw new AssertionError("the gate does not read");
  }

  @Override
  public Block pollBacklog() {
    throw new AssertionError("the gate does not read");
  }

  @Override
  public void settle(Block block, Settlement settlement) {
    throw new AssertionError("the gate does not settle");
  }

  @Override
  public void redelivered(Block block) {
    throw new AssertionError("the gate does not deliver");
  }

  @Override
  public long givenUpBelow() {
    throw new AssertionError("the gate does not deliver");
  }

  @Override
  public boolean keep(DeadLetter letter) {
    throw new UnsupportedOperationException("not used by the gate");
  }

  @Override
  public DeadLetterStatus deadLetters() {
    throw new UnsupportedOperationException("not used by the gate");
  }

  @Override
  public LaneStatus status() {
    throw new AssertionError("the gate does not look");
  }

  @Override
  public LaneLedger ledger() {
    throw new AssertionError("the gate does not look");
  }
}
