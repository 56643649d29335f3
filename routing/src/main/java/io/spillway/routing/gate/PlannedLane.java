package io.spillway.routing.gate;

import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DeadLetter;
import io.spillway.otlp.stage.DeadLetterStatus;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.LaneLedger;
import io.spillway.otlp.stage.LaneStatus;
import io.spillway.otlp.stage.Settlement;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A lane that requests are planned for and that stores none: all it knows is its name. */
record PlannedLane(LaneId id) implements Lane {
  @Override
  public int maxAppendBytes() {
    return Integer.MAX_VALUE;
  }

  private static UnsupportedOperationException storesNothing() {
    return new UnsupportedOperationException("this lane stores nothing");
  }

  @Override
  public void codec(Codec codec) {
    throw storesNothing();
  }

  @Override
  public void gzipPassthrough(GzipPassthrough passthrough) {
    throw storesNothing();
  }

  @Override
  public @Nullable Refusal refusal(long bytes) {
    throw storesNothing();
  }

  @Override
  public void append(
      RequestBytes request, int items, int sampledOut, String tenant, AppendCallback callback) {
    throw storesNothing();
  }

  @Override
  public @Nullable Block poll(Duration timeout) {
    throw storesNothing();
  }

  @Override
  public boolean setAside() {
    throw storesNothing();
  }

  @Override
  public @Nullable Block pollBacklog() {
    throw storesNothing();
  }

  @Override
  public void settle(Block block, Settlement settlement) {
    throw storesNothing();
  }

  @Override
  public long givenUpBelow() {
    throw storesNothing();
  }

  @Override
  public void redelivered(Block block) {
    throw storesNothing();
  }

  @Override
  public boolean keep(DeadLetter letter) {
    throw storesNothing();
  }

  @Override
  public DeadLetterStatus deadLetters() {
    throw storesNothing();
  }

  @Override
  public boolean hasBacklog() {
    throw storesNothing();
  }

  @Override
  public void wake() {
    throw storesNothing();
  }

  @Override
  public LaneStatus status() {
    throw storesNothing();
  }

  @Override
  public LaneLedger ledger() {
    throw storesNothing();
  }
}
