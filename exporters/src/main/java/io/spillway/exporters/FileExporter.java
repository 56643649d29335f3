package io.spillway.exporters;

import static java.util.Objects.requireNonNull;

import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.RetrySettings;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Appends requests to files, one sequence of files for each signal, and forces them to the disk
 * before it calls them delivered: those that wait together are forced together. One thread writes.
 * See {@link RequestFile} for the format.
 */
final class FileExporter implements Exporter {
  private static final int MAX_QUEUED = 256;

  /** Written and forced together, unless they are large. */
  private static final int MAX_GROUP = 64;

  private static final long MAX_GROUP_BYTES = 16L << 20;

  private final FileConfig config;
  private final Attempts attempts;
  private final BlockingQueue<Pending> queue = new ArrayBlockingQueue<>(MAX_QUEUED);
  private final ExecutorService writer;

  // Of the writer alone.
  private final Map<Signal, RequestFiles> files = new EnumMap<>(Signal.class);
  private final RequestRecord records;

  private record Pending(ExportRequest request, CompletableFuture<Outcome> attempt) {}

  FileExporter(FileConfig config, InstantSource clock) {
    this.config = config;
    this.attempts = new Attempts(config.id());
    this.records = new RequestRecord(config.format(), config.compression());
    for (Signal signal : Signal.values()) {
      files.put(signal, new RequestFiles(config, signal, clock));
    }
    // Its queue needs no bound of its own: a task is added only with what was queued.
    this.writer =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("spillway-" + config.id()).factory());
  }

  @Override
  public String id() {
    return config.id();
  }

  @Override
  public Codec codec() {
    return config.codec();
  }

  /** Files are members one after the other anyway. */
  @Override
  public GzipPassthrough gzipPassthrough() {
    return GzipPassthrough.ON;
  }

  @Override
  public int maxRequestBytes() {
    return Integer.MAX_VALUE;
  }

  @Override
  public RetrySettings retry() {
    return RetrySettings.DEFAULT;
  }

  /**
   * An attempt that is cancelled while its request is written may leave the request in the file.
   */
  @Override
  public CompletableFuture<Outcome> export(ExportRequest request) {
    CompletableFuture<Outcome> attempt = attempts.begin();
    if (attempt.isDone()) {
      return attempt;
    }
    if (!queue.offer(new Pending(request, attempt))) {
      attempt.complete(retry(MAX_QUEUED + " requests already wait for the disk"));
      return attempt;
    }
    try {
      writer.execute(this::writeGroup);
    } catch (RejectedExecutionException e) {
      attempt.complete(retry("exporter " + id() + " is closed"));
    }
    return attempt;
  }

  private static Outcome retry(String reason) {
    return new Outcome.Retry(null, ErrorClass.LOCAL, reason);
  }

  /** Writes what waits, of which an earlier group may have left nothing. */
  private void writeGroup() {
    Map<Signal, List<Pending>> group = new EnumMap<>(Signal.class);
    long bytes = 0;
    for (int i = 0; i < MAX_GROUP && bytes < MAX_GROUP_BYTES; i++) {
      Pending next = queue.poll();
      if (next == null) {
        break;
      }
      bytes += next.request.uncompressedLength();
      group.computeIfAbsent(next.request.signal(), _ -> new ArrayList<>()).add(next);
    }
    group.forEach(this::write);
  }

  private void write(Signal signal, List<Pending> group) {
    RequestFiles target = requireNonNull(files.get(signal));
    List<Pending> written = new ArrayList<>(group.size());
    Outcome outcome;
    try {
      RequestFile file = target.next();
      for (Pending pending : group) {
        ByteBuffer[] record = record(pending);
        if (record != null) {
          file.append(record);
          written.add(pending);
        }
      }
      if (!written.isEmpty()) {
        file.force();
      }
      outcome = new Outcome.Delivered();
    } catch (IOException | RuntimeException e) {
      target.close();
      outcome = new Outcome.SinkDown(ErrorClass.LOCAL, SinkWords.clean("cannot write: " + e));
    }
    // Those that did not get their turn share the fate of the one that failed.
    List<Pending> ended = outcome instanceof Outcome.Delivered ? written : group;
    for (Pending pending : ended) {
      pending.attempt.complete(outcome);
    }
  }

  /** Null if there is nothing to write: the attempt has ended, with or without us. */
  private ByteBuffer @Nullable [] record(Pending pending) {
    if (pending.attempt.isDone()) {
      return null;
    }
    try {
      return records.of(pending.request);
    } catch (MalformedRequestException | PayloadTooLargeException e) {
      pending.attempt.complete(new Outcome.BadData("the payload is damaged: " + e.getMessage()));
      return null;
    }
  }

  @Override
  public void close(Duration deadline) {
    attempts.close(deadline);
    if (!writer.isShutdown()) {
      writer.execute(
          () -> {
            files.values().forEach(RequestFiles::close);
            records.close();
          });
      writer.shutdown();
    }
  }
}
