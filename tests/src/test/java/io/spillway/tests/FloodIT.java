package io.spillway.tests;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.GrpcWire;
import io.spillway.tests.harness.HttpWire;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Ledger;
import io.spillway.tests.harness.Load;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.SlowSenders;
import io.spillway.tests.harness.Wire;
import io.spillway.tests.harness.Yaml;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Many hostile senders at once, and good ones beside them: the relay's memory stays below a bound,
 * the good ones get an answer to everything, and the books balance.
 */
@Tag("long")
@Timeout(300)
class FloodIT {
  private static final int MIB = 1 << 20;

  /**
   * The heap that every relay under test has ({@code -Xmx256m}), and as much again: code, stacks,
   * network buffers and the mapped ends of lanes.
   */
  private static final long MAX_RSS_MIB = 512;

  /** The default of both protocols. */
  private static final int LIMIT_BYTES = 64 * MIB;

  private static final int BOMBERS = 8;
  private static final int BOMBS_EACH = 12;
  private static final int SLOW_EACH = 500;
  private static final int DRIPS = 10;
  private static final int ITEMS = 10;
  private static final long PAUSE_MILLIS = 20;
  private static final long LEAST_GOOD_ITEMS = 50L * ITEMS;

  @RegisterExtension final Lab lab = new Lab();

  private CapturingSink sink;
  private RelayProcess relay;
  private Load good;

  @BeforeEach
  void start() {
    sink = lab.sink(Protocol.HTTP);
    relay = lab.relay(Yaml.toOneSink(Yaml.anywhere(lab.directory()), sink));
    good = lab.own(Load.mixed(relay, ITEMS, PAUSE_MILLIS));
    good.start();
    await().until(() -> good.acknowledged() > 0);
  }

  @Test
  void bombs_manyAtOnce_memoryIsBoundedAndGoodSendersAreServed() throws Exception {
    List<byte[]> bombs = List.of(gzippedField(LIMIT_BYTES + MIB), gzippedField(LIMIT_BYTES - MIB));
    Queue<String> answers = new ConcurrentLinkedQueue<>();
    List<Thread> bombers = new ArrayList<>();
    for (int i = 0; i < BOMBERS; i++) {
      boolean http = i % 2 == 0;
      bombers.add(Thread.ofPlatform().start(() -> send(bomber(http), bombs, answers)));
    }
    for (Thread bomber : bombers) {
      bomber.join();
    }

    assertThat(answers)
        .hasSize(BOMBERS * BOMBS_EACH)
        .isSubsetOf(
            "over 413",
            "over RESOURCE_EXHAUSTED",
            "over 503",
            "over UNAVAILABLE",
            "under 200",
            "under OK",
            "under 503",
            "under UNAVAILABLE");
    assertThat(answers).contains("over 413", "over RESOURCE_EXHAUSTED");
    assertThatAllIsWell();
  }

  @Test
  void slowSenders_thousandsOfThem_memoryIsBoundedAndGoodSendersAreServed() {
    long before = good.acknowledged();
    String head = "POST /v1/traces HTTP/1.1\r\nHost: relay\r\n";
    try (SlowSenders slow = new SlowSenders()) {
      slow.open(relay.http(), SLOW_EACH, (head + "X-Slow: ").getBytes(US_ASCII))
          .open(
              relay.http(),
              SLOW_EACH,
              (head
                      + "Content-Type: application/x-protobuf\r\nContent-Length: "
                      + LIMIT_BYTES
                      + "\r\n\r\na")
                  .getBytes(US_ASCII))
          .open(relay.http(), SLOW_EACH, "PRI * HTTP/2.0\r\n\r\nSM\r\n".getBytes(US_ASCII))
          .open(relay.grpc(), SLOW_EACH, "PRI * HTTP/2.0\r\n\r\n".getBytes(US_ASCII));
      for (int i = 0; i < DRIPS; i++) {
        long soFar = good.acknowledged();
        slow.drip((byte) 'a');
        await().until(() -> good.acknowledged() > soFar);
      }
      await().until(() -> good.acknowledged() > before + LEAST_GOOD_ITEMS);
      assertThat(relay.status()).isNotNull();
    }
    assertThatAllIsWell();
  }

  private void assertThatAllIsWell() {
    long before = good.acknowledged();
    await().until(() -> good.acknowledged() > before + LEAST_GOOD_ITEMS);
    good.stop();

    assertThat(good.failures()).isEmpty();
    long unanswered = 0;
    for (Kind kind : Kind.values()) {
      unanswered += good.sent(kind).size() - good.acknowledged(kind).size();
    }
    // Each sender had one of each kind at hand when it was stopped.
    assertThat(unanswered)
        .isLessThanOrEqualTo(2L * Encoding.values().length * Kind.values().length * ITEMS);
    await().until(() -> relay.ledger().buffered() == 0);
    Ledger ledger = relay.ledger();
    assertThat(ledger.balanced()).as("%s", ledger).isTrue();
    assertThat(ledger.dropped()).isZero();
    for (Kind kind : Kind.values()) {
      assertThat(sink.ids(kind)).containsAll(good.acknowledged(kind));
    }
    assertThat(relay.running()).isTrue();
    assertThat(relay.log()).doesNotContain("OutOfMemory", "Transport failed");
    long peak = peakRssMib(relay.pid());
    System.out.printf(
        "FloodIT: peak RSS %d MiB, %d good items, retries %s%n",
        peak, good.acknowledged(), good.retries());
    assertThat(peak).isLessThan(MAX_RSS_MIB);
  }

  private Wire bomber(boolean http) {
    return http ? HttpWire.sayingGzip(relay::http) : GrpcWire.sayingGzip(relay::grpc);
  }

  private static void send(Wire wire, List<byte[]> bombs, Queue<String> answers) {
    try (wire) {
      for (int i = 0; i < BOMBS_EACH; i++) {
        int which = i % bombs.size();
        Wire.Reply reply = wire.send(Kind.LOGS, bombs.get(which));
        answers.add((which == 0 ? "over " : "under ") + code(reply.status()));
      }
    }
  }

  /** The status without the words behind it. */
  private static String code(String status) {
    return status.split("[ :{,]", 2)[0];
  }

  /** A request with one unknown field of this many bytes, in a thousandth of them. */
  private static byte[] gzippedField(int bytes) throws IOException {
    ByteArrayOutputStream gzipped = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip =
        new GZIPOutputStream(gzipped) {
          {
            def.setLevel(Deflater.BEST_SPEED);
          }
        }) {
      // Field 1000, length-delimited.
      gzip.write(new byte[] {(byte) 0xc2, 0x3e});
      int length = bytes - 7;
      for (int i = 0; i < 4; i++) {
        gzip.write(length >>> 7 * i | 0x80);
      }
      gzip.write(length >>> 28);
      byte[] chunk = new byte[MIB];
      for (int left = length; left > 0; left -= chunk.length) {
        gzip.write(chunk, 0, Math.min(left, chunk.length));
      }
    }
    return gzipped.toByteArray();
  }

  private static long peakRssMib(long pid) {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(pid), "status")).stream()
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
