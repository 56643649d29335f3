package io.spillway.tests.harness;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Loopback addresses that nobody else uses, so that a port can be given up and taken again without
 * meeting a stranger on it: outgoing connections come from 127.0.0.1.
 */
public final class Loopback {

  private static final AtomicInteger NEXT = new AtomicInteger();
  private static final int NETWORK = 1 + (int) (ProcessHandle.current().pid() % 250);

  private Loopback() {}

  /** An address in 127.0.0.0/8 that was not given out before by this JVM. */
  public static String address() {
    int number = NEXT.getAndIncrement();
    return "127.%d.%d.%d".formatted(NETWORK, number / 250, 2 + number % 250);
  }
}
