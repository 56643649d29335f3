package io.spillway.exporters;

import io.spillway.otlp.rpc.ExportResponse;
import io.spillway.otlp.stage.Outcome;

/** What a sink says about a request that it took (OTLP §Partial Success). */
final class PartialSuccess {

  private PartialSuccess() {}

  /** A count that cannot be, negative or above the items sent, is brought into range. */
  static Outcome.Delivered outcome(ExportResponse response, int items) {
    int rejected = Math.clamp(response.rejected(), 0, items);
    return new Outcome.Delivered(rejected, SinkWords.clean(response.message()));
  }

  /** The sink took the request; that it says so in a way we cannot read changes nothing. */
  static Outcome.Delivered unreadable(Exception e) {
    return new Outcome.Delivered(
        0, SinkWords.clean("taken, with an unreadable answer: " + e.getMessage()));
  }
}
