package io.spillway.relay.admin;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What operators may steer. Called on the admin server's threads. */
public interface AdminSteering {

  /**
   * Who wants something, why and for how long.
   *
   * @param who the name the caller gave, or its address
   * @param reason empty if none was given
   * @param lasts null for until it is taken back
   */
  record Wish(String who, String reason, @Nullable Duration lasts) {}

  /** What became of a wish. */
  sealed interface Reply {}

  /**
   * It is in force, and will be after a restart.
   *
   * @param body as JSON-ready map
   */
  record Done(Map<String, Object> body) implements Reply {}

  /** There is no such route or exporter. */
  record Unknown(String why) implements Reply {}

  /** It contradicts the configuration or what is in force. */
  record Refused(String why) implements Reply {}

  /**
   * Lets a route send to one exporter alone.
   *
   * @throws IOException if it could not be written down; then nothing was changed
   */
  Reply pin(String route, String exporter, Wish wish) throws IOException;

  /**
   * Ends a pin.
   *
   * @throws IOException as for {@link #pin}
   */
  Reply release(String route, Wish wish) throws IOException;

  /**
   * Lets no route use an exporter.
   *
   * @throws IOException as for {@link #pin}
   */
  Reply pause(String exporter, Wish wish) throws IOException;

  /**
   * Ends a pause.
   *
   * @throws IOException as for {@link #pin}
   */
  Reply resume(String exporter, Wish wish) throws IOException;
}
