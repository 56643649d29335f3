package io.spillway.receivers;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.otlp.Signal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The health service as probes see it. */
@Timeout(60)
class HealthServiceTest {
  private static final byte[] SERVING = {8, 1};
  private static final byte[] NOT_SERVING = {8, 2};
  private static final byte[] SERVICE_UNKNOWN = {8, 3};

  private final AtomicBoolean accepting = new AtomicBoolean(true);
  private OtlpReceiver receiver;
  private RawGrpc grpc;

  @BeforeEach
  void start() throws IOException {
    receiver =
        new OtlpReceiver(
            ReceiverHarness.loopback(),
            ScriptedGate::new,
            new Admission(1 << 20),
            ReceiverListener.NONE,
            accepting::get);
    receiver.start();
    grpc = new RawGrpc(receiver.grpcAddress());
  }

  @AfterEach
  void stop() throws IOException {
    grpc.close();
    receiver.close(Duration.ZERO);
  }

  private RawGrpc.Call ask(String method, String service) {
    return grpc.open("/grpc.health.v1.Health/" + method, new String[0])
        .data(RawGrpc.message(false, request(service)), true);
  }

  private static byte[] request(String service) {
    ByteArrayOutputStream request = new ByteArrayOutputStream();
    if (!service.isEmpty()) {
      request.write(0x0a);
      request.write(service.length());
      request.writeBytes(service.getBytes(US_ASCII));
    }
    return request.toByteArray();
  }

  @Test
  void check_whileRequestsAreTaken_serving() {
    for (String service : List.of("", Signal.LOGS.grpcService())) {
      RawGrpc.Call call = ask("Check", service);

      assertThat(call.join().code()).isZero();
      assertThat(call.messages()).containsExactly(SERVING);
    }
  }

  @Test
  void check_whileTheyAreRefused_notServing() {
    accepting.set(false);
    RawGrpc.Call call = ask("Check", "");

    assertThat(call.join().code()).isZero();
    assertThat(call.messages()).containsExactly(NOT_SERVING);
  }

  @Test
  void check_unknownService_notFound() {
    assertThat(ask("Check", "nobody").join().code()).isEqualTo(5);
  }

  @Test
  void check_garbage_invalidArgument() {
    byte[] garbage = RawGrpc.message(false, new byte[] {0x0a, 99, 1});
    RawGrpc.Call call = grpc.open("/grpc.health.v1.Health/Check", new String[0]);

    assertThat(call.data(garbage, true).join().code()).isEqualTo(3);
  }

  @Test
  void watch_changes_areTold() {
    RawGrpc.Call known = ask("Watch", "");
    RawGrpc.Call unknown = ask("Watch", "nobody");
    await().until(() -> known.messages().size() == 1);

    accepting.set(false);
    await().until(() -> known.messages().size() == 2);
    accepting.set(true);
    await().until(() -> known.messages().size() == 3);

    assertThat(known.messages()).containsExactly(SERVING, NOT_SERVING, SERVING);
    assertThat(unknown.messages()).containsExactly(SERVICE_UNKNOWN);
    assertThat(known.isDone()).isFalse();
  }

  @Test
  void watch_receiverCloses_notServingAndEndsAtOnce() {
    RawGrpc.Call call = ask("Watch", "");
    await().until(() -> call.messages().size() == 1);

    receiver.close(Duration.ofSeconds(30));

    assertThat(call.join().code()).isEqualTo(14);
    assertThat(call.messages()).containsExactly(SERVING, NOT_SERVING);
  }

  @Test
  void watch_tooMany_resourceExhaustedUntilOneEnds() {
    List<RawGrpc.Call> watches =
        IntStream.range(0, HealthService.MAX_WATCHES).mapToObj(i -> ask("Watch", "")).toList();
    await().until(() -> watches.stream().allMatch(call -> call.messages().size() == 1));

    assertThat(ask("Watch", "").join().code()).isEqualTo(8);

    watches.getFirst().cancel();
    await()
        .until(
            () -> {
              RawGrpc.Call again = ask("Watch", "");
              await().until(() -> again.isDone() || !again.messages().isEmpty());
              return !again.messages().isEmpty();
            });
  }
}
