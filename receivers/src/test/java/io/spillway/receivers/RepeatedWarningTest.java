package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class RepeatedWarningTest {
  private final Logger logger = (Logger) LoggerFactory.getLogger("repeated");
  private final ListAppender<ILoggingEvent> written = new ListAppender<>();
  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);
  private final RepeatedWarning warning = new RepeatedWarning(logger, nanos::get);

  @BeforeEach
  void listen() {
    written.start();
    logger.addAppender(written);
    logger.setAdditive(false);
  }

  @AfterEach
  void stopListening() {
    logger.detachAppender(written);
  }

  @Test
  void write_oftenWithinInterval_isWrittenOnceAndCountedLater() {
    Exception cause = new Exception("why");
    warning.write("first", cause);
    warning.write("second", null);
    nanos.addAndGet(RepeatedWarning.INTERVAL_NANOS - 1);
    warning.write("third", null);
    nanos.incrementAndGet();
    warning.write("fourth", null);

    assertThat(written.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .containsExactly("first (0 more suppressed)", "fourth (2 more suppressed)");
    assertThat(written.list.getFirst().getThrowableProxy().getMessage()).isEqualTo("why");
  }
}
