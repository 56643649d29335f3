package io.spillway.otlp.stage;

import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.codec.GzipMembers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * Sends requests to one sink. One call is one attempt: no retries, no memory of failures. Safe on
 * any thread.
 */
public interface Exporter {

  /** The component id, for example {@code otlp_grpc/primary}. */
  String id();

  /** The codec that requests to this sink are compressed with. */
  Codec codec();

  /** What may become of gzip that senders made, on the way to this sink. */
  default GzipPassthrough gzipPassthrough() {
    return GzipPassthrough.AUTO;
  }

  /**
   * Whether a block can be sent as it is stored. Not if it has several gzip members that are meant
   * for other sinks: it may be older than the routes are now.
   */
  default boolean takesAsStored(Block block) {
    return block.codec() == codec()
        && (block.codec() != Codec.GZIP
            || gzipPassthrough() == GzipPassthrough.ON
            || GzipMembers.isOne(block.payload(), block.uncompressedLength()));
  }

  /** The largest request this sink takes, in uncompressed bytes. */
  int maxRequestBytes();

  /** How long the egress leaves this sink alone after a failure. */
  RetrySettings retry();

  /**
   * Makes one attempt. Returns at once.
   *
   * <p>Cancelling the future abandons the attempt and frees what it holds; the sink may have taken
   * the request all the same.
   *
   * @return completes exactly once, never exceptionally, within the exporter's timeout
   */
  CompletableFuture<Outcome> export(ExportRequest request);

  /**
   * Lets attempts in flight finish within {@code deadline}, then abandons them. Safe to call twice.
   */
  void close(Duration deadline);
}
