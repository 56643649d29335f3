package io.spillway.relay;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import io.spillway.relay.telemetry.TelemetryConfig;
import org.slf4j.LoggerFactory;

/** Puts the {@code telemetry.logs} settings into force. Logback stays in here. */
final class Logging {

  private Logging() {}

  static void apply(TelemetryConfig config) {
    Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.toLevel(config.level().name()));
    if (config.encoding() == TelemetryConfig.Encoding.JSON) {
      root.detachAndStopAllAppenders();
      root.addAppender(jsonToStandardError(root.getLoggerContext()));
    }
  }

  /** Shows warnings only: for commands whose output is their own. */
  static void quiet() {
    ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
  }

  private static ConsoleAppender<ILoggingEvent> jsonToStandardError(LoggerContext context) {
    JsonEncoder encoder = new JsonEncoder();
    encoder.setContext(context);
    encoder.start();
    return toStandardError(context, encoder);
  }

  /**
   * An appender that is ready.
   *
   * @param encoder started
   */
  static ConsoleAppender<ILoggingEvent> toStandardError(
      LoggerContext context, Encoder<ILoggingEvent> encoder) {
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setTarget("System.err");
    appender.setEncoder(encoder);
    appender.start();
    return appender;
  }
}
