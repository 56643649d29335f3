package io.spillway.relay;

import sun.misc.Signal;

/**
 * Hears the signals of the operating system. The JDK offers no other way to hear SIGHUP, or to end
 * SIGTERM with exit code 0.
 */
@SuppressWarnings("sunapi")
final class Signals {

  private Signals() {}

  /**
   * Runs {@code action}, on a thread of the JVM, whenever the signal comes.
   *
   * @param name without {@code SIG}
   */
  static void on(String name, Runnable action) {
    Signal.handle(new Signal(name), signal -> action.run());
  }
}
