package io.spillway.tests.harness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.CapturingSink.Keep;
import io.spillway.tests.harness.CapturingSink.Protocol;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A load remembers exactly what was acknowledged, through outages of what it sends to. */
@Timeout(60)
class LoadTest {

  @Test
  void start_outageInBetween_remembersWhatWasAcknowledged() {
    try (CapturingSink grpc = new CapturingSink(Protocol.GRPC, Keep.ITEM_IDS);
        CapturingSink http = new CapturingSink(Protocol.HTTP, Keep.ITEM_IDS);
        Load load = load(grpc, http).start()) {
      await().until(() -> grpc.firstTakenNanos() != 0 && http.firstTakenNanos() != 0);
      grpc.fail(new Fault.Refused());
      http.fail(Fault.unavailable());
      await().until(() -> load.retries().size() >= 2);
      grpc.heal();
      http.heal();
      long before = load.acknowledged();
      await().until(() -> load.acknowledged() > before + 100);

      load.stop();

      assertThat(load.failures()).isEmpty();
      for (Kind kind : Kind.values()) {
        var arrived = grpc.ids(kind);
        arrived.addAll(http.ids(kind));
        assertThat(arrived).containsAll(load.acknowledged(kind));
        assertThat(load.sent(kind)).containsAll(arrived);
      }
      assertThat(grpc.damaged() + http.damaged()).isZero();
    }
  }

  @Test
  void start_permanentRefusal_isAFailure() {
    try (CapturingSink sink = new CapturingSink(Protocol.HTTP, Keep.ITEM_IDS)) {
      sink.fail(Fault.badRequest());
      try (Load load = load(sink).start()) {
        await().until(() -> !load.failures().isEmpty());

        assertThat(load.failures().getFirst()).endsWith(" 400");
        assertThat(load.acknowledged()).isZero();
      }
    }
  }

  private static Load load(CapturingSink... sinks) {
    List<Wire> wires =
        List.of(sinks).stream()
            .map(
                sink -> {
                  String authority = URI.create(sink.endpoint()).getAuthority();
                  return sink.protocol() == Protocol.GRPC
                      ? new GrpcWire(() -> authority, Encoding.ZSTD)
                      : new HttpWire(() -> authority, Encoding.GZIP);
                })
            .toList();
    return new Load(wires, Map.of("service.name", "load"), 10, 1);
  }
}
