package io.spillway.relay.buffer;

/**
 * What became of items that were sent.
 *
 * @param delivered items that the sink took
 * @param rejected items that it refused within a request it took
 * @param badData items in requests that it calls malformed
 * @param tooLarge items that do not fit into a request it takes
 * @param requests that it took
 * @param bytes of payload in them
 */
record Tally(
    long delivered, long rejected, long badData, long tooLarge, long requests, long bytes) {
  static final Tally NONE = new Tally(0, 0, 0, 0, 0, 0);

  Tally plus(Tally other) {
    return new Tally(
        delivered + other.delivered,
        rejected + other.rejected,
        badData + other.badData,
        tooLarge + other.tooLarge,
        requests + other.requests,
        bytes + other.bytes);
  }

  /** Items whose fate is known. */
  long items() {
    return delivered + notDelivered();
  }

  long notDelivered() {
    return rejected + badData + tooLarge;
  }
}
