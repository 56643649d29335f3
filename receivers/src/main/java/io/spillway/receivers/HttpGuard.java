package io.spillway.receivers;

import io.spillway.config.Section;
import java.time.Duration;

/** What an HTTP connection must pass, and how long it may keep the receiver waiting. */
record HttpGuard(ListenerConfig listener, HttpTimeouts timeouts) {
  static final HttpGuard DEFAULT = new HttpGuard(ListenerConfig.DEFAULT, HttpTimeouts.DEFAULT);

  private static final Duration SHORTEST = Duration.ofMillis(100);
  private static final Duration LONGEST = Duration.ofHours(1);

  static HttpGuard read(Section protocol) {
    HttpTimeouts defaults = HttpTimeouts.DEFAULT;
    HttpTimeouts timeouts =
        new HttpTimeouts(
            protocol.duration("read_header_timeout", defaults.head(), SHORTEST, LONGEST),
            protocol.duration("read_timeout", defaults.body(), SHORTEST, LONGEST),
            protocol.duration("write_timeout", defaults.write(), SHORTEST, LONGEST),
            defaults.linger());
    return new HttpGuard(ListenerConfig.read(protocol), timeouts);
  }
}
