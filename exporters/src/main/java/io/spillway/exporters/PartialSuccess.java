package io.spillway.exporters;

import io.spillway.otlp.rpc.ExportResponse;
import io.spillway.otlp.stage.Outcome;

/** What a sink says about a request that it took (OTLP §Partial Success). */
final class PartialSuccess {

  private PartialSuccess() {}

  /** A count that cannot be, negative or above the items sent, is brought into range, and said. */
  static Outcome.Delivered outcome(ExportResponse response, int items) {
    int rejected = Math.clamp(response.rejected(), 0, items);
    String words = SinkWords.clean(response.message());
    if (rejected == response.rejected()) {
      return new Outcome.Delivered(rejected, words);
    }
    String claim =
        "it claims to have rejected %d of %d items".formatted(response.rejected(), items);
    return new Outcome.Delivered(rejected, words.isEmpty() ? claim : claim + ": " + words, true);
  }

  /** The sink took the request; that it says so in a way we cannot read changes nothing. */
  static Outcome.Delivered unreadable(String why) {
    return new Outcome.Delivered(
        0, SinkWords.clean("taken, with an unreadable answer: " + why), true);
  }
}
