package io.spillway.relay.telemetry;

import java.util.List;

/**
 * Every meter, with its unit, its tags and its meaning. Item counts obey, per lane: {@code routed =
 * sampled_out + delivered + rejected + dropped + buffered}; per receiver: {@code requests =
 * accepted + invalid + not_served + too_large + unavailable}.
 */
public enum Meter {
  RECEIVER_REQUESTS(
      "spillway.receiver.requests",
      "requests",
      "Requests answered, by outcome.",
      "signal",
      "transport",
      "outcome"),
  RECEIVER_ITEMS(
      "spillway.receiver.items",
      "items",
      "Items in requests answered, as far as they could be counted; those that were rejected of an"
          + " accepted request are invalid.",
      "signal",
      "transport",
      "outcome"),
  RECEIVER_INVALID(
      "spillway.receiver.invalid",
      "items",
      "Items that strict sinks refuse the whole request for, by what is wrong with them, and"
          + " whether they were rejected or passed.",
      "signal",
      "reason",
      "action"),
  RECEIVER_WIRE_BYTES(
      "spillway.receiver.wire",
      "bytes",
      "Request bytes received, as they came.",
      "signal",
      "transport"),
  RECEIVER_DURATION(
      "spillway.receiver.duration",
      "seconds",
      "From the last byte of a request to its answer.",
      "signal",
      "transport"),
  RECEIVER_IN_FLIGHT(
      "spillway.receiver.in.flight",
      "bytes",
      "Request bytes held in memory until they are answered."),
  RECEIVER_CONNECTIONS(
      "spillway.receiver.connections",
      "connections",
      "Connections of senders that are open.",
      "transport"),
  RECEIVER_TURNED_AWAY(
      "spillway.receiver.turned.away",
      "times",
      "Connections and requests turned away before there was a request to answer for:"
          + " connection_limit, handshake, credentials, credentials_unreadable.",
      "transport",
      "reason"),
  RECEIVER_CERTIFICATE_EXPIRY(
      "spillway.receiver.certificate.expiry",
      "seconds",
      "Until the listener's certificate expires, negative afterwards. Absent without TLS.",
      "transport"),
  RECEIVER_FILES_UNUSABLE(
      "spillway.receiver.files.unusable",
      "state",
      "1 while files of the listener's TLS or credentials cannot be used as they are now, else 0.",
      "transport"),
  LANE_ITEMS("spillway.lane.items", "items", "Items stored and not settled.", "route", "signal"),
  LANE_BYTES(
      "spillway.lane.bytes", "bytes", "Payload bytes stored and not settled.", "route", "signal"),
  LANE_BACKLOG(
      "spillway.lane.backlog",
      "items",
      "Items among them that were set aside as backlog and drain beside what comes in.",
      "route",
      "signal"),
  LANE_AGE(
      "spillway.lane.oldest.age",
      "seconds",
      "Age of the oldest item stored and not settled.",
      "route",
      "signal"),
  LANE_DISK("spillway.lane.disk", "bytes", "Bytes reserved on disk.", "route", "signal"),
  LANE_UNSYNCED(
      "spillway.lane.acked.not.synced",
      "bytes",
      "Acknowledged payload bytes that a loss of power now could take.",
      "route",
      "signal"),
  LANE_SYNC_AGE(
      "spillway.lane.last.sync.age",
      "seconds",
      "Since the lane was last written through to the device; NaN if not yet.",
      "route",
      "signal"),
  LANE_ROUTED("spillway.lane.routed", "items", "Items routed to the lane.", "route", "signal"),
  LANE_SAMPLED_OUT("spillway.lane.sampled.out", "items", "Items sampled out.", "route", "signal"),
  LANE_DELIVERED(
      "spillway.lane.delivered", "items", "Items confirmed by a sink.", "route", "signal"),
  LANE_REJECTED(
      "spillway.lane.rejected",
      "items",
      "Items that a sink took the request of, but not the item.",
      "route",
      "signal"),
  LANE_DROPPED(
      "spillway.lane.dropped",
      "items",
      "Items given up, for whatever reason; the ledger names it.",
      "route",
      "signal"),
  LANE_REDELIVERED(
      "spillway.lane.redelivered",
      "items",
      "Items sent again although an earlier attempt may have been taken.",
      "route",
      "signal"),
  LANE_UNACCOUNTED(
      "spillway.lane.unaccounted",
      "items",
      "Items missing from the account; anything but 0 is a bug.",
      "route",
      "signal"),
  LANE_DEAD_LETTER_ITEMS(
      "spillway.lane.dead.letter.items",
      "items",
      "Items kept in dead letters: refused by a sink for good.",
      "route",
      "signal"),
  LANE_DEAD_LETTER_BYTES(
      "spillway.lane.dead.letter.bytes",
      "bytes",
      "Disk that dead letters take.",
      "route",
      "signal"),
  LANE_DEAD_LETTER_DISCARDED(
      "spillway.lane.dead.letter.discarded",
      "items",
      "Items in dead letters that gave way to newer ones or got too old.",
      "route",
      "signal"),
  LANE_DEAD_LETTER_FAILED(
      "spillway.lane.dead.letter.failed",
      "items",
      "Items that should have become dead letters and could not be written.",
      "route",
      "signal"),
  EXPORTER_SUCCESS_RATIO(
      "spillway.exporter.success.ratio",
      "ratio",
      "Items delivered of items settled, since the lane was made.",
      "route",
      "signal"),
  EXPORTER_ATTEMPTS(
      "spillway.exporter.attempts",
      "attempts",
      "Export attempts, by outcome.",
      "route",
      "signal",
      "exporter",
      "outcome"),
  EXPORTER_ERRORS(
      "spillway.exporter.errors",
      "attempts",
      "Export attempts that failed, or were answered against the protocol, by class of error.",
      "route",
      "signal",
      "exporter",
      "reason"),
  EXPORTER_ATTEMPT_DURATION(
      "spillway.exporter.attempt.duration",
      "seconds",
      "Length of export attempts.",
      "route",
      "signal",
      "exporter"),
  EXPORTER_DELIVERY_DURATION(
      "spillway.exporter.delivery.duration",
      "seconds",
      "From acceptance of a block's oldest request to its settlement.",
      "route",
      "signal"),
  EXPORTER_WIRE_BYTES(
      "spillway.exporter.wire",
      "bytes",
      "Bytes that export attempts put on the network: framing, TLS, handshakes and retries"
          + " included.",
      "route",
      "signal",
      "exporter"),
  EXPORTER_IDLE_PROBES(
      "spillway.exporter.idle.probes",
      "probes",
      "Empty requests sent while there was nothing else to send, by outcome; not among the"
          + " attempts.",
      "exporter",
      "signal",
      "outcome"),
  EXPORTER_COST(
      "spillway.exporter.cost",
      "currency",
      "Wire bytes times cost_per_gib, in the currency that is given in.",
      "route",
      "signal",
      "exporter"),
  EXPORTER_SOCKET_SENT(
      "spillway.exporter.socket.sent",
      "bytes",
      "Bytes that the sockets of an exporter sent, whatever for.",
      "exporter"),
  EXPORTER_SOCKET_RECEIVED(
      "spillway.exporter.socket.received",
      "bytes",
      "Bytes that the sockets of an exporter received.",
      "exporter"),
  EXPORTER_CONNECTIONS(
      "spillway.exporter.connections",
      "connections",
      "Connections of an exporter that are open or being opened.",
      "exporter"),
  EXPORTER_PORTS_USED(
      "spillway.exporter.ports.used",
      "ports",
      "Local ports that all exporters use to the address and port of this one that takes most.",
      "exporter"),
  EXPORTER_PORTS_AVAILABLE(
      "spillway.exporter.ports.available",
      "ports",
      "Local ports that the kernel has for each destination; only on Linux.",
      "exporter"),
  EXPORTER_CERTIFICATE_EXPIRY(
      "spillway.exporter.certificate.expiry",
      "seconds",
      "Until a certificate expires, negative afterwards: the exporter's own, those of sink and"
          + " token endpoint as shown in the last handshake. Absent if there is none.",
      "exporter",
      "holder"),
  EXPORTER_ACTIVE(
      "spillway.exporter.active",
      "state",
      "1 for the exporter the lane delivers to, else 0.",
      "route",
      "signal",
      "exporter"),
  EXPORTER_STATE(
      "spillway.exporter.state",
      "state",
      "Breaker: 0 closed, 1 recovering, 2 open.",
      "route",
      "signal",
      "exporter"),
  EXPORTER_CONCURRENCY(
      "spillway.exporter.concurrency.limit",
      "attempts",
      "Attempts that the lane may have in flight; adapts to the sink.",
      "route",
      "signal",
      "exporter"),
  EXPORTER_IN_FLIGHT(
      "spillway.exporter.in.flight",
      "attempts",
      "Attempts begun and not answered.",
      "route",
      "signal",
      "exporter"),
  TENANT_WIRE_BYTES(
      "spillway.tenant.wire",
      "bytes",
      "Bytes put on the network for a tenant, retries included; of requests that carry several"
          + " tenants, its part by uncompressed bytes.",
      "route",
      "signal",
      "exporter",
      "tenant"),
  TENANT_ITEMS(
      "spillway.tenant.items",
      "items",
      "Items of a tenant that sinks took.",
      "route",
      "signal",
      "exporter",
      "tenant"),
  QUOTA_USED("spillway.quota.used", "bytes", "Bytes of the daily quota used today.", "quota"),
  QUOTA_LIMIT("spillway.quota.limit", "bytes", "The daily quota.", "quota"),
  EXPORTER_TRANSITIONS(
      "spillway.exporter.transitions",
      "transitions",
      "Changes of an exporter's standing, by what it came to: closed, open, recovering, barred,"
          + " unbarred, pinned, released, passed_over.",
      "route",
      "signal",
      "exporter",
      "state"),
  EGRESS_DECISIONS(
      "spillway.egress.decisions",
      "dials",
      "Decisions of the egress policy, by rule, the host or network that it is about, and verdict.",
      "rule",
      "about",
      "verdict"),
  EGRESS_PLAINTEXT(
      "spillway.egress.plaintext",
      "state",
      "1 if the exporter sends unencrypted to another machine, else 0.",
      "exporter"),
  EGRESS_AUDIT_LEFT_OUT(
      "spillway.egress.audit.left.out",
      "decisions",
      "Decisions of the egress policy that may not be in the audit file."),
  BUFFER_FREE("spillway.buffer.free", "bytes", "Free space of the buffer's file system."),
  BUFFER_RESERVED("spillway.buffer.reserved", "bytes", "Bytes reserved on disk by all lanes.");

  private final String id;
  private final String unit;
  private final String meaning;
  private final String tags;

  Meter(String id, String unit, String meaning, String... tags) {
    this.id = id;
    this.unit = unit;
    this.meaning = meaning;
    this.tags = String.join(",", tags);
  }

  /**
   * Micrometer's name; Prometheus writes underscores, appends the unit and, to counters, {@code
   * _total}.
   */
  public String id() {
    return id;
  }

  public String unit() {
    return unit;
  }

  public String meaning() {
    return meaning;
  }

  public List<String> tags() {
    return tags.isEmpty() ? List.of() : List.of(tags.split(",", -1));
  }
}
