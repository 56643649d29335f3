package io.spillway.buffer;

import net.openhft.chronicle.core.time.TimeProvider;
import net.openhft.chronicle.queue.RollCycle;
import net.openhft.chronicle.queue.rollcycles.RollCycleArithmetic;

/**
 * A roll cycle whose "time" is a counter: cycle N is segment N, whatever the clock says. The
 * appender asks for the current cycle at every append, so moving the counter on rolls the queue.
 *
 * <p>Chronicle parses cycle numbers out of file names as dates; cycle N is written as N seconds
 * after 1970. Numbers are contiguous, since Chronicle loops over every number between two segments.
 */
final class SizeRollCycle implements RollCycle {
  /** Parsed by no built-in cycle, so Chronicle cannot mistake it for one when metadata is lost. */
  static final String FORMAT = "yyyyMMdd-HHmmss'R'";

  /** 67 million records a segment, in index pages of 16 KiB. */
  private static final RollCycleArithmetic ARITHMETIC = RollCycleArithmetic.of(2048, 16);

  private volatile int cycle;

  SizeRollCycle(int firstCycle) {
    this.cycle = firstCycle;
  }

  int cycle() {
    return cycle;
  }

  /** Moves on to the next segment. On the appending thread, between two appends. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // one writer: the appending thread
  void roll() {
    cycle++;
  }

  @Override
  public int current(TimeProvider time, long epoch) {
    return cycle;
  }

  @Override
  public String format() {
    return FORMAT;
  }

  @Override
  public int lengthInMillis() {
    return 1000;
  }

  @Override
  public int defaultIndexCount() {
    return ARITHMETIC.indexCount();
  }

  @Override
  public int defaultIndexSpacing() {
    return ARITHMETIC.indexSpacing();
  }

  @Override
  public long toIndex(int cycle, long sequence) {
    return ARITHMETIC.toIndex(cycle, sequence);
  }

  @Override
  public long toSequenceNumber(long index) {
    return ARITHMETIC.toSequenceNumber(index);
  }

  @Override
  public int toCycle(long index) {
    return ARITHMETIC.toCycle(index);
  }

  @Override
  public long maxMessagesPerCycle() {
    return ARITHMETIC.maxMessagesPerCycle();
  }

  @Override
  public String toString() {
    return "SizeRollCycle[" + cycle + "]";
  }
}
