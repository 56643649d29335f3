package io.spillway.relay.admin;

import java.io.IOException;
import java.util.Map;
import java.util.OptionalLong;

/** What the admin server shows. Called on its threads; each call reads the present state. */
public interface AdminView {

  /** Whether senders are served: the receivers are bound and the lanes are open. */
  boolean ready();

  /** The meters in Prometheus text format 0.0.4. */
  String metrics();

  /** The body of {@code /api/v1/status}, as JSON-ready maps and lists. */
  Map<String, Object> status();

  /** The body of {@code /api/v1/ledger}, as JSON-ready maps and lists. */
  Map<String, Object> ledger();

  /**
   * Gives up everything that a lane holds, counted as dropped by an operator.
   *
   * @param lane {@code route/signal}
   * @return how many items; empty if there is no such lane
   * @throws IOException if the lane cannot be written now; the message says why
   */
  OptionalLong drop(String lane) throws IOException;

  /** What operators may steer. */
  AdminSteering steering();
}
