package io.spillway.exporters;

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
    Version minVersion) {

  static final TlsConfig DEFAULT =
      new TlsConfig(false, null, null, null, null, Duration.ofMinutes(1), Version.TLS_1_2);

  /** A version of TLS. */
  enum Version {
    TLS_1_2("1.2", "TLSv1.3", "TLSv1.2"),
    TLS_1_3("1.3", "TLSv1.3");

    private final String text;
    private final String names;

    Version(String text, String... names) {
      this.text = text;
      this.names = String.join(",", names);
    }

    /** As it is written in the configuration. */
    String text() {
      return text;
    }

    /** What is spoken if this is the oldest, in the JDK's names, best first. */
    String[] protocols() {
      return names.split(",", -1);
    }
  }

  /** Whether anything is set, which makes no sense without TLS. */
  boolean isSet() {
    return !equals(DEFAULT);
  }

  /** Whether there are files that may change. */
  boolean hasFiles() {
    return (caFile != null && !skipVerify) || certFile != null;
  }
}
