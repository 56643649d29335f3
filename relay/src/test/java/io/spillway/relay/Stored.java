package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Lane;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Puts requests into lanes. */
final class Stored {
  /** An OTLP request of every signal, with an empty resource. */
  private static final byte[] EMPTY_RESOURCE = {0x0a, 0};

  private Stored() {}

  /** A request that says to hold so many items. */
  static void items(Lane lane, int items) {
    request(lane, EMPTY_RESOURCE, items);
  }

  /** Returns once the request is stored. */
  static void request(Lane lane, byte[] request, int items) {
    request(lane, request, items, "");
  }

  /** Returns once the tenant's request is stored. */
  static void request(Lane lane, byte[] request, int items, String tenant) {
    CompletableFuture<String> stored = new CompletableFuture<>();
    lane.append(
        RequestBytes.of(Slice.of(request)),
        items,
        0,
        tenant,
        new Lane.AppendCallback() {
          @Override
          public void appended() {
            stored.complete("stored");
          }

          @Override
          public void refused(Lane.Refusal refusal) {
            stored.complete(refusal.reason());
          }
        });
    assertThat(stored.orTimeout(20, TimeUnit.SECONDS).join()).isEqualTo("stored");
  }
}
