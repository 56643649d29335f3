package io.spillway.exporters;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.spillway.exporters.DebugConfig.Verbosity;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Outcome;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

final class DebugExporterTest {
  private final Logger logger = (Logger) LoggerFactory.getLogger(DebugExporter.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

  @BeforeEach
  void listen() {
    lines.start();
    logger.addAppender(lines);
    logger.setLevel(Level.INFO);
  }

  @AfterEach
  void stopListening() {
    logger.detachAppender(lines);
    logger.setLevel(null);
  }

  @Test
  void export_request_isOneLine() {
    ExportRequest request = Requests.of(Signal.LOGS, Codec.NONE, "x", 7);

    assertThat(new DebugExporter(new DebugConfig("debug", Verbosity.BASIC)).export(request))
        .isCompletedWithValue(new Outcome.Delivered());
    new DebugExporter(new DebugConfig("debug/more", Verbosity.DETAILED)).export(request).join();

    int bytes = request.uncompressedLength();
    assertThat(lines.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .containsExactly(
            "debug: logs, 7 items, " + bytes + " bytes",
            "debug/more: logs, 7 items, " + bytes + " bytes, sent as " + bytes + " bytes identity");
  }
}
