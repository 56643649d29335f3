package io.spillway.otlp.stage;

import io.spillway.otlp.Slice;

/**
 * What a sink refused for good, on its way to the dead letters of its lane.
 *
 * @param exporter id of the exporter whose sink it was
 * @param reason what its items are counted as: {@link DropReason#BAD_DATA} or {@link
 *     DropReason#TOO_LARGE}
 * @param words the sink's, where it had some
 * @param request an uncompressed OTLP request of the lane's signal; not empty
 * @param items items in the request
 * @param tenant see {@link Sender#tenant}
 */
public record DeadLetter(
    String exporter, DropReason reason, String words, Slice request, int items, String tenant) {
  /** One of no tenant. */
  public DeadLetter(String exporter, DropReason reason, String words, Slice request, int items) {
    this(exporter, reason, words, request, items, "");
  }
}
