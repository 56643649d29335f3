package io.spillway.exporters;

import io.spillway.exporters.AuthConfig.HeaderSecret;
import io.spillway.otlp.LogLimiter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The headers of one exporter, some of which stand in files. While requests are sent the files are
 * read again, at most once a second and never by who asks; a request may still go out with what was
 * there a moment ago. A file that cannot be read leaves its header as it was. Safe on any thread.
 */
final class SecretHeaders {
  private static final Logger log = LoggerFactory.getLogger(SecretHeaders.class);
  static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final String exporter;
  private final Headers fixed;
  private final Map<String, HeaderSecret> secrets;
  private final Executor reader;
  private final LongSupplier nanos;
  private final AtomicLong nextLook;
  private final boolean anyFile;
  private final LogLimiter complaints;
  private volatile Headers current;

  // Of the reader alone.
  private final Map<String, String> values = new LinkedHashMap<>();

  /**
   * Reads all files.
   *
   * @param reader runs what blocks
   * @param nanos a clock as {@link System#nanoTime}
   * @throws IOException if one cannot be read
   */
  SecretHeaders(
      String exporter,
      Headers fixed,
      Map<String, HeaderSecret> secrets,
      Executor reader,
      LongSupplier nanos)
      throws IOException {
    this.exporter = exporter;
    this.fixed = fixed;
    this.secrets = secrets;
    this.reader = reader;
    this.nanos = nanos;
    this.anyFile = secrets.values().stream().anyMatch(each -> each.secret() instanceof Secret.File);
    for (Map.Entry<String, HeaderSecret> each : secrets.entrySet()) {
      values.put(each.getKey(), each.getValue().secret().read());
    }
    this.current = assemble();
    this.nextLook = new AtomicLong(nanos.getAsLong() + LOOK_NANOS);
    this.complaints = new LogLimiter(nanos);
  }

  Headers current() {
    if (anyFile) {
      long now = nanos.getAsLong();
      long due = nextLook.get();
      if (now - due >= 0 && nextLook.compareAndSet(due, now + LOOK_NANOS)) {
        look();
      }
    }
    return current;
  }

  private void look() {
    try {
      reader.execute(this::readAgain);
    } catch (RejectedExecutionException e) {
      // The next look comes in a second.
    }
  }

  private synchronized void readAgain() {
    boolean changed = false;
    for (Map.Entry<String, HeaderSecret> each : secrets.entrySet()) {
      try {
        String now = each.getValue().secret().read();
        changed |= !now.equals(values.put(each.getKey(), now));
      } catch (IOException e) {
        complain(each.getKey(), e);
      }
    }
    if (changed) {
      current = assemble();
      log.info("exporter {}: a header changed in its file and is used from now on", exporter);
    }
  }

  private void complain(String header, IOException e) {
    complaints.log(
        suppressed ->
            log.error(
                "exporter {}: the header {} is not read anew: {}. The value read before stays in"
                    + " use; restore the file. ({} more like this)",
                exporter,
                header,
                e.getMessage(),
                suppressed));
  }

  private Headers assemble() {
    Map<String, String> all = new LinkedHashMap<>(fixed.values());
    List<String> parts = new ArrayList<>();
    secrets.forEach(
        (name, how) -> {
          String secret = String.valueOf(values.get(name));
          parts.add(secret);
          String value =
              switch (how.form()) {
                case AS_IT_IS -> secret;
                case BEARER -> "Bearer " + secret;
                case BASIC -> {
                  String encoded = basic(how.username(), secret);
                  parts.add(encoded);
                  yield "Basic " + encoded;
                }
              };
          all.put(name, value);
        });
    return new Headers(all, parts);
  }

  /** RFC 7617 §2. */
  private static String basic(String username, String password) {
    byte[] both = (username + ":" + password).getBytes(StandardCharsets.UTF_8);
    return Base64.getEncoder().encodeToString(both);
  }
}
