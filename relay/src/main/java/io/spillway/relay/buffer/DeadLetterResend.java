package io.spillway.relay.buffer;

import io.spillway.buffer.LetterContent;
import io.spillway.otlp.Codec;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DeadLetter;
import io.spillway.otlp.stage.Exporter;
import io.spillway.relay.buffer.BlockSender.SinkStoppedException;
import io.spillway.relay.buffer.LetterNames.Chosen;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Sends dead letters to an exporter, one after the other, and removes each that was taken whole.
 * For one use, on one thread.
 */
public final class DeadLetterResend {
  private final BlockSender sender;
  private final PrintWriter err;
  private long letters;
  private long items;
  private long left;

  /**
   * How it went.
   *
   * @param letters delivered and removed
   * @param items in them
   * @param left letters that are still there; for each it was said why
   * @param stopped why it ended early; null if it came to the end
   */
  public record Result(long letters, long items, long left, @Nullable String stopped) {
    public boolean isComplete() {
      return left == 0 && stopped == null;
    }
  }

  /**
   * @param retryFor how long one request is tried again
   */
  public DeadLetterResend(Exporter exporter, Duration retryFor, PrintWriter err) {
    this.sender = new BlockSender(exporter, retryFor, RandomGenerator.getDefault());
    this.err = err;
  }

  /** Sends the letters. */
  public Result run(List<Chosen> chosen) throws IOException, InterruptedException {
    for (int i = 0; i < chosen.size(); i++) {
      try {
        send(chosen.get(i));
      } catch (SinkStoppedException e) {
        left += chosen.size() - i;
        return new Result(letters, items, left, String.valueOf(e.getMessage()));
      }
    }
    return new Result(letters, items, left, null);
  }

  private void send(Chosen chosen) throws SinkStoppedException, IOException, InterruptedException {
    switch (chosen.letters().read(chosen.entry().id())) {
      case LetterContent.Unreadable(String why) -> keep(chosen, why);
      case LetterContent.Intact(DeadLetter letter, Instant when) -> {
        Signal signal = chosen.letters().lane().signal();
        try {
          settle(chosen, sender.send(block(signal, letter, when)));
        } catch (MalformedRequestException e) {
          keep(chosen, "malformed: " + e.getMessage());
        }
      }
    }
  }

  /** A letter that is taken in part stays whole: it is not known which items were refused. */
  private void settle(Chosen chosen, Tally tally) throws IOException {
    if (tally.notDelivered() > 0) {
      keep(
          chosen,
          "%,d of %,d items delivered, %,d rejected, %,d bad data, %,d too large"
              .formatted(
                  tally.delivered(),
                  tally.items(),
                  tally.rejected(),
                  tally.badData(),
                  tally.tooLarge()));
      return;
    }
    letters++;
    items += tally.delivered();
    var _ = chosen.letters().remove(chosen.entry().id());
  }

  private void keep(Chosen chosen, String why) {
    left++;
    err.println(chosen.entry().id() + " stays: " + why);
    err.flush();
  }

  private static Block block(Signal signal, DeadLetter letter, Instant when) {
    return new Block(
        signal,
        Codec.NONE,
        0,
        0,
        letter.items(),
        List.of(new Block.Request(letter.request().length(), letter.items(), letter.tenant())),
        letter.request().length(),
        letter.request(),
        when,
        when,
        true);
  }
}
