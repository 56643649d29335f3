package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LogLineTest {
  private static final Instant WHEN = Instant.parse("2026-01-02T03:04:05.006Z");

  @Test
  void doLayout_message_isOneLine() {
    String time =
        DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXX")
            .format(WHEN.atZone(ZoneId.systemDefault()));

    assertThat(line(Level.INFO, null)).isEqualTo(time + " INFO  Relay ready: all of it\n");
    assertThat(line(Level.ERROR, null)).isEqualTo(time + " ERROR Relay ready: all of it\n");
  }

  @Test
  void doLayout_exception_standsBelow() {
    assertThat(line(Level.WARN, new IOException("gone", new IllegalStateException("why"))))
        .contains("Relay ready: all of it\njava.io.IOException: gone\n\tat ")
        .contains("\nCaused by: java.lang.IllegalStateException: why\n")
        .endsWith("\n");
  }

  @Test
  void consoleLog_ownConfigurationOnClassPath_standsBack() {
    LoggerContext context = new LoggerContext();

    Configurator.ExecutionStatus status = new ConsoleLog().configure(context);

    // The tests of this module have a logback-test.xml.
    assertThat(status).isEqualTo(Configurator.ExecutionStatus.INVOKE_NEXT_IF_ANY);
    assertThat(ServiceLoader.load(Configurator.class)).hasOnlyElementsOfType(ConsoleLog.class);
  }

  private static String line(Level level, @Nullable Throwable thrown) {
    LoggerContext context = new LoggerContext();
    LoggingEvent event =
        new LoggingEvent(
            "fqcn",
            context.getLogger("io.spillway.relay.Relay"),
            level,
            "ready: {}",
            thrown,
            new Object[] {"all of it"});
    event.setInstant(WHEN);
    return new LogLine().doLayout(event);
  }
}
