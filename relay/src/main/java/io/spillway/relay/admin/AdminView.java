package io.spillway.relay.admin;

import java.util.Map;

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
}
