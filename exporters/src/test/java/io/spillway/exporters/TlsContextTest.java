package io.spillway.exporters;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufAllocator;
import io.spillway.otlp.tls.TestCertificates;
import io.spillway.otlp.tls.TlsConfigException;
import io.spillway.otlp.tls.TlsFiles;
import io.spillway.otlp.tls.TlsVersion;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class TlsContextTest {

  @Test
  void of_minVersion_speaksNothingOlder() throws Exception {
    assertThat(protocols(TlsVersion.TLS_1_2)).containsExactly("TLSv1.3", "TLSv1.2");
    assertThat(protocols(TlsVersion.TLS_1_3)).containsExactly("TLSv1.3");
  }

  private static String[] protocols(TlsVersion version) throws TlsConfigException {
    TlsConfig config =
        new TlsConfig(
            false,
            TestCertificates.localhost().certificate(),
            null,
            null,
            null,
            Duration.ZERO,
            version);
    return TlsContext.of(
            TlsFiles.read(config.paths()), config, TlsContext.Use.GRPC, HandshakeObserver.NONE)
        .context()
        .newEngine(ByteBufAllocator.DEFAULT)
        .getEnabledProtocols();
  }
}
