package io.spillway.routing.egress;

/** The right to one attempt at an exporter, held until the attempt has ended. */
final class Ticket {
  final Breaker breaker;
  final long startedNanos;

  /** Whether the attempt tries out an exporter that is out of use. */
  final boolean probe;

  Ticket(Breaker breaker, long startedNanos, boolean probe) {
    this.breaker = breaker;
    this.startedNanos = startedNanos;
    this.probe = probe;
  }
}
