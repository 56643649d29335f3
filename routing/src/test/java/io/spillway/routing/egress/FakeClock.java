package io.spillway.routing.egress;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/** Time that passes when told to. */
final class FakeClock implements InstantSource {
  static final Instant START = Instant.parse("2026-11-22T10:00:00Z");

  private final AtomicLong nanos = new AtomicLong();

  @Override
  public Instant instant() {
    return START.plusNanos(nanos.get());
  }

  long nanos() {
    return nanos.get();
  }

  void set(long to) {
    nanos.set(to);
  }

  void advance(Duration by) {
    nanos.addAndGet(by.toNanos());
  }
}
