package io.spillway.otlp.tls;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.spillway.otlp.LogLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Looks, one by one. */
final class TlsReloadTest {
  private static final Duration INTERVAL = Duration.ofMinutes(5);
  private static final Duration SETTLE = Duration.ofSeconds(1);

  @TempDir Path folder;

  private final LogLines log = new LogLines(TlsReload.class);
  private final ScheduledExecutorService loop = Executors.newSingleThreadScheduledExecutor();
  private final AtomicLong nanos = new AtomicLong();
  private final List<TlsFiles> taken = new ArrayList<>();
  private final String first = read(TestCertificates.localhost().certificate());
  private final String second = read(TestCertificates.renewed().certificate());
  private Path ca;
  private TlsReload reload;

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @BeforeEach
  void start() throws Exception {
    ca = Files.writeString(folder.resolve("ca.pem"), first);
    TlsPaths paths = new TlsPaths("ca_file", ca, null, null);
    reload =
        new TlsReload(
            "exporters::x::tls",
            paths,
            INTERVAL,
            TlsFiles.read(paths),
            files -> {
              var _ = files.trust();
              taken.add(files);
            },
            loop,
            Runnable::run,
            nanos::get);
  }

  @AfterEach
  void stop() {
    reload.close();
    log.close();
    loop.shutdownNow();
  }

  @Test
  void look_unchanged_takesNothing() throws Exception {
    assertThat(reload.look()).isEqualTo(INTERVAL);

    Files.writeString(ca, first); // touched

    assertThat(reload.look()).isEqualTo(INTERVAL);
    assertThat(taken).isEmpty();
  }

  @Test
  void look_stillBeingWritten_takesItWhenItStaysTheSame() throws Exception {
    Files.writeString(ca, second.substring(0, 40));
    assertThat(reload.look()).isEqualTo(SETTLE);
    Files.writeString(ca, second);
    assertThat(reload.look()).isEqualTo(SETTLE);
    assertThat(taken).isEmpty();

    assertThat(reload.look()).isEqualTo(INTERVAL);

    assertThat(taken).hasSize(1);
    assertThat(reload.look()).isEqualTo(INTERVAL);
    assertThat(taken).hasSize(1);
    assertThat(log.at(Level.ERROR)).isEmpty();
  }

  @Test
  void look_bundleCutShort_isNotTaken() throws Exception {
    Files.writeString(ca, first + second.substring(0, second.length() / 2));

    reload.look();
    reload.look();

    assertThat(taken).isEmpty();
    assertThat(log.at(Level.ERROR)).hasSize(1);
  }

  @Test
  void look_missing_isReportedAtMostEveryTenSeconds() throws Exception {
    Files.delete(ca);
    assertThat(reload.look()).isEqualTo(SETTLE);
    assertThat(log.at(Level.ERROR)).isEmpty();

    reload.look();
    reload.look();
    nanos.addAndGet(TimeUnit.SECONDS.toNanos(10));
    reload.look();

    String text =
        "exporters::x::tls::ca_file: cannot read "
            + ca
            + " (NoSuchFileException). What was read before stays in use, and the files are looked"
            + " at again; correct them. (%d more like this)";
    assertThat(log.at(Level.ERROR)).containsExactly(text.formatted(0), text.formatted(1));
    Files.writeString(ca, second);
    assertThat(reload.isFailing()).isTrue();
    reload.look();
    reload.look();
    assertThat(taken).hasSize(1);
    assertThat(reload.isFailing()).isFalse();
  }
}
