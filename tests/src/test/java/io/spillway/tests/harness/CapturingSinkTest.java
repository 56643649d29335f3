package io.spillway.tests.harness;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.tests.harness.CapturingSink.Keep;
import io.spillway.tests.harness.CapturingSink.Protocol;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The sink and the senders against each other: what the other tests measure with must be true. */
@Timeout(60)
class CapturingSinkTest {

  private static final Map<String, String> RESOURCE = Map.of("service.name", "self");

  static Stream<Arguments> ways() {
    return Stream.of(Protocol.values())
        .flatMap(p -> Stream.of(Encoding.values()).map(e -> Arguments.of(p, e)));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void take_everyKindAndEncoding_isKeptAsSent(Protocol protocol, Encoding encoding) {
    try (CapturingSink sink = new CapturingSink(protocol, Keep.REQUESTS);
        Wire wire = wire(sink, encoding)) {
      for (Kind kind : Kind.values()) {
        byte[] request = Items.request(kind, 7, 20, RESOURCE);

        assertThat(wire.send(kind, request).acknowledged()).isTrue();

        CapturedRequest taken = sink.requests(kind).getFirst();
        assertThat(taken.body().toByteArray()).isEqualTo(request);
        assertThat(taken.encoding()).isEqualTo(encoding);
        assertThat(Items.list(kind, taken.message())).hasSize(20);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void take_itemDamagedOnTheWay_isCounted(Protocol protocol) {
    byte[] request = Items.request(Kind.TRACES, 1, 2, RESOURCE);
    int path = new String(request, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("/jobs/");
    request[path + 10] ^= 1;
    try (CapturingSink sink = new CapturingSink(protocol, Keep.ITEM_IDS);
        Wire wire = wire(sink, Encoding.IDENTITY)) {

      wire.send(Kind.TRACES, request);

      assertThat(sink.ids(Kind.TRACES)).containsExactlyInAnyOrder(1L, 2L);
      assertThat(sink.damaged()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void fail_answers_senderIsToldAndNothingIsTaken(Protocol protocol) {
    try (CapturingSink sink = new CapturingSink(protocol, Keep.ITEM_IDS);
        Wire wire = wire(sink, Encoding.GZIP)) {

      assertThat(replyTo(wire, sink, Fault.unavailable()).retryable()).isTrue();
      assertThat(replyTo(wire, sink, Fault.unauthorized()).retryable()).isFalse();
      assertThat(replyTo(wire, sink, Fault.notFound()).retryable()).isFalse();
      assertThat(replyTo(wire, sink, Fault.internalError()).retryable()).isFalse();
      Wire.Reply throttled = replyTo(wire, sink, Fault.throttled(Duration.ofSeconds(7)));
      assertThat(throttled.retryable()).isTrue();
      assertThat(throttled.retryAfter()).isEqualTo(Duration.ofSeconds(7));
      assertThat(sink.ids(Kind.LOGS)).isEmpty();
      assertThat(sink.firstRefusalNanos()).isNotZero();

      sink.heal();
      assertThat(send(wire).acknowledged()).isTrue();
      assertThat(sink.arrivals(Kind.LOGS)).isEqualTo(3);
    }
  }

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void fail_partlyRejecting_isNoFullAcknowledgement(Protocol protocol) {
    try (CapturingSink sink = new CapturingSink(protocol, Keep.ITEM_IDS);
        Wire wire = wire(sink, Encoding.IDENTITY)) {

      Wire.Reply reply = replyTo(wire, sink, new Fault.PartlyRejecting(2, "too old"));

      assertThat(reply.acknowledged()).isFalse();
      assertThat(reply.retryable()).isFalse();
      assertThat(reply.response().toByteArray()).isEqualTo(Grpc.partialSuccess(2, "too old"));
    }
  }

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void fail_refusedOrResetThenHealed_comesBackOnTheSamePort(Protocol protocol) {
    try (CapturingSink sink = new CapturingSink(protocol, Keep.ITEM_IDS);
        Wire wire = wire(sink, Encoding.IDENTITY)) {
      String before = sink.endpoint();
      for (Fault fault : new Fault[] {new Fault.Refused(), new Fault.Resetting()}) {
        assertThat(send(wire).acknowledged()).isTrue();

        Wire.Reply reply = replyTo(wire, sink, fault);

        assertThat(reply.acknowledged()).isFalse();
        assertThat(reply.retryable()).isTrue();
        sink.heal();
        assertThat(sink.endpoint()).isEqualTo(before);
        assertThat(sendUntilTaken(wire)).isTrue();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void fail_hanging_senderGivesUpAndNothingIsTaken(Protocol protocol) throws Exception {
    try (CapturingSink sink = new CapturingSink(protocol, Keep.ITEM_IDS);
        Wire wire = wire(sink, Encoding.IDENTITY)) {
      sink.fail(new Fault.Hanging());
      Thread sender = Thread.ofVirtual().start(() -> send(wire));
      org.awaitility.Awaitility.await().until(() -> sink.refusals() == 1);

      sender.interrupt();
      sender.join();

      assertThat(sink.ids(Kind.LOGS)).isEmpty();
    }
  }

  private static Wire.Reply replyTo(Wire wire, CapturingSink sink, Fault fault) {
    sink.fail(fault);
    return send(wire);
  }

  private static Wire.Reply send(Wire wire) {
    return wire.send(Kind.LOGS, Items.request(Kind.LOGS, 1, 3, RESOURCE));
  }

  private static boolean sendUntilTaken(Wire wire) {
    org.awaitility.Awaitility.await().until(() -> send(wire).acknowledged());
    return true;
  }

  private static Wire wire(CapturingSink sink, Encoding encoding) {
    String authority = URI.create(sink.endpoint()).getAuthority();
    return sink.protocol() == Protocol.GRPC
        ? new GrpcWire(() -> authority, encoding)
        : new HttpWire(() -> authority, encoding);
  }
}
