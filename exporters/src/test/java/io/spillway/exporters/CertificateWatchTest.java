package io.spillway.exporters;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.spillway.exporters.CertificateExpiry.Holder;
import io.spillway.otlp.LogLines;
import io.spillway.otlp.tls.TestCertificates;
import java.io.InputStream;
import java.nio.file.Files;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class CertificateWatchTest {
  private final LogLines log = new LogLines(CertificateWatch.class);
  private final X509Certificate certificate = certificate();
  private final Instant expires = certificate.getNotAfter().toInstant();
  private final AtomicReference<Instant> now = new AtomicReference<>(expires);
  private final Map<CertificateWatch.Key, Instant> warned = new ConcurrentHashMap<>();
  private final CertificateWatch watch = watch();

  private CertificateWatch watch() {
    return new CertificateWatch("otlp_grpc/eu", now::get, warned);
  }

  private static X509Certificate certificate() {
    try (InputStream in = Files.newInputStream(TestCertificates.localhost().certificate())) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @AfterEach
  void stop() {
    log.close();
  }

  @Test
  void check_farFromTheEnd_saysNothing() {
    now.set(expires.minus(CertificateWatch.SOON).minusSeconds(1));

    watch.saw(Holder.SINK, "localhost:1", certificate);
    watch.check();

    assertThat(log.at(Level.WARN)).isEmpty();
  }

  @Test
  void check_twoWeeksBefore_warnsOnceADay() {
    now.set(expires.minus(CertificateWatch.SOON));
    watch.saw(Holder.SINK, "localhost:1", certificate);
    assertThat(log.at(Level.WARN))
        .containsExactly(
            "exporter otlp_grpc/eu: the certificate of the sink (CN=localhost at localhost:1)"
                + " expires at "
                + expires
                + ", in 14 d 0 h. Connections fail from then on; renew it.");

    now.updateAndGet(at -> at.plus(Duration.ofHours(23)));
    watch.saw(Holder.SINK, "localhost:1", certificate);
    watch.check();
    watch().saw(Holder.SINK, "localhost:1", certificate); // after a reload
    assertThat(log.at(Level.WARN)).hasSize(1);

    now.updateAndGet(at -> at.plus(Duration.ofHours(1)));
    watch.check();
    assertThat(log.at(Level.WARN)).hasSize(2);
  }

  @Test
  void check_expired_warnsOfEachHolder() {
    now.set(expires.plus(Duration.ofHours(25)));

    watch.saw(Holder.CLIENT, "", certificate);
    watch.saw(Holder.TOKEN_ENDPOINT, "localhost:2", certificate);

    assertThat(log.at(Level.WARN))
        .hasSize(2)
        .first()
        .isEqualTo(
            "exporter otlp_grpc/eu: the certificate of this exporter (CN=localhost) expired at "
                + expires
                + ", 1 d 1 h ago. Connections fail from then on; renew it.");
  }

  @Test
  void expiries_severalPlaces_areTheEarliest() throws Exception {
    X509Certificate earlier;
    try (InputStream in = Files.newInputStream(TestCertificates.expired().certificate())) {
      earlier = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
    watch.saw(Holder.SINK, "a:1", certificate);
    watch.saw(Holder.SINK, "b:1", earlier);

    assertThat(watch.expiries())
        .containsExactly(
            new CertificateExpiry("otlp_grpc/eu", "sink", earlier.getNotAfter().toInstant()));

    watch.saw(Holder.SINK, "b:1", certificate);
    assertThat(watch.expiries())
        .containsExactly(new CertificateExpiry("otlp_grpc/eu", "sink", expires));
  }
}
