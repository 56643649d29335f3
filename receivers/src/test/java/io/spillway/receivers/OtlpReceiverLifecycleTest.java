package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.CallOptions;
import io.grpc.Status;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Answer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(60)
class OtlpReceiverLifecycleTest {
  private static final Duration PLENTY = Duration.ofSeconds(30);

  @RegisterExtension final ReceiverHarness harness = new ReceiverHarness();

  @Test
  void start_portTaken_namesEndpointAndBindsNothing() throws IOException {
    int freePort;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      freePort = free.getLocalPort();
    }
    InetSocketAddress taken = harness.receiver().httpAddress();
    OtlpReceiver receiver =
        receiver(
            new OtlpReceiverConfig(
                new OtlpReceiverConfig.Grpc(new Endpoint("127.0.0.1", freePort), 1000),
                new OtlpReceiverConfig.Http(new Endpoint("127.0.0.1", taken.getPort()), 1000)));

    assertThatThrownBy(receiver::start)
        .isInstanceOf(IOException.class)
        .hasMessage(
            "receivers::otlp::protocols::http::endpoint: cannot listen on 127.0.0.1:"
                + taken.getPort()
                + " (Address already in use). Spillway serves nothing; stop what listens there,"
                + " or choose another address or port (0 takes a free one).");
    assertThat(receiver.grpcAddress()).isNull();
    assertThat(receiver.httpAddress()).isNull();
    assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), freePort).close())
        .isInstanceOf(IOException.class);
  }

  @Test
  void start_grpcPortTaken_namesEndpoint() {
    int taken = harness.receiver().grpcAddress().getPort();
    OtlpReceiver receiver =
        receiver(
            new OtlpReceiverConfig(
                new OtlpReceiverConfig.Grpc(new Endpoint("127.0.0.1", taken), 1000), null));

    assertThatThrownBy(receiver::start)
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(
            "receivers::otlp::protocols::grpc::endpoint: cannot listen on 127.0.0.1:"
                + taken
                + " (Address already in use).");
  }

  @Test
  void start_oneProtocol_servesOnlyThat() throws IOException {
    OtlpReceiver receiver =
        receiver(
            new OtlpReceiverConfig(
                null, new OtlpReceiverConfig.Http(new Endpoint("localhost", 0), 1000)));

    receiver.start();

    assertThat(receiver.grpcAddress()).isNull();
    try (RawHttp client = new RawHttp(receiver.httpAddress())) {
      assertThat(client.postProtobuf(new byte[0]).read().status()).isEqualTo(200);
    }
    receiver.close(PLENTY);
  }

  @Test
  void start_twice_throws() {
    assertThatThrownBy(() -> harness.receiver().start()).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void close_unstartedAndTwice_doesNothing() {
    OtlpReceiver receiver = receiver(ReceiverHarness.loopback());

    receiver.close(PLENTY);
    receiver.close(PLENTY);

    assertThatThrownBy(receiver::start).isInstanceOf(IllegalStateException.class);
  }

  // conformance: G-46
  @Test
  void g46_closeWithCallInFlight_finishesItAndTakesNoMore() {
    harness.gate().onSubmit(submission -> {});
    InetSocketAddress address = harness.receiver().grpcAddress();
    try (GrpcSender sender = new GrpcSender(address);
        GrpcSender late = new GrpcSender(address)) {
      CompletableFuture<GrpcSender.Result> inFlight =
          sender.start(
              Signal.TRACES.grpcService(), CallOptions.DEFAULT, List.of(Payloads.noise(10)));
      await().until(() -> harness.gate().submissions().size() == 1);

      CompletableFuture<Void> closed =
          CompletableFuture.runAsync(() -> harness.receiver().close(PLENTY));
      await().until(() -> !accepts(address));
      assertThat(late.export(Payloads.noise(10)).code()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(closed).isNotDone();
      harness.gate().submissions().getFirst().answer().accept(new Answer.Accepted(1));

      assertThat(inFlight.join().code()).isEqualTo(Status.Code.OK);
      closed.join();
    }
  }

  // conformance: H-51, H-52
  @Test
  void h52_closeWithRequestInFlight_finishesItAndAnswersOthers503() throws IOException {
    harness.gate().onSubmit(submission -> {});
    InetSocketAddress address = harness.receiver().httpAddress();
    try (RawHttp busy = harness.http();
        RawHttp idle = harness.http()) {
      busy.postProtobuf(Payloads.noise(10));
      await().until(() -> harness.gate().submissions().size() == 1);
      // A refused request proves that the connection is open before the receiver closes.
      assertThat(idle.send("GET / HTTP/1.1\r\n\r\n").read().status()).isEqualTo(404);

      CompletableFuture<Void> closed =
          CompletableFuture.runAsync(() -> harness.receiver().close(PLENTY));
      await().until(() -> !accepts(address));
      RawHttp.Response refused = idle.postProtobuf(Payloads.noise(10)).read();
      assertThat(refused.status()).isEqualTo(503);
      assertThat(refused.header("retry-after")).isEqualTo("1");
      assertThat(refused.header("connection")).isEqualTo("close");
      assertThat(closed).isNotDone();
      harness.gate().submissions().getFirst().answer().accept(new Answer.Accepted(1));

      RawHttp.Response answered = busy.read();
      assertThat(answered.status()).isEqualTo(200);
      assertThat(answered.header("connection")).isEqualTo("close");
      closed.join();
    }
  }

  @Test
  void close_gateNeverAnswers_endsAtDeadline() throws IOException {
    harness.gate().onSubmit(submission -> {});
    try (RawHttp http = harness.http();
        GrpcSender grpc = harness.grpc()) {
      http.postProtobuf(Payloads.noise(10));
      CompletableFuture<GrpcSender.Result> call =
          grpc.start(Signal.TRACES.grpcService(), CallOptions.DEFAULT, List.of(Payloads.noise(10)));
      await().until(() -> harness.gate().submissions().size() == 2);

      harness.receiver().close(Duration.ofMillis(100));

      // Which of the two depends on whether the stream or the connection ends first; after both the
      // sender tries again.
      assertThat(call.join().code()).isIn(Status.Code.UNAVAILABLE, Status.Code.CANCELLED);
      assertThat(http.isAtEnd()).isTrue();
      // The gate may still answer, and what it says is counted.
      harness
          .gate()
          .submissions()
          .forEach(submission -> submission.answer().accept(new Answer.Accepted(1)));
      assertThat(harness.listener().all())
          .hasSize(2)
          .allSatisfy(heard -> assertThat(heard.answer()).isEqualTo(new Answer.Accepted(1)));
      assertThat(harness.admission().inFlightBytes()).isZero();
    }
  }

  private OtlpReceiver receiver(OtlpReceiverConfig config) {
    return new OtlpReceiver(config, harness::gate, new Admission(1 << 20), ReceiverListener.NONE);
  }

  private static boolean accepts(InetSocketAddress address) {
    try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }
}
