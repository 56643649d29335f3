package io.spillway.receivers;

import io.spillway.config.Section;
import org.jspecify.annotations.Nullable;

/**
 * What a connection must pass before its protocol.
 *
 * @param tls null to serve unencrypted
 * @param auth null to take requests of anybody
 * @param maxConnections open at once; more are closed as they come
 */
record ListenerConfig(
    @Nullable TlsServerConfig tls, @Nullable AuthConfig auth, int maxConnections) {
  /** Far above what a relay has, far below what takes the memory of one. */
  static final int DEFAULT_MAX_CONNECTIONS = 20_000;

  private static final int MOST_CONNECTIONS = 1_000_000;

  /** Anybody may send, unencrypted. */
  static final ListenerConfig DEFAULT = new ListenerConfig(null, null, DEFAULT_MAX_CONNECTIONS);

  static ListenerConfig read(Section protocol) {
    return new ListenerConfig(
        TlsServerConfig.read(protocol),
        AuthConfig.read(protocol),
        protocol.integer("max_connections", DEFAULT_MAX_CONNECTIONS, 1, MOST_CONNECTIONS));
  }
}
