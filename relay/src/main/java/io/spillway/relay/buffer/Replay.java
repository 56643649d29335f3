package io.spillway.relay.buffer;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Exporter;
import io.spillway.relay.buffer.BlockSender.SinkStoppedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Sends copies of stored blocks to one exporter, a few at a time, and follows their fate in order,
 * so that it can say from which item to go on. Nothing is changed where they come from. For one
 * use, on one thread.
 */
public final class Replay {
  /** Blocks held in memory and on the way at once. */
  private static final int MAX_IN_FLIGHT = 4;

  private static final Duration TICK = Duration.ofMillis(200);

  /** How long blocks in flight may take to end once one was stopped; exporters have timeouts. */
  private static final Duration STOP_WITHIN = Duration.ofSeconds(60);

  private final long rate;
  private final ReplayProgress progress;
  private final PrintWriter err;
  private final BlockSender sender;
  private final Deque<Sending> inFlight = new ArrayDeque<>();
  private Tally tally = Tally.NONE;
  private long total;
  private long submitted;
  private long unreadable;
  private String next = "the start";
  private @Nullable Stop stop;

  private record Sending(String input, Block block, Future<Tally> fate) {}

  /**
   * Why it ended early.
   *
   * @param input name of the lane or folder
   * @param item from which to go on; everything before it is sent
   */
  public record Stop(String input, long item, String reason) {}

  /**
   * How it went.
   *
   * @param total items there were
   * @param delivered items that the sink took
   * @param rejected items that it refused within requests it took
   * @param badData items in requests that it calls malformed
   * @param tooLarge items that do not fit into a request it takes
   * @param requests that it took
   * @param bytes of payload in them
   * @param unreadable things that could not be read; each was said
   * @param stop null if it came to the end
   */
  public record Result(
      long total,
      long delivered,
      long rejected,
      long badData,
      long tooLarge,
      long requests,
      long bytes,
      long unreadable,
      @Nullable Stop stop) {

    /** Whether the sink took everything there was. */
    public boolean isComplete() {
      return stop == null && unreadable == 0 && rejected == 0 && badData == 0 && tooLarge == 0;
    }
  }

  /**
   * @param rate items a second; 0 for as fast as the sink takes them
   * @param retryFor how long one request is tried again
   */
  public Replay(
      Exporter exporter, long rate, Duration retryFor, ReplayProgress progress, PrintWriter err) {
    this.rate = rate;
    this.progress = progress;
    this.err = err;
    this.sender = new BlockSender(exporter, retryFor, RandomGenerator.getDefault());
  }

  /** Sends all inputs, one after the other. */
  public Result run(List<? extends ReplayInput> inputs) throws IOException, InterruptedException {
    for (ReplayInput input : inputs) {
      total += input.items();
    }
    long start = System.nanoTime();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      try {
        for (ReplayInput input : inputs) {
          if (stop == null) {
            send(input, threads, start);
          }
        }
      } finally {
        sender.stop(); // else closing would wait for those that wait to be tried again
        progress.end();
      }
      drainAfterStop();
    }
    return new Result(
        total,
        tally.delivered(),
        tally.rejected(),
        tally.badData(),
        tally.tooLarge(),
        tally.requests(),
        tally.bytes(),
        unreadable,
        stop);
  }

  private void send(ReplayInput input, ExecutorService threads, long start)
      throws IOException, InterruptedException {
    try (ReplayInput.Blocks blocks = input.open()) {
      for (Block b = blocks.next(); b != null && stop == null; b = blocks.next()) {
        Block block = b;
        awaitTurn(start);
        settle(MAX_IN_FLIGHT - 1);
        if (stop != null) {
          break;
        }
        submitted += block.items();
        inFlight.add(new Sending(input.name(), block, threads.submit(() -> sender.send(block))));
      }
      settle(0); // before the next input, so that items go on in order
      unreadable += blocks.unreadable();
    }
  }

  /** Waits until the items sent so far are due at the wanted rate. */
  private void awaitTurn(long start) throws InterruptedException {
    while (rate > 0 && stop == null) {
      long due = start + (long) (submitted * (1e9 / rate));
      long left = due - System.nanoTime();
      if (left <= 0) {
        return;
      }
      TimeUnit.NANOSECONDS.sleep(Math.min(left, TICK.toNanos()));
      show();
    }
  }

  /** Waits, oldest block first, until at most this many are in flight. */
  private void settle(int most) throws InterruptedException {
    while (stop == null && inFlight.size() > most) {
      Sending oldest = inFlight.element();
      try {
        tally = tally.plus(oldest.fate.get(TICK.toMillis(), TimeUnit.MILLISECONDS));
        inFlight.remove();
        next = oldest.input + " item " + (oldest.block.firstSequence() + oldest.block.items());
      } catch (TimeoutException e) {
        // Shown below, and asked again.
      } catch (ExecutionException e) {
        inFlight.remove();
        failed(oldest, e.getCause());
      }
      show();
    }
  }

  private void failed(Sending sending, @Nullable Throwable cause) {
    switch (cause) {
      case SinkStoppedException down ->
          stop =
              new Stop(
                  sending.input, sending.block.firstSequence(), String.valueOf(down.getMessage()));
      case MalformedRequestException malformed -> {
        unreadable++;
        err.printf(
            "%s: items from %d cannot be read: %s%n",
            sending.input, sending.block.firstSequence(), malformed.getMessage());
      }
      case null, default ->
          throw new IllegalStateException("sending " + sending.input + " failed", cause);
    }
  }

  /** What was under way when it stopped may still be taken, and then counts as delivered. */
  private void drainAfterStop() throws InterruptedException {
    long deadline = System.nanoTime() + STOP_WITHIN.toNanos();
    for (Sending sending = inFlight.poll(); sending != null; sending = inFlight.poll()) {
      try {
        long left = Math.max(0, deadline - System.nanoTime());
        tally = tally.plus(sending.fate.get(left, TimeUnit.NANOSECONDS));
      } catch (ExecutionException e) {
        // It was not taken: it comes after the item to go on from.
      } catch (TimeoutException e) {
        sending.fate.cancel(true);
      }
    }
  }

  private void show() {
    progress.show(tally, total, next, sender.trouble());
  }
}
