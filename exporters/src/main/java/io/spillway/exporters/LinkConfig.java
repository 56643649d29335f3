package io.spillway.exporters;

import io.spillway.config.Section;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How an exporter connects.
 *
 * @param proxy null to connect to the sink directly; never taken from the environment
 * @param dnsRefreshInterval how often the names of open connections are looked up again
 * @param maxConnections to one host and port, of {@code otlp_http}; gRPC needs one
 */
record LinkConfig(@Nullable ProxyAddress proxy, Duration dnsRefreshInterval, int maxConnections) {
  static final LinkConfig DEFAULT = new LinkConfig(null, Duration.ofSeconds(30), 32);

  /** The ephemeral ports of Linux to one address, by default, are fewer than 30 thousand. */
  private static final int MAX_CONNECTIONS = 1024;

  /**
   * @param http whether the exporter may have more than one connection
   */
  static LinkConfig read(Section exporter, boolean http) {
    return new LinkConfig(
        proxy(exporter),
        exporter.duration(
            "dns_refresh_interval",
            DEFAULT.dnsRefreshInterval,
            Duration.ofMillis(100),
            Duration.ofHours(1)),
        http
            ? exporter.integer("max_connections", DEFAULT.maxConnections, 1, MAX_CONNECTIONS)
            : DEFAULT.maxConnections);
  }

  private static @Nullable ProxyAddress proxy(Section exporter) {
    String text = exporter.optionalString("proxy_url");
    if (text == null || text.isEmpty()) {
      return null;
    }
    try {
      return ProxyAddress.parse(text.trim());
    } catch (IllegalArgumentException e) {
      exporter.problem(
          "proxy_url",
          (text.contains("@") ? "the URL" : "\"" + text + "\"") + " " + e.getMessage());
      return null;
    }
  }
}
