package io.spillway.routing.egress;

import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.WireBytes;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * One request on its way to a sink.
 *
 * @param pieces what the request is made of, in order
 * @param wireBytes what the exporter put on the network for it
 */
record Attempt(
    Ticket ticket,
    List<Piece> pieces,
    int payloadBytes,
    int uncompressedLength,
    int items,
    WireBytes wireBytes,
    CompletableFuture<Outcome> answer) {

  String exporter() {
    return ticket.breaker.id;
  }

  /** Whether a single original request, or a part of one, is all there is in it. */
  boolean single() {
    return pieces.size() == 1 && pieces.getFirst().requests() == 1;
  }
}
