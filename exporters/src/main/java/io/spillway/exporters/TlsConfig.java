package io.spillway.exporters;

import io.spillway.otlp.tls.TlsPaths;
import io.spillway.otlp.tls.TlsVersion;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a sink proves who it is, and the exporter likewise. Files are PEM.
 *
 * @param skipVerify takes any certificate of any host
 * @param caFile certificates to trust instead of the JDK's
 * @param certFile the exporter's own certificate chain; given together with {@code keyFile}
 * @param keyFile its private key, PKCS#8, not encrypted
 * @param serverName the name expected in the sink's certificate, instead of the endpoint's host
 * @param reloadInterval how often the files are looked at again; zero for never
 * @param minVersion the oldest version of TLS that is spoken
 */
record TlsConfig(
    boolean skipVerify,
    @Nullable Path caFile,
    @Nullable Path certFile,
    @Nullable Path keyFile,
    @Nullable String serverName,
    Duration reloadInterval,
    TlsVersion minVersion) {

  static final TlsConfig DEFAULT =
      new TlsConfig(false, null, null, null, null, Duration.ofMinutes(1), TlsVersion.TLS_1_2);

  /** Whether anything is set, which makes no sense without TLS. */
  boolean isSet() {
    return !equals(DEFAULT);
  }

  /** The files to be read. */
  TlsPaths paths() {
    return new TlsPaths("ca_file", skipVerify ? null : caFile, certFile, keyFile);
  }
}
