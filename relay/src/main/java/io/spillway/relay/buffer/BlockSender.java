package io.spillway.relay.buffer;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Block.Request;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.RetrySettings;
import io.spillway.otlp.wire.RequestSplitter;
import java.io.Serial;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Sends blocks to one exporter until the fate of each item is known: as stored if it can be, cut at
 * the boundaries of the original requests where the sink or {@code max_request_bytes} wants less,
 * and then between items. A request that is bad data among others goes alone, so that it does not
 * take its neighbours along. Safe on any thread.
 */
final class BlockSender {
  private final Exporter exporter;
  private final Duration retryFor;
  private final RandomGenerator random;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private volatile @Nullable String trouble;

  /** The sink takes nothing more. Carries no stack trace. */
  static final class SinkStoppedException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    SinkStoppedException(String reason) {
      super(reason, null, false, false);
    }
  }

  /**
   * @param retryFor how long one request is tried again while the sink says that it will take it
   */
  BlockSender(Exporter exporter, Duration retryFor, RandomGenerator random) {
    this.exporter = exporter;
    this.retryFor = retryFor;
    this.random = random;
  }

  /** Some original requests of a block, or a part of one. */
  private record Part(Slice bytes, List<Request> requests) {
    int items() {
      return requests.stream().mapToInt(Request::items).sum();
    }
  }

  /** Why the last attempt has to be made again; null if it need not. */
  @Nullable String trouble() {
    return trouble;
  }

  /** Attempts that wait to be made again end; others may finish. */
  void stop() {
    stopped.countDown();
  }

  /**
   * Sends a block.
   *
   * @throws SinkStoppedException if the sink is down, or told to wait for too long; some items may
   *     have been taken
   * @throws MalformedRequestException if the block must be cut and cannot be read
   */
  Tally send(Block block)
      throws SinkStoppedException, MalformedRequestException, InterruptedException {
    try (BlockCompressor compressor = new BlockCompressor()) {
      boolean asStored =
          exporter.takesAsStored(block) && fits(block.signal(), block.uncompressedLength());
      if (!asStored) {
        return send(block.signal(), whole(block), compressor);
      }
      ExportRequest stored =
          new ExportRequest(
              block.signal(),
              block.codec(),
              block.payload(),
              block.uncompressedLength(),
              block.items());
      Outcome outcome = attempt(stored);
      if (outcome instanceof Outcome.BadData && block.hasSendersGzip()) {
        // There is gzip that we can read and the sink cannot.
        return send(block.signal(), whole(block), compressor);
      }
      return outcome instanceof Outcome.Delivered delivered
          ? taken(stored, delivered)
          : sendSmaller(block.signal(), whole(block), outcome, compressor);
    }
  }

  /** What cannot be cut is tried as it is: the sink may take more than it is configured to. */
  private boolean fits(Signal signal, int length) {
    return length <= exporter.maxRequestBytes() || !signal.concatenates();
  }

  private static Part whole(Block block) throws MalformedRequestException {
    return new Part(StoredRequests.plain(block), block.requests());
  }

  private Tally send(Signal signal, Part part, BlockCompressor compressor)
      throws SinkStoppedException, MalformedRequestException, InterruptedException {
    Tally tally = Tally.NONE;
    Deque<Part> rest = new ArrayDeque<>(List.of(part));
    for (Part next = rest.poll(); next != null; next = rest.poll()) {
      if (!fits(signal, next.bytes.length())) {
        List<Part> smaller = cut(signal, next);
        tally = smaller.isEmpty() ? tally.plus(tooLarge(next)) : tally;
        prepend(rest, smaller);
        continue;
      }
      ExportRequest request =
          new ExportRequest(
              signal,
              exporter.codec(),
              compressor.compress(exporter.codec(), next.bytes),
              next.bytes.length(),
              next.items());
      Outcome outcome = attempt(request);
      tally =
          tally.plus(
              outcome instanceof Outcome.Delivered delivered
                  ? taken(request, delivered)
                  : sendSmaller(signal, next, outcome, compressor));
    }
    return tally;
  }

  /** What is left to do after an outcome that will not change. */
  private Tally sendSmaller(Signal signal, Part part, Outcome outcome, BlockCompressor compressor)
      throws SinkStoppedException, MalformedRequestException, InterruptedException {
    boolean tooLarge = outcome instanceof Outcome.TooLarge;
    List<Part> smaller =
        tooLarge ? cut(signal, part) : part.requests.size() > 1 ? each(part) : List.of();
    if (smaller.isEmpty()) {
      return tooLarge ? tooLarge(part) : new Tally(0, 0, part.items(), 0, 0, 0);
    }
    Tally tally = Tally.NONE;
    for (Part next : smaller) {
      tally = tally.plus(send(signal, next, compressor));
    }
    return tally;
  }

  private static void prepend(Deque<Part> rest, List<Part> parts) {
    parts.reversed().forEach(rest::addFirst);
  }

  private static Tally taken(ExportRequest request, Outcome.Delivered delivered) {
    long rejected = delivered.rejected();
    return new Tally(request.items() - rejected, rejected, 0, 0, 1, request.payload().length());
  }

  private static Tally tooLarge(Part part) {
    return new Tally(0, 0, 0, part.items(), 0, 0);
  }

  // ---- cutting

  private static List<Part> each(Part part) {
    List<Part> parts = new ArrayList<>();
    int offset = 0;
    for (Request request : part.requests) {
      if (request.items() > 0) {
        parts.add(new Part(part.bytes.sub(offset, request.length()), List.of(request)));
      }
      offset += request.length();
    }
    return parts;
  }

  /** Two or more smaller parts; empty if it is a single item. */
  private static List<Part> cut(Signal signal, Part part) {
    if (part.requests.size() == 1) {
      return signal.concatenates() ? cutRequest(signal, part) : List.of();
    }
    int middle = part.requests.size() / 2;
    List<Request> head = part.requests.subList(0, middle);
    int bytes = head.stream().mapToInt(Request::length).sum();
    return List.of(
        new Part(part.bytes.sub(0, bytes), head),
        new Part(
            part.bytes.sub(bytes, part.bytes.length() - bytes),
            part.requests.subList(middle, part.requests.size())));
  }

  /** Between items: in halves, or as near to that as one large item allows. */
  private static List<Part> cutRequest(Signal signal, Part part) {
    int length = part.bytes.length();
    for (int spared = length / 2; spared > 0; spared /= 2) {
      try {
        List<Part> parts =
            RequestSplitter.split(signal, part.bytes, length - spared).stream()
                .filter(p -> p.items() > 0)
                .map(p -> part(p.request(), p.items()))
                .toList();
        return parts.size() > 1 ? parts : List.of();
      } catch (PayloadTooLargeException _) {
        // One item with its resource takes more than this: allow it more.
      }
    }
    return List.of();
  }

  private static Part part(Slice request, int items) {
    return new Part(request, List.of(new Request(request.length(), items)));
  }

  // ---- attempts

  /** Tries until the outcome is one that trying again does not change. */
  private Outcome attempt(ExportRequest request) throws SinkStoppedException, InterruptedException {
    long deadline = System.nanoTime() + retryFor.toNanos();
    for (int failures = 1; ; failures++) {
      switch (outcome(request)) {
        case Outcome.SinkDown(var error, String reason) ->
            throw new SinkStoppedException(
                "%s is down (%s): %s".formatted(exporter.id(), error.label(), reason));
        case Outcome.Retry(Duration after, var _, String reason) -> {
          long pause = pauseNanos(failures, after);
          if (System.nanoTime() + pause - deadline > 0) {
            throw new SinkStoppedException(
                "%s told to wait for longer than --retry-for %s: %s"
                    .formatted(exporter.id(), Quantities.duration(retryFor), reason));
          }
          trouble = reason;
          if (stopped.await(pause, TimeUnit.NANOSECONDS)) {
            throw new SinkStoppedException(reason);
          }
        }
        case Outcome.Delivered delivered -> {
          trouble = null;
          return delivered;
        }
        case Outcome.TooLarge tooLarge -> {
          return tooLarge;
        }
        case Outcome.BadData badData -> {
          return badData;
        }
      }
    }
  }

  private Outcome outcome(ExportRequest request) throws InterruptedException {
    try {
      return exporter.export(request).get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(exporter.id() + " failed unexpectedly", e);
    }
  }

  /** What the sink asked for, but at least the exporter's own backoff. */
  private long pauseNanos(int failures, @Nullable Duration after) {
    RetrySettings retry = exporter.retry();
    double exact =
        Math.min(
            retry.maxInterval().toNanos(),
            retry.initialInterval().toNanos() * Math.pow(retry.multiplier(), failures - 1.0));
    double jitter = 1 + retry.randomizationFactor() * (2 * random.nextDouble() - 1);
    long own = Math.max(TimeUnit.MILLISECONDS.toNanos(10), (long) (exact * jitter));
    // A day is longer than any --retry-for makes sense of, and keeps sums in range.
    long asked = after == null ? 0 : Math.min(after.toSeconds(), 86_400) * 1_000_000_000L;
    return Math.max(own, asked);
  }
}
