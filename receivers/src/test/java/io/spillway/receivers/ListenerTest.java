package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.spillway.otlp.stage.Answer;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connection limits, ages and Unix domain sockets. */
@Timeout(60)
class ListenerTest {
  private static final byte[] BODY = Payloads.noise(100);
  private static final String POST =
      String.join(
          "\r\n",
          "POST /v1/traces HTTP/1.1",
          "Host: relay",
          "Content-Type: application/x-protobuf",
          "Content-Length: 0",
          "",
          "");

  @TempDir Path folder;

  private ReceiverHarness harness;

  @AfterEach
  void stop() {
    if (harness != null) {
      harness.close();
    }
  }

  private void start(ListenerConfig listener, Keepalive keepalive) throws IOException {
    harness =
        ReceiverHarness.start(
            ReceiverHarness.loopback(
                new GrpcGuard(listener, keepalive), new HttpGuard(listener, HttpTimeouts.DEFAULT)));
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void maxConnections_oneMore_isClosedAndCounted(Transport transport) throws IOException {
    start(new ListenerConfig(null, null, 2), Keepalive.DEFAULT);
    List<AutoCloseable> open = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      open.add(transport == Transport.GRPC ? harness.rawGrpc() : harness.http());
    }
    await().until(() -> harness.receiver().connections(transport) == 2);

    assertThatThrownBy(() -> export(transport));

    assertThat(harness.listener().turnedAway())
        .containsExactly(transport.label() + " connection_limit");
    assertThat(harness.receiver().connections(transport)).isEqualTo(2);
    closeAll(open);
    await().until(() -> harness.receiver().connections(transport) == 0);
    assertThat(export(transport)).isTrue();
  }

  private boolean export(Transport transport) throws IOException {
    if (transport == Transport.GRPC) {
      try (RawGrpc grpc = harness.rawGrpc()) {
        return grpc.export(BODY).code() == 0;
      }
    }
    try (RawHttp http = harness.http()) {
      return http.postProtobuf(BODY).read().status() == 200;
    }
  }

  private static void closeAll(List<AutoCloseable> all) {
    for (AutoCloseable each : all) {
      try {
        each.close();
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
  }

  private static Keepalive keepalive(Duration idle, Duration age, Duration time) {
    return new Keepalive(
        idle, age, Duration.ofSeconds(30), time, Duration.ofMillis(500), Duration.ZERO, false);
  }

  // conformance: G-52
  @Test
  void g52_maxConnectionAge_goAwayAndCallsInFlightFinish() throws IOException {
    start(
        ListenerConfig.DEFAULT,
        keepalive(Duration.ZERO, Duration.ofMillis(300), Duration.ofHours(1)));
    harness.gate().onSubmit(submission -> {});
    try (RawGrpc grpc = harness.rawGrpc()) {
      RawGrpc.Call call = grpc.open().data(RawGrpc.message(false, BODY), true);
      await().until(() -> harness.gate().submissions().size() == 1);

      assertThat(grpc.goAway()).isEqualTo("0 max_age");
      harness.gate().submissions().getFirst().answer().accept(new Answer.Accepted(1));

      assertThat(call.join().code()).isZero();
      grpc.awaitEnd();
    }
  }

  // conformance: G-52
  @Test
  void g52_maxConnectionIdle_goAway() throws IOException {
    start(
        ListenerConfig.DEFAULT,
        keepalive(Duration.ofMillis(200), Duration.ZERO, Duration.ofHours(1)));
    try (RawGrpc grpc = harness.rawGrpc()) {
      assertThat(grpc.goAway()).isEqualTo("0 max_idle");
      grpc.awaitEnd();
    }
  }

  // conformance: G-51
  @Test
  void g51_minTimeZero_pingsWithoutCallsAreStillCounted() throws IOException {
    start(ListenerConfig.DEFAULT, keepalive(Duration.ZERO, Duration.ZERO, Duration.ofHours(1)));
    try (RawGrpc grpc = harness.rawGrpc()) {
      for (int i = 0; i < 10; i++) {
        grpc.pingOnly();
      }

      assertThat(grpc.goAway()).isEqualTo("11 too_many_pings");
    }
  }

  @Test
  void unix_bothProtocols_areServedAndFilesRemoved() throws IOException {
    Path grpcFile = folder.resolve("grpc.sock");
    Path httpFile = folder.resolve("http.sock");
    leaveStale(grpcFile);
    startUnix(grpcFile, httpFile);

    assertThat(harness.receiver().servedAt(Transport.GRPC)).isEqualTo("unix://" + grpcFile);
    assertThat(harness.receiver().servedAt(Transport.HTTP)).isEqualTo("unix://" + httpFile);
    assertThat(harness.receiver().grpcAddress()).isNull();
    assertThat(post(httpFile)).startsWith("HTTP/1.1 200 OK");
    try (SocketChannel grpc = connect(grpcFile)) {
      grpc.write(
          ByteBuffer.wrap(
              "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
                  .getBytes(StandardCharsets.ISO_8859_1)));
      byte[] header = Channels.newInputStream(grpc).readNBytes(9);
      assertThat(header[3]).as("type SETTINGS").isEqualTo((byte) 4);
      assertThat(harness.receiver().connections(Transport.GRPC)).isEqualTo(1);
    }

    harness.close();

    assertThat(grpcFile).doesNotExist();
    assertThat(httpFile).doesNotExist();
  }

  @Test
  void unix_grpcJavaSender_isServed() throws IOException {
    Path file = folder.resolve("grpc.sock");
    startUnix(file, folder.resolve("http.sock"));

    try (GrpcSender sender = GrpcSender.unix(file)) {
      assertThat(sender.export(BODY).code()).isEqualTo(Status.Code.OK);
    }
    assertThat(harness.gate().onlyRequest()).isEqualTo(BODY);
  }

  @Test
  void unix_somebodyListens_isRefusedAndLeftAlone() throws IOException {
    Path taken = folder.resolve("taken.sock");
    try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      other.bind(UnixDomainSocketAddress.of(taken));

      assertThatThrownBy(() -> startUnix(taken, folder.resolve("http.sock")))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith(
              "receivers::otlp::protocols::grpc::endpoint: cannot listen on unix://"
                  + taken
                  + " (Address already in use).");
    }
    assertThat(taken).exists();
  }

  @Test
  void unix_fileThatIsNoSocket_isRefusedAndLeftAlone() throws IOException {
    Path file = Files.writeString(folder.resolve("precious"), "data");

    assertThatThrownBy(() -> startUnix(file, folder.resolve("http.sock")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("the file exists and is no socket");
    assertThat(file).hasContent("data");
  }

  private void startUnix(Path grpc, Path http) throws IOException {
    harness =
        ReceiverHarness.start(
            new OtlpReceiverConfig(
                new OtlpReceiverConfig.Grpc(new Endpoint("", 0, grpc), 1000),
                new OtlpReceiverConfig.Http(new Endpoint("", 0, http), 1000)));
  }

  private static void leaveStale(Path file) throws IOException {
    try (ServerSocketChannel died = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      died.bind(UnixDomainSocketAddress.of(file));
    }
    assertThat(file).exists();
  }

  private static SocketChannel connect(Path file) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(file));
    return channel;
  }

  private static String post(Path file) throws IOException {
    try (SocketChannel channel = connect(file)) {
      channel.write(ByteBuffer.wrap(POST.getBytes(StandardCharsets.US_ASCII)));
      ByteBuffer answer = ByteBuffer.allocate(1024);
      channel.read(answer);
      return new String(answer.array(), 0, answer.position(), StandardCharsets.US_ASCII);
    }
  }
}
