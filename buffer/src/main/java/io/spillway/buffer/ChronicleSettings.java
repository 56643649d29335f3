package io.spillway.buffer;

import java.io.IOException;

/** What Chronicle must be told before the first of its classes is loaded. */
final class ChronicleSettings {
  private ChronicleSettings() {}

  /** No calls home, no advertisement in the log, no thread that polls the disk. */
  static void apply() {
    System.setProperty("chronicle.analytics.disable", "true");
    System.setProperty("chronicle.announcer.disable", "true");
    System.setProperty("chronicle.disk.monitor.disable", "true");
  }

  /**
   * Without these flags Chronicle falls back to a read-only queue, with nothing but a log line.
   *
   * @throws IOException naming the missing flag
   */
  static void checkJvmFlags() throws IOException {
    Module base = Object.class.getModule();
    Module here = ChronicleSettings.class.getModule();
    if (!base.isExported("sun.nio.ch", here)) {
      throw new IOException(
          "buffer: the JVM runs without --add-exports=java.base/sun.nio.ch=ALL-UNNAMED. "
              + "Start Spillway with its launcher, which passes it.");
    }
    if (!base.isOpen("java.lang.reflect", here)) {
      throw new IOException(
          "buffer: the JVM runs without --add-opens=java.base/java.lang.reflect=ALL-UNNAMED. "
              + "Start Spillway with its launcher, which passes it.");
    }
  }
}
