package io.spillway.relay.telemetry;

import io.spillway.config.Section;

/**
 * The {@code telemetry} section.
 *
 * @param level lowest level logged
 * @param encoding how a log line looks
 */
public record TelemetryConfig(Level level, Encoding encoding) {

  /** Log levels. */
  public enum Level {
    TRACE,
    DEBUG,
    INFO,
    WARN,
    ERROR
  }

  /** Log line forms. */
  public enum Encoding {
    CONSOLE,
    JSON
  }

  public static TelemetryConfig read(Section telemetry) {
    Section logs = telemetry.section("logs");
    return new TelemetryConfig(
        logs.choice("level", Level.class, Level.INFO),
        logs.choice("encoding", Encoding.class, Encoding.CONSOLE));
  }
}
