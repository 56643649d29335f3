package io.spillway.receivers;

import io.spillway.config.Durations;
import io.spillway.config.Section;
import io.spillway.otlp.tls.TlsConfigException;
import io.spillway.otlp.tls.TlsFiles;
import io.spillway.otlp.tls.TlsPaths;
import io.spillway.otlp.tls.TlsVersion;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a listener proves who it is, and what it asks of senders. Files are PEM.
 *
 * @param certFile the listener's certificate chain
 * @param keyFile its private key, PKCS#8, not encrypted
 * @param clientCaFile who must have signed the certificate of a sender; null to ask for none
 * @param minVersion the oldest version of TLS that is spoken
 * @param cipherSuites of TLS 1.2, by their IANA names; empty for the library's choice
 * @param reloadInterval how often the files are looked at again; zero for never
 */
record TlsServerConfig(
    Path certFile,
    Path keyFile,
    @Nullable Path clientCaFile,
    TlsVersion minVersion,
    List<String> cipherSuites,
    Duration reloadInterval) {

  static final Duration DEFAULT_RELOAD_INTERVAL = Duration.ofMinutes(1);
  private static final Duration MIN_RELOAD_INTERVAL = Duration.ofMillis(100);

  /** Reads {@code tls}; null if that is not written, or if it cannot be used. */
  static @Nullable TlsServerConfig read(Section protocol) {
    boolean written = protocol.keys().contains("tls");
    Section tls = protocol.section("tls");
    Path cert = path(tls, "cert_file");
    Path key = path(tls, "key_file");
    Path clientCa = path(tls, "client_ca_file");
    TlsVersion version = version(tls);
    List<String> suites = tls.strings("cipher_suites");
    Duration interval = reloadInterval(tls);
    if (!written) {
      return null;
    }
    if (cert == null || key == null) {
      tls.problem(
          "", "needs cert_file and key_file (expected both, or no tls to serve unencrypted)");
      return null;
    }
    TlsServerConfig config = new TlsServerConfig(cert, key, clientCa, version, suites, interval);
    try {
      var _ = ServerTls.context(TlsFiles.read(config.paths()), config, ServerTls.Use.HTTP);
    } catch (TlsConfigException e) {
      tls.problem(e.key(), e.text());
    }
    return config;
  }

  TlsServerConfig {
    cipherSuites = List.copyOf(cipherSuites);
  }

  /** The files to be read. */
  TlsPaths paths() {
    return new TlsPaths("client_ca_file", clientCaFile, certFile, keyFile);
  }

  private static @Nullable Path path(Section tls, String key) {
    String text = tls.optionalString(key);
    try {
      return text == null ? null : Path.of(text);
    } catch (InvalidPathException e) {
      tls.problem(key, "\"" + text + "\" is not a path (expected a PEM file)");
      return null;
    }
  }

  private static TlsVersion version(Section tls) {
    String text = tls.string("min_version", TlsVersion.TLS_1_2.text());
    TlsVersion version = TlsVersion.parse(text);
    if (version == null) {
      tls.problem("min_version", "\"" + text + "\" (expected 1.2 or 1.3)");
      return TlsVersion.TLS_1_2;
    }
    return version;
  }

  private static Duration reloadInterval(Section tls) {
    String key = "reload_interval";
    Duration interval =
        tls.duration(key, DEFAULT_RELOAD_INTERVAL, Duration.ZERO, Duration.ofDays(1));
    if (interval.isPositive() && interval.compareTo(MIN_RELOAD_INTERVAL) < 0) {
      tls.problem(
          key, Durations.format(interval) + " is too short (expected 0 for never, or >= 100ms)");
      return DEFAULT_RELOAD_INTERVAL;
    }
    return interval;
  }
}
