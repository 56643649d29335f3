package io.spillway.otlp.tls;

import io.spillway.otlp.LogLimiter;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the files of one TLS configuration at intervals, and hands them on when their content
 * has changed. What has changed is read twice, a moment apart, and taken only when it stays the
 * same: files are often written in place, and certificate and key one after the other. What cannot
 * be used leaves everything as it is.
 *
 * <p>One look at a time, on a thread of the reader; the fields belong to it.
 */
public final class TlsReload implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TlsReload.class);

  /** Between the two looks at what has changed; less if the interval is. */
  private static final Duration SETTLE = Duration.ofSeconds(1);

  private final String path;
  private final TlsPaths paths;
  private final Duration interval;
  private final Taker taker;
  private final ScheduledExecutorService loop;
  private final Executor reader;
  private final LogLimiter complaints;
  private final Duration settle;
  private TlsFiles current;
  private @Nullable TlsFiles candidate;
  private boolean unreadable;
  private volatile boolean failing;
  private volatile boolean closed;
  private volatile @Nullable Future<?> next;

  /** Uses files from now on. */
  public interface Taker {
    /**
     * @throws TlsConfigException if they cannot be used; then nothing has changed
     */
    void take(TlsFiles files) throws TlsConfigException;
  }

  /**
   * @param path of the configuration, for messages
   * @param interval between two looks, positive
   * @param current what is in use
   * @param loop keeps the time
   * @param reader runs what blocks
   * @param nanos a clock as {@link System#nanoTime}
   */
  public TlsReload(
      String path,
      TlsPaths paths,
      Duration interval,
      TlsFiles current,
      Taker taker,
      ScheduledExecutorService loop,
      Executor reader,
      LongSupplier nanos) {
    this.path = path;
    this.paths = paths;
    this.interval = interval;
    this.current = current;
    this.taker = taker;
    this.loop = loop;
    this.reader = reader;
    this.complaints = new LogLimiter(nanos);
    this.settle = SETTLE.compareTo(interval) < 0 ? SETTLE : interval;
  }

  /** Looks for the first time after one interval. To be called once. */
  public void start() {
    lookIn(interval);
  }

  private void lookIn(Duration wait) {
    if (closed || loop.isShutdown()) {
      return;
    }
    try {
      next = loop.schedule(this::begin, wait.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      // The loop is shutting down, and with it all connections.
    }
  }

  private void begin() {
    try {
      reader.execute(this::lookAndGoOn);
    } catch (RejectedExecutionException e) {
      lookIn(interval); // the reader has too much to do
    }
  }

  private void lookAndGoOn() {
    Duration wait = interval;
    try {
      wait = closed ? wait : look();
    } catch (RuntimeException e) {
      log.error("{}: files were not reloaded. What was read before stays in use.", path, e);
    }
    lookIn(wait);
  }

  /** Looks, and says when to look again. */
  Duration look() {
    TlsFiles found;
    try {
      found = TlsFiles.read(paths);
    } catch (TlsConfigException e) {
      return cannotRead(e);
    }
    unreadable = false;
    if (found.isSameAs(current)) {
      failing = false;
      candidate = null;
      return interval;
    }
    if (!found.isSameAs(candidate)) {
      candidate = found;
      return settle;
    }
    take(found);
    return interval;
  }

  /** A file may be missing for a moment while it is replaced. */
  private Duration cannotRead(TlsConfigException e) {
    if (!unreadable) {
      unreadable = true;
      return settle;
    }
    complain(e);
    return interval;
  }

  private void take(TlsFiles found) {
    try {
      taker.take(found);
    } catch (TlsConfigException e) {
      complain(e); // it stays the candidate, and is tried again
      return;
    }
    current = found;
    candidate = null;
    failing = false;
    log.info("{}: files changed. New connections use them.", path);
  }

  /** Whether the files as they are now cannot be used, so that older ones are. On any thread. */
  public boolean isFailing() {
    return failing;
  }

  private void complain(TlsConfigException e) {
    failing = true;
    complaints.log(
        suppressed ->
            log.error(
                "{}{}: {}. What was read before stays in use, and the files are looked at"
                    + " again; correct them. ({} more like this)",
                path,
                e.key().isEmpty() ? "" : "::" + e.key(),
                e.text(),
                suppressed));
  }

  @Override
  public void close() {
    closed = true;
    Future<?> waiting = next;
    if (waiting != null) {
      waiting.cancel(false);
    }
  }
}
