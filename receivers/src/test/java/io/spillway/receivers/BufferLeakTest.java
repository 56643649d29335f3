package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import io.spillway.otlp.stage.Answer;
import java.io.IOException;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.LoggerFactory;

/** Every path gives its network buffers back; Netty's own detector tracks each of them. */
@Timeout(60)
class BufferLeakTest {
  private static final int ROUNDS = 20;
  private static final int COLLECTIONS = 5;

  @RegisterExtension final ReceiverHarness harness = new ReceiverHarness();

  private final Logger detector = (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class);
  private final ListAppender<ILoggingEvent> reports = new ListAppender<>();

  @BeforeEach
  void listen() {
    reports.list = new CopyOnWriteArrayList<>();
    reports.start();
    detector.addAppender(reports);
  }

  @AfterEach
  void stopListening() {
    detector.detachAppender(reports);
  }

  @Test
  void allPaths_leaveNoBufferBehind() throws IOException {
    for (int i = 0; i < ROUNDS; i++) {
      answered();
      refused();
      overHttp2();
      abandoned();
    }
    await().until(() -> harness.admission().inFlightBytes() == 0);

    collect();

    assertThat(reports.list).extracting(ILoggingEvent::getFormattedMessage).isEmpty();
    assertThatDetectorWorks();
  }

  private void answered() throws IOException {
    try (RawHttp client = harness.http();
        GrpcSender grpc = harness.grpc()) {
      client.postProtobuf(Payloads.noise(300_000)).read();
      client.post("/nothing", "", Payloads.noise(1000)).read();
      grpc.export(Payloads.noise(300_000));
      grpc.export("gzip", Payloads.noise(1000));
      grpc.export("br", Payloads.noise(1000));
    }
  }

  private void refused() throws IOException {
    try (RawHttp client = harness.http()) {
      client.postProtobuf(new byte[ReceiverHarness.MAX_REQUEST_BYTES + 1]).read();
    }
    try (RawHttp client = harness.http()) {
      client.send("nonsense\r\n\r\n").read();
    }
  }

  /** With one request at the gate, one pipelined behind it, and one half sent. */
  private void abandoned() throws IOException {
    int before = harness.gate().submissions().size();
    harness.gate().onSubmit(submission -> {});
    try (RawHttp client = harness.http();
        RawHttp half = harness.http()) {
      client.postProtobuf(Payloads.noise(1000)).postProtobuf(Payloads.noise(1000));
      half.send(
          "POST /v1/traces HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000\r\n"
              + "Content-Type: application/x-protobuf\r\n\r\nabc");
      await().until(() -> harness.gate().submissions().size() == before + 1);
    }
    harness.gate().answerWith(new Answer.Accepted(1));
    harness.gate().submissions().get(before).answer().accept(new Answer.Accepted(1));
  }

  /** Answered, refused in the middle, given up by the sender, and cut off at the gate. */
  private void overHttp2() throws IOException {
    int before = harness.gate().submissions().size();
    try (RawHttp2 client = new RawHttp2(harness.receiver().httpAddress())) {
      client.postTraces(1).body(1, Payloads.noise(300_000)).read(1);
      client.postTraces(3).body(3, new byte[ReceiverHarness.MAX_REQUEST_BYTES + 1]).read(3);
      client.post(5, "/nothing").body(5, Payloads.noise(1000)).read(5);
      client.postTraces(7).data(7, Payloads.noise(1000), false);
      client.reset(7, 0);
      harness.gate().onSubmit(submission -> {});
      client.postTraces(9).body(9, Payloads.noise(1000));
      await().until(() -> harness.gate().submissions().size() >= before + 2);
    }
    harness.gate().answerWith(new Answer.Accepted(1));
    harness.gate().submissions().getLast().answer().accept(new Answer.Accepted(1));
  }

  private void assertThatDetectorWorks() {
    await()
        .until(
            () -> {
              drop();
              collect();
              return !reports.list.isEmpty();
            });
  }

  private static void drop() {
    ByteBuf dropped = ByteBufAllocator.DEFAULT.directBuffer(16);
    dropped.writeByte(1);
  }

  /** The detector reports what was collected when the next buffer is made. */
  private static void collect() {
    for (int i = 0; i < COLLECTIONS; i++) {
      System.gc();
      ByteBufAllocator.DEFAULT.directBuffer(16).release();
    }
  }
}
