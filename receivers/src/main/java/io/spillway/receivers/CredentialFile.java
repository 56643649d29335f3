package io.spillway.receivers;

import io.spillway.otlp.LogLimiter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file of credentials, looked at again and again. What has changed is taken when the next look
 * finds the same: files are often written in place, and a sender that is refused because of half a
 * token drops its data. Looks come one at a time; the answers are safe on any thread.
 */
final class CredentialFile implements AutoCloseable {
  static final Duration LOOK_INTERVAL = Duration.ofSeconds(1);
  static final int MAX_BYTES = 256 << 10;

  private static final Logger LOG = LoggerFactory.getLogger(OtlpReceiver.class);

  private final String path;
  private final AuthConfig config;
  private final LogLimiter complaints;
  private Content taken;
  private Content seen;
  private volatile @Nullable CredentialSet current;
  private volatile @Nullable Future<?> looks;

  /** What a look found: the text, or what kept it from being read. */
  private record Content(String text, String trouble) {
    @Override
    public String toString() {
      return "Content";
    }
  }

  /**
   * Looks for the first time.
   *
   * @param path of the configuration, for messages
   * @param nanos a clock as {@link System#nanoTime}
   */
  CredentialFile(String path, AuthConfig config, LongSupplier nanos) {
    this.path = path;
    this.config = config;
    this.complaints = new LogLimiter(nanos);
    this.taken = content();
    this.seen = taken;
    this.current = parse(taken);
  }

  /** Looks at intervals from now on. To be called once. */
  void start(ScheduledExecutorService files) {
    long interval = LOOK_INTERVAL.toNanos();
    looks = files.scheduleWithFixedDelay(this::look, interval, interval, TimeUnit.NANOSECONDS);
  }

  /** Null while nobody can say who may send. */
  @Nullable CredentialSet current() {
    return current;
  }

  void look() {
    Content now = content();
    boolean settled = now.equals(seen);
    seen = now;
    if (current == null && now.equals(taken)) {
      complain(now);
    }
    if (!settled || now.equals(taken)) {
      return;
    }
    taken = now;
    CredentialSet parsed = parse(now);
    current = parsed;
    if (parsed != null) {
      LOG.info("{}: the file changed. Its credentials count from now on.", path);
    }
  }

  private Content content() {
    try {
      return new Content(read(config.file()), "");
    } catch (IOException e) {
      return new Content("", String.valueOf(e.getMessage()));
    }
  }

  /**
   * What stands in a file.
   *
   * @throws IOException saying why it cannot be read
   */
  static String read(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (IOException e) {
      throw new IOException("cannot read " + file + " (" + e.getClass().getSimpleName() + ")", e);
    }
    if (bytes.length > MAX_BYTES) {
      throw new IOException(file + " is larger than 256 KiB (expected credentials)");
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private @Nullable CredentialSet parse(Content content) {
    if (content.trouble.isEmpty()) {
      try {
        return CredentialSet.parse(config, content.text);
      } catch (IOException e) {
        complain(String.valueOf(e.getMessage()));
        return null;
      }
    }
    complain(content.trouble);
    return null;
  }

  private void complain(Content content) {
    complain(content.trouble.isEmpty() ? "it holds no usable credentials" : content.trouble);
  }

  private void complain(String what) {
    complaints.log(
        suppressed ->
            LOG.error(
                "{}: {}. Senders are asked to come back (UNAVAILABLE, 503) until it is restored."
                    + " ({} more like this)",
                path,
                what,
                suppressed));
  }

  @Override
  public void close() {
    Future<?> running = looks;
    if (running != null) {
      running.cancel(false);
    }
  }
}
