package io.spillway.relay.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.exporters.CertificateExpiry;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CertificateMeterTest {
  private static final String NAME = "spillway_exporter_certificate_expiry_seconds";
  private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");

  private final Meters meters = new Meters(InstantSource.fixed(NOW));
  private final List<CertificateExpiry> known = new ArrayList<>();

  private List<String> rows() {
    return meters.scrape().lines().filter(line -> line.startsWith(NAME)).toList();
  }

  @Test
  void scrape_certificatesComeAndGo_hasARowForEachThatIsKnown() {
    assertThat(rows()).isEmpty();
    meters.certificates(() -> List.copyOf(known));
    assertThat(rows()).isEmpty();

    known.add(new CertificateExpiry("otlp_grpc/eu", "sink", NOW.plusSeconds(90)));
    known.add(new CertificateExpiry("otlp_grpc/eu", "client", NOW.minusSeconds(5)));
    assertThat(rows())
        .containsExactlyInAnyOrder(
            NAME + "{exporter=\"otlp_grpc/eu\",holder=\"sink\"} 90.0",
            NAME + "{exporter=\"otlp_grpc/eu\",holder=\"client\"} -5.0");

    known.removeFirst();
    assertThat(rows()).containsExactly(NAME + "{exporter=\"otlp_grpc/eu\",holder=\"client\"} -5.0");
  }
}
