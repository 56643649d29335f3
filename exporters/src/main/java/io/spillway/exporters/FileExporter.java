package io.spillway.exporters;

import static java.util.Objects.requireNonNull;

import io.spillway.otlp.Codec;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.RetrySettings;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Appends requests to files, one sequence of files for each signal, and forces them to the disk
 * before it calls them delivered. One thread writes. See {@link RequestFile} for the format.
 */
final class FileExporter implements Exporter {
  /** A file is followed by the next one once it is this large. */
  static final long ROTATE_BYTES = 64L << 20;

  private static final int MAX_QUEUED = 256;

  private final FileConfig config;
  private final Attempts attempts;
  private final Map<Signal, RequestFiles> files = new EnumMap<>(Signal.class);
  private final ThreadPoolExecutor writer;

  /**
   * @param rotateBytes the size at which a file is followed by the next one
   */
  FileExporter(FileConfig config, InstantSource clock, long rotateBytes) {
    this.config = config;
    this.attempts = new Attempts(config.id());
    for (Signal signal : Signal.values()) {
      files.put(signal, new RequestFiles(config.directory(), signal, clock, rotateBytes));
    }
    this.writer =
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MAX_QUEUED),
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
    if (!attempt.isDone()) {
      try {
        writer.execute(() -> write(request, attempt));
      } catch (RejectedExecutionException e) {
        attempt.complete(
            new Outcome.Retry(
                null, ErrorClass.LOCAL, MAX_QUEUED + " requests already wait for the disk"));
      }
    }
    return attempt;
  }

  private void write(ExportRequest request, CompletableFuture<Outcome> attempt) {
    if (!attempt.isDone()) {
      attempt.complete(write(request));
    }
  }

  private Outcome write(ExportRequest request) {
    try {
      Slice protobuf =
          Decompression.decompress(
              request.codec(), request.payload(), request.uncompressedLength());
      requireNonNull(files.get(request.signal())).append(protobuf);
      return new Outcome.Delivered();
    } catch (IOException e) {
      return new Outcome.SinkDown(ErrorClass.LOCAL, SinkWords.clean(e.toString()));
    } catch (MalformedRequestException | PayloadTooLargeException e) {
      return new Outcome.BadData("the payload is damaged: " + e.getMessage());
    } catch (RuntimeException e) {
      return new Outcome.SinkDown(ErrorClass.LOCAL, "cannot write: " + e);
    }
  }

  @Override
  public void close(Duration deadline) {
    attempts.close(deadline);
    if (!writer.isShutdown()) {
      writer.execute(() -> files.values().forEach(RequestFiles::close));
      writer.shutdown();
    }
  }
}
