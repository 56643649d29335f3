package io.spillway.receivers;

import java.time.Duration;

/**
 * How long one HTTP connection may keep the receiver waiting.
 *
 * @param head from the opening of the connection, or the last answer, until the next request's head
 *     is complete; so also how long an idle connection is kept
 * @param body from the head until the end of the body
 * @param write until the sender has taken the answer
 * @param linger until the sender closes a connection that we are done with
 */
record HttpTimeouts(Duration head, Duration body, Duration write, Duration linger) {
  static final HttpTimeouts DEFAULT =
      new HttpTimeouts(
          Duration.ofSeconds(60),
          Duration.ofSeconds(60),
          Duration.ofSeconds(30),
          Duration.ofSeconds(10));
}
