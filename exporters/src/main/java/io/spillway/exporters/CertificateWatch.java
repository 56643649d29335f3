package io.spillway.exporters;

import io.spillway.exporters.CertificateExpiry.Holder;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When the certificates expire that one exporter has seen last, and its own. Warns, at most daily
 * for each, from two weeks before. Safe on any thread.
 */
final class CertificateWatch {
  private static final Logger log = LoggerFactory.getLogger(CertificateWatch.class);
  static final Duration SOON = Duration.ofDays(14);
  static final Duration BETWEEN_WARNINGS = Duration.ofDays(1);

  private final String exporter;
  private final InstantSource clock;
  private final Map<Key, Instant> warned;
  private final Map<Key, Seen> seen = new ConcurrentHashMap<>();

  /** Whose certificate, and where; places are those of the configuration, so they are few. */
  record Key(String exporter, Holder holder, String place) {}

  private record Seen(Instant expires, String subject) {}

  /**
   * @param warned when warnings were given; shared, so that a reload does not repeat them
   */
  CertificateWatch(String exporter, InstantSource clock, Map<Key, Instant> warned) {
    this.exporter = exporter;
    this.clock = clock;
    this.warned = warned;
  }

  /** Takes the certificate that is in use from now on. */
  void saw(Holder holder, String place, X509Certificate certificate) {
    Key key = new Key(exporter, holder, place);
    Seen now =
        new Seen(
            certificate.getNotAfter().toInstant(),
            SinkWords.clean(certificate.getSubjectX500Principal().getName()));
    seen.put(key, now);
    warn(key, now);
  }

  /** Warns of those that have come close to their end. */
  void check() {
    seen.forEach(this::warn);
  }

  private void warn(Key key, Seen certificate) {
    Instant now = clock.instant();
    if (now.plus(SOON).isBefore(certificate.expires)) {
      return;
    }
    warned.values().removeIf(at -> !now.isBefore(at.plus(BETWEEN_WARNINGS)));
    if (warned.putIfAbsent(key, now) != null) {
      return;
    }
    Duration left = Duration.between(now, certificate.expires);
    log.warn(
        "exporter {}: the certificate of {} ({}{}) {} {}, {}. Connections fail from then on; renew"
            + " it.",
        exporter,
        key.holder.words(),
        certificate.subject,
        key.place.isEmpty() ? "" : " at " + key.place,
        left.isPositive() ? "expires at" : "expired at",
        certificate.expires,
        left.isPositive()
            ? "in " + left.toDays() + " d " + left.toHoursPart() + " h"
            : left.negated().toDays() + " d " + left.negated().toHoursPart() + " h ago");
  }

  /** The earliest of each holder. */
  Stream<CertificateExpiry> expiries() {
    return Stream.of(Holder.values())
        .map(
            holder ->
                seen.entrySet().stream()
                    .filter(entry -> entry.getKey().holder == holder)
                    .map(entry -> entry.getValue().expires)
                    .min(Instant::compareTo)
                    .map(at -> new CertificateExpiry(exporter, holder.label(), at))
                    .orElse(null))
        .filter(Objects::nonNull);
  }
}
